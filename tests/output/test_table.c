/* The table for a person: bounded width, no control characters, the costliest marked, notes where due. */
#include <criterion/criterion.h>
#include <string.h>

#include "output/report.h"
#include "result_fixture.h"

static fixture f;
static sim_text text;

static void setup(void)
{
    fixture_init(&f);
    text = (sim_text){.length = 0};
}

static void teardown(void)
{
    sim_text_free(&text);
}

TestSuite(table, .init = setup, .fini = teardown);

static const char *print(int width, bool colour)
{
    sim_table_style style = {.colour = colour, .width = width};

    sim_text_free(&text);
    text = (sim_text){.length = 0};
    sim_report_table(&f.result, &style, &text);
    cr_assert_not(text.failed);
    return text.data;
}

/* The longest line in columns, escape sequences not counted. */
static int longest_line(const char *p)
{
    int longest = 0, line = 0;

    for (; *p; p++) {
        if (*p == '\033') {
            while (*p != 'm')
                p++;
        } else if (*p == '\n') {
            line = 0;
        } else if (((unsigned char)*p & 0xc0) != 0x80 && ++line > longest) {
            longest = line;
        }
    }
    return longest;
}

Test(table, no_line_is_longer_than_the_width)
{
    f.layers[1].name =
        "a_layer_with_a_name_that_is_longer_than_any_table_of_sixty_columns_could_ever_show_in_one_line";
    f.arch.file =
        "/a/long/path/to/an/architecture/file/which/does/not/fit/into/sixty/columns/by/far/edge.cfg";
    for (int width = 60; width <= 200; width++) {
        int longest = longest_line(print(width, width % 2));

        cr_assert_leq(longest, width, "%d columns in a table of %d:\n%s", longest, width, text.data);
    }
    cr_assert_leq(longest_line(print(0, false)), 100);
    cr_assert_leq(longest_line(print(10, false)), 60);
}

Test(table, is_as_wide_as_it_may)
{
    cr_assert_gt(longest_line(print(160, false)), 100);
    cr_assert_not_null(strstr(print(160, false), "12544x64x147"));
    cr_assert_null(strstr(print(60, false), "12544x64x147"));
}

/* Name, latency, energy and bound are what no width drops. */
Test(table, narrow_tables_keep_the_essentials)
{
    print(60, false);
    cr_assert_not_null(strstr(text.data, "layers.0-2"));
    cr_assert_not_null(strstr(text.data, "27.3 us")); /* 3 x 9.1 us */
    cr_assert_not_null(strstr(text.data, "30.3 uJ")); /* 3 x 10.1 uJ */
    cr_assert_not_null(strstr(text.data, "memory"));
}

Test(table, colour_only_when_asked_and_text_alike)
{
    char plain[8192];
    size_t length = 0;

    cr_assert_null(strchr(print(100, false), '\033'));
    cr_assert_lt(text.length, sizeof plain);
    strcpy(plain, text.data);
    print(100, true);
    cr_assert_not_null(strchr(text.data, '\033'));
    for (const char *p = text.data; *p; p++) { /* in place: what is left without escapes */
        if (*p == '\033')
            p = strchr(p, 'm');
        else
            text.data[length++] = *p;
    }
    text.data[length] = '\0';
    cr_assert_str_eq(text.data, plain);
}

Test(table, lines_end_in_text)
{
    for (const char *p = print(100, false); *p; p++)
        cr_assert_not(*p == ' ' && p[1] == '\n', "a line ends in a space");
}

Test(table, names_do_not_drive_the_terminal)
{
    f.layers[0].name = "evil\033]0;title\007\nname\xc2\x9b"
                       "31m";
    f.workload.name = "w\033[2J";
    f.policy.name = "p\r\x7f";
    print(100, false);
    for (const char *p = text.data; *p; p++)
        cr_assert((unsigned char)*p >= 0x20 || *p == '\n', "control character %d", *p);
    cr_assert_null(strchr(text.data, 0x7f));
    cr_assert_null(strstr(text.data, "\xc2\x9b"));
    cr_assert_not_null(strstr(text.data, "evil?]0;title??name??31m"));
}

Test(table, marks_the_three_costliest)
{
    int marks = 0;

    print(100, false);
    for (const char *line = text.data; line && *line;
         line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        marks += *line == '*';
    cr_assert_eq(marks, 3);
    cr_assert_not_null(strstr(text.data, "\n*  stem, \"first\" conv"));
    cr_assert_not_null(strstr(text.data, "\n*  layers.0-2.q_proj"));
    cr_assert_not_null(strstr(text.data, "\n*  lm_head"));
    f.result.layer_count = 3; /* three of three would say nothing */
    cr_assert_null(strstr(print(100, false), "\n*"));
}

Test(table, equal_layers_are_marked_in_order)
{
    for (int i = 0; i < FIXTURE_LAYERS; i++)
        f.layers[i].latency_s = 1e-6, f.layers[i].repeat = 1;
    print(100, false);
    cr_assert_not_null(strstr(text.data, "\n*  layers.0-2.q_proj"));
    cr_assert_not_null(strstr(text.data, "\n*  layers.0-2.qk"));
    cr_assert_not_null(strstr(text.data, "\n*  layers.0-2.softmax"));
    cr_assert_null(strstr(text.data, "\n*  lm_head"));
}

Test(table, says_what_ran_otherwise_than_asked)
{
    print(100, false);
    cr_assert_not_null(strstr(text.data, "lm_head: meant to stay float"));
    cr_assert_not_null(strstr(text.data, "w3 a8 at the pace of 4x8"));
    cr_assert_null(strstr(text.data, "stay on chip"));
    f.layers[4].float_fallback = false;
    f.layers[0].w.bits = 4;
    f.result.weights_resident = true;
    print(100, false);
    cr_assert_null(strstr(text.data, "meant to stay float"));
    cr_assert_null(strstr(text.data, "at the pace"));
    cr_assert_not_null(strstr(text.data, "weights stay on chip"));
}

Test(table, says_whether_the_model_fits)
{
    cr_assert_not_null(strstr(print(100, false), ": fits in 8.59 GB"));
    f.result.totals.memory_fits = false;
    cr_assert_not_null(strstr(print(100, false), "DOES NOT FIT in 8.59 GB"));
}

Test(table, totals_are_last_and_unknown_values_left_out)
{
    print(100, false);
    cr_assert_null(strstr(text.data, "tokens/s"));
    cr_assert_null(strstr(text.data, "KV cache"));
    cr_assert_null(strstr(text.data, "nan"));
    f.result.totals.tokens_per_s = 7616;
    f.result.totals.kv_cache_bytes = 537133056;
    cr_assert_null(strstr(text.data, "room for"));
    cr_assert_null(strstr(text.data, "output token"));
    f.result.totals.time_per_output_token_s = 131.3e-6;
    f.result.totals.max_batch = 12;
    f.result.totals.max_context_tokens = 32767;
    print(100, false);
    cr_assert_not_null(strstr(text.data, "KV cache 537 MB"));
    cr_assert_not_null(strstr(text.data, "  room for   batch 12 with these tokens, 32767 tokens of context "
                                         "with this batch\n"));
    cr_assert_str_eq(strstr(text.data, "  latency    131 us"),
                     "  latency    131 us, 7616 tokens/s; 131 us per output token\n");
}

/* Rows of two phases stand apart, each under its name and time; rows of one have no heading. */
Test(table, phases_stand_apart)
{
    const char *prefill, *decode;

    cr_assert_null(strstr(print(100, false), "of the time\n  layer"));
    f.workload.phase = SIM_PHASE_GENERATE;
    f.result.totals.time_to_first_token_s = 100e-6;
    f.result.totals.tokens_per_s = 7616;
    for (int i = 0; i < FIXTURE_LAYERS; i++)
        f.layers[i].phase = i < 2 ? SIM_PHASE_PREFILL : SIM_PHASE_DECODE;
    print(100, false);
    prefill = strstr(text.data, "\nprefill: ");
    decode = strstr(text.data, "\ndecode: ");
    cr_assert(prefill && decode && prefill < decode);
    cr_assert(strstr(prefill, "q_proj") < decode);
    cr_assert_not_null(strstr(decode, "lm_head"));
    cr_assert_not_null(strstr(text.data, "; first token after 100 us\n"));
}

Test(table, nothing_to_run)
{
    f.result.layer_count = 0;
    f.result.totals = (sim_totals){.kv_cache_bytes = -1, .memory_fits = true};
    print(100, false);
    cr_assert_not_null(strstr(text.data, "no layer takes time"));
    cr_assert_null(strstr(text.data, "nan"));
}

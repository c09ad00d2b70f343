#include "cli/opt.h"

#include "output/grid.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 64 };

/* The row that `word` (up to an '=') names, -1 for none; *value is what is attached to it, or NULL. */
static int find_option(const sim_opt *options, int count, const char *word, const char **value)
{
    const bool is_long = word[1] == '-';

    for (int i = 0; i < count; i++) {
        const char *name = options[i].name;
        const size_t length = strlen(name);

        if (strncmp(word, name, length) != 0)
            continue;
        if (word[length] == '\0') {
            *value = NULL;
            return i;
        }
        if (is_long && word[length] == '=') {
            *value = word + length + 1;
            return i;
        }
        if (!is_long && options[i].argument) {
            *value = word + length;
            return i;
        }
    }
    return -1;
}

static sim_status fail_unknown(const sim_opt *options, int count, const char *word, sim_err *err)
{
    const char *names[WORDS_MAX + 1] = {NULL};
    const int length = (int)strcspn(word, "=");
    const char *nearest;
    char name[128];

    for (int i = 0; i < count && i < WORDS_MAX; i++)
        names[i] = options[i].name;
    snprintf(name, sizeof name, "%.*s", length, word);
    nearest = sim_nearest(name, names);
    sim_fail(err, SIM_USAGE, NULL, 0, "unknown option '%s'", name);
    if (nearest)
        sim_hint(err, "did you mean '%s'?", nearest);
    return SIM_USAGE;
}

sim_status sim_opt_parse(const sim_opt *options, int option_count, int argc, char *const *argv,
                         sim_arena *arena, sim_opts *out, sim_err *err)
{
    sim_status status = SIM_OK;
    bool ended = false;

    *out = (sim_opts){.options = options, .option_count = option_count};
    out->operands = sim_arena_alloc(arena, (size_t)argc, sizeof *out->operands);
    out->given = sim_arena_alloc(arena, (size_t)argc, sizeof *out->given);
    if (!out->operands || !out->given)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");

    for (int i = 0; i < argc; i++) {
        const char *word = argv[i], *value = NULL;
        int option;

        if (ended || word[0] != '-' || word[1] == '\0') {
            out->operands[out->operand_count++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            ended = true;
            continue;
        }
        option = find_option(options, option_count, word, &value);
        if (option < 0) {
            status = fail_unknown(options, option_count, word, err);
            continue;
        }
        if (!options[option].argument && value) {
            status = sim_fail(err, SIM_USAGE, NULL, 0, "option '%s' takes no value", options[option].name);
            continue;
        }
        if (options[option].argument && !value) {
            /* The next word; one that looks like an option is more likely a value forgotten. */
            if (i + 1 >= argc || strncmp(argv[i + 1], "--", 2) == 0) {
                status = sim_fail(err, SIM_USAGE, NULL, 0, "option '%s' needs a value", options[option].name);
                sim_hint(err, "%s %s", options[option].name, options[option].argument);
                continue;
            }
            value = argv[++i];
        }
        out->given[out->given_count++] = (sim_opt_given){option, value};
    }
    return status;
}

static const sim_opt_given *last_given(const sim_opts *opts, const char *name)
{
    for (int i = opts->given_count - 1; i >= 0; i--)
        if (strcmp(opts->options[opts->given[i].option].name, name) == 0)
            return &opts->given[i];
    return NULL;
}

bool sim_opt_has(const sim_opts *opts, const char *name)
{
    return last_given(opts, name) != NULL;
}

const char *sim_opt_value(const sim_opts *opts, const char *name)
{
    const sim_opt_given *given = last_given(opts, name);

    return given ? given->value : NULL;
}

sim_status sim_opt_positive(const sim_opts *opts, const char *name, int64_t *value, sim_err *err)
{
    const char *text = sim_opt_value(opts, name);
    int64_t number;

    if (!text)
        return SIM_OK;
    if (!sim_parse_int(text, &number) || number < 1)
        return sim_fail(err, SIM_USAGE, NULL, 0, "option '%s': '%s' is not a positive integer", name, text);
    *value = number;
    return SIM_OK;
}

sim_status sim_opt_word(const sim_opts *opts, const char *name, const char *const *words, int *index,
                        sim_err *err)
{
    const char *text = sim_opt_value(opts, name);
    const char *nearest;
    char list[SIM_ERR_HINT] = "";
    size_t used;

    if (!text)
        return SIM_OK;
    for (int i = 0; words[i]; i++) {
        if (!*words[i])
            continue;
        if (strcmp(words[i], text) == 0) {
            *index = i;
            return SIM_OK;
        }
        used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", used ? " " : "", words[i]);
    }
    nearest = sim_nearest(text, words);
    sim_fail(err, SIM_USAGE, NULL, 0, "option '%s': unknown value '%s'", name, text);
    if (nearest && *nearest)
        sim_hint(err, "did you mean '%s'? (one of: %s)", nearest, list);
    else
        sim_hint(err, "one of: %s", list);
    return SIM_USAGE;
}

void sim_opt_help(const sim_opt *options, int option_count, int width, sim_text *out)
{
    int indent = 0;

    for (int i = 0; i < option_count; i++) {
        int length = 4 + (int)strlen(options[i].name);

        if (options[i].argument)
            length += 1 + (int)strlen(options[i].argument);
        if (length > indent)
            indent = length;
    }
    for (int i = 0; i < option_count; i++) {
        char label[128];

        snprintf(label, sizeof label, "%s%s%s", options[i].name, options[i].argument ? " " : "",
                 options[i].argument ? options[i].argument : "");
        sim_wrap_add(out, label, indent + 2, width, options[i].help);
    }
}

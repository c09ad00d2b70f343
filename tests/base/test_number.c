/* Numbers to text and back, in C's locale and in one with a comma. */
#include "base/text.h"

#include <criterion/criterion.h>

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void assert_real(double value, const char *expected)
{
    sim_text text = {0};

    sim_text_real(&text, value);
    cr_expect_str_eq(text.data, expected, "%a: got %s, expected %s", value, text.data, expected);
    sim_text_free(&text);
}

static void check_known_reals(void)
{
    assert_real(0, "0");
    assert_real(-0.0, "-0");
    assert_real(3, "3");
    assert_real(-1234567, "-1234567");
    assert_real(0.1, "0.1");
    assert_real(0.1 + 0.2, "0.30000000000000004");
    assert_real(1.0 / 3, "0.3333333333333333");
    assert_real(1e30, "1e+30");
    assert_real(-2.5e-7, "-2.5e-07");
    assert_real(123456.789, "123456.789");
    assert_real(9007199254740993.0, "9007199254740992");
    assert_real(DBL_MAX, "1.7976931348623157e+308");
    assert_real(DBL_MIN, "2.2250738585072014e-308");
    assert_real(5e-324, "5e-324"); /* the smallest of all: one digit says it */
    assert_real(1.5e-323, "1.5e-323");
    assert_real(INFINITY, "null");
    assert_real(NAN, "null");
}

Test(real, known_values)
{
    check_known_reals();
}

/* Random bit patterns: each comes back as itself, and no shorter text would do. */
Test(real, comes_back_as_itself)
{
    uint64_t state = 1;

    for (int i = 0; i < 200000 / SIMACC_TEST_REDUCE; i++) {
        sim_text text = {0};
        double value, back;
        uint64_t bits;

        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bits = state ^ state >> 31;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        sim_text_real(&text, value);
        cr_assert(sim_parse_real(text.data, &back), "%s", text.data);
        cr_assert_eq(memcmp(&back, &value, sizeof value), 0, "%a became %s", value, text.data);
        sim_text_free(&text);
    }
}

/* Digits of a decimal without its leading and trailing zeros. */
static size_t significant_digits(const char *p)
{
    size_t seen = 0, good = 0;

    for (; *p && *p != 'e'; p++) {
        if (*p < '0' || *p > '9' || (seen == 0 && *p == '0'))
            continue;
        seen++;
        if (*p != '0')
            good = seen;
    }
    return good;
}

/* A decimal of up to 15 digits comes out as short as it went in, whatever its exponent. */
Test(real, short_decimals_stay_short)
{
    uint64_t state = 7;

    for (int i = 0; i < 100000 / SIMACC_TEST_REDUCE; i++) {
        sim_text text = {0};
        char decimal[64];
        double value, back;

        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        snprintf(decimal, sizeof decimal, "%.*fe%d", (int)((state >> 40) % 15),
                 1 + (double)(state >> 12) / 0x1p52 * 8, (int)(state >> 33) % 600 - 300);
        cr_assert(sim_parse_real(decimal, &value));
        sim_text_real(&text, value);
        cr_assert(sim_parse_real(text.data, &back));
        cr_assert_eq(back, value);
        cr_assert_eq(significant_digits(text.data), significant_digits(decimal), "%s became %s", decimal,
                     text.data);
        sim_text_free(&text);
    }
}

static void check_parse_int(void)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"+7", 7},
                {"007", 7},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN},
                {"-9223372036854775807", -INT64_MAX}};
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "1e3",
                                      "0x10",
                                      "--1",
                                      "1_000",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999999",
                                      "\xd9\xa1"};
    int64_t value = 42;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_expect(sim_parse_int(good[i].text, &value), "'%s'", good[i].text);
        cr_expect_eq(value, good[i].value, "'%s' gave %" PRId64, good[i].text, value);
    }
    value = 42;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(!sim_parse_int(bad[i], &value) && value == 42, "'%s'", bad[i]);
}

static void check_parse_real(void)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0},         {"-0.0", -0.0},
                {"1.5", 1.5},     {".5", 0.5},
                {"5.", 5},        {"+1e3", 1000},
                {"1E-3", 0.001},  {"0e999", 0},
                {"0.6", 0.6},     {"4", 4},
                {"1e308", 1e308}, {"5e-324", 5e-324},
                {"1e+05", 1e5},   {"123456789.25", 123456789.25}};
    static const char *const bad[] = {"",     ".",        "-",    "e5",  "1e",  "1e+",   "1,5",   "1.5.2",
                                      " 1",   "1 ",       "inf",  "nan", "NaN", "0x1p3", "1e309", "1e-400",
                                      "1.5f", "infinity", "1e5.", "--1", "1-",  "1d5"};
    double value = 42;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_expect(sim_parse_real(good[i].text, &value), "'%s'", good[i].text);
        cr_expect_eq(value, good[i].value, "'%s' gave %a", good[i].text, value);
    }
    value = 42;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(!sim_parse_real(bad[i], &value) && value == 42, "'%s'", bad[i]);
}

Test(parse, integers)
{
    check_parse_int();
}

Test(parse, reals)
{
    check_parse_real();
}

Test(parse, a_number_of_a_thousand_digits_is_refused_or_right)
{
    char digits[1001];
    double value = 42;

    memset(digits, '0', sizeof digits);
    digits[1] = '.';
    digits[299] = '1';
    digits[390] = '\0';
    cr_assert(sim_parse_real(digits, &value));
    cr_assert_eq(value, 1e-298);
    digits[390] = '0';
    digits[1000] = '\0';
    cr_assert(!sim_parse_real(digits, &value));
}

static void assert_scaled(double value, const char *unit, bool binary, const char *expected)
{
    char text[64];

    cr_expect_str_eq(sim_scaled(value, unit, binary, text, sizeof text), expected, "%g: %s", value, text);
}

static void check_scaled(void)
{
    assert_scaled(0, "s", false, "0 s");
    assert_scaled(8, "B", false, "8 B");
    assert_scaled(999, "B", false, "999 B");
    assert_scaled(999.4, "B", false, "999 B");
    assert_scaled(999.6, "B", false, "1.00 kB");
    assert_scaled(1234, "B", false, "1.23 kB");
    assert_scaled(12345, "B", false, "12.3 kB");
    assert_scaled(123456, "B", false, "123 kB");
    assert_scaled(9995, "s", false, "10.0 ks");
    assert_scaled(2.5e-5, "s", false, "25.0 us");
    assert_scaled(0.9996, "s", false, "1.00 s");
    assert_scaled(0.99949, "s", false, "999 ms");
    assert_scaled(1e-18, "J", false, "1.00 aJ");
    assert_scaled(-1500, "W", false, "-1.50 kW");
    assert_scaled(1e21, "B", false, "1000 EB");
    assert_scaled(1e26, "B", false, "1.00e+08 EB");
    assert_scaled(1023, "B", true, "1023 B");
    assert_scaled(1024, "B", true, "1.00 KiB");
    assert_scaled(3.5 * 1024 * 1024, "B", true, "3.50 MiB");
    assert_scaled(2e6, "", false, "2.00 M");
    assert_scaled(2, "", false, "2");
    assert_scaled(NAN, "s", false, "-");
    assert_scaled(INFINITY, "s", false, "-");
}

Test(scaled, for_people)
{
    char small[4];

    check_scaled();
    cr_assert_str_eq(sim_scaled(1234, "B", false, small, sizeof small), "1.2");
}

/* Everything once more in a locale whose decimal point is a comma. glibc's compiler of locales makes one;
 * without it (another C library) there is nothing to test. */
Test(locale, a_comma_changes_nothing)
{
    static const char definition[] = "comment_char %\nescape_char /\nLC_NUMERIC\ndecimal_point \",\"\n"
                                     "thousands_sep \".\"\ngrouping 3;3\nEND LC_NUMERIC\n";
    char folder[] = "/tmp/simacc_test_XXXXXX", command[256], name[64], point[8];
    FILE *file;

    cr_assert_not_null(mkdtemp(folder));
    snprintf(name, sizeof name, "%s/definition", folder);
    file = fopen(name, "w");
    cr_assert_not_null(file);
    fputs(definition, file);
    fclose(file);
    snprintf(name, sizeof name, "%s/comma", folder);
    cr_assert_eq(mkdir(name, 0700), 0);
    /* it exits with 1 because of the categories that the definition leaves out */
    snprintf(command, sizeof command, "localedef -c -i %s/definition %s/comma >/dev/null 2>&1", folder,
             folder);
    if (system(command) == -1)
        cr_log_warn("cannot run a command");
    setenv("LOCPATH", folder, 1);
    if (setlocale(LC_NUMERIC, "comma")) {
        snprintf(point, sizeof point, "%.1f", 0.5);
        cr_expect_str_eq(point, "0,5", "the test's own locale");
        check_known_reals();
        check_parse_int();
        check_parse_real();
        check_scaled();
        setlocale(LC_NUMERIC, "C");
    } else {
        cr_log_warn("no localedef: skipped");
    }
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

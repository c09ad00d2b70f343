#include "explore/expression.h"

#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum operation {
    NUMBER,
    TEXT,
    NAME,
    NOT,
    MINUS,
    OR,
    AND,
    EQUAL,
    UNEQUAL,
    LESS,
    LESS_EQUAL,
    MORE,
    MORE_EQUAL,
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE
} operation;

struct sim_expression {
    operation kind;
    double number;
    const char *text; /* of TEXT and NAME */
    const struct sim_expression *left, *right;
};

/* ---- reading ---------------------------------------------------------------------------------------- */

/* Reading and evaluating recurse. */
enum { DEPTH_MAX = 64, NODES_MAX = 1000 };

typedef struct reader {
    const char *text, *at;
    bool (*known)(void *user, const char *name);
    void *user;
    sim_arena *arena;
    const char *wrong; /* what is wrong at `at`; NULL: nothing */
    char name[64];     /* the unknown one */
    bool no_memory;
    int depth, nodes;
} reader;

static const struct {
    const char *sign;
    operation kind;
    int level;
} operators[] = {
    {"||", OR, 0},         {"&&", AND, 1},        {"==", EQUAL, 2},   {"!=", UNEQUAL, 2},
    {"<=", LESS_EQUAL, 2}, {">=", MORE_EQUAL, 2}, {"<", LESS, 2},     {">", MORE, 2},
    {"+", ADD, 3},         {"-", SUBTRACT, 3},    {"*", MULTIPLY, 4}, {"/", DIVIDE, 4},
};

enum { OPERATORS = sizeof operators / sizeof *operators, LEVELS = 5 };

static const sim_expression *wrong(reader *r, const char *what)
{
    if (!r->wrong)
        r->wrong = what;
    return NULL;
}

static void skip_space(reader *r)
{
    r->at += strspn(r->at, " \t\r\n");
}

static sim_expression *node(reader *r, operation kind, const sim_expression *left,
                            const sim_expression *right)
{
    sim_expression *e;

    if (++r->nodes > NODES_MAX) {
        wrong(r, "too long");
        return NULL;
    }
    e = sim_arena_alloc(r->arena, 1, sizeof *e);
    if (!e) {
        r->no_memory = true;
        return NULL;
    }
    *e = (sim_expression){.kind = kind, .left = left, .right = right};
    return e;
}

static const sim_expression *read_level(reader *r, int level);

static const sim_expression *read_name(reader *r)
{
    size_t length = 0;
    sim_expression *e;

    while (isalnum((unsigned char)r->at[length]) || r->at[length] == '_' || r->at[length] == '.')
        length++;
    e = node(r, NAME, NULL, NULL);
    if (!e)
        return NULL;
    e->text = sim_arena_text(r->arena, r->at, length);
    if (!e->text) {
        r->no_memory = true;
        return NULL;
    }
    if (r->known && !r->known(r->user, e->text)) {
        snprintf(r->name, sizeof r->name, "%s", e->text);
        return wrong(r, "unknown name");
    }
    r->at += length;
    return e;
}

static const sim_expression *read_number(reader *r)
{
    char digits[64];
    size_t length = strspn(r->at, "0123456789.");
    sim_expression *e;

    if ((r->at[length] == 'e' || r->at[length] == 'E') && length > 0) {
        length++;
        length += r->at[length] == '-' || r->at[length] == '+';
        length += strspn(r->at + length, "0123456789");
    }
    snprintf(digits, sizeof digits, "%.*s", (int)length, r->at);
    e = node(r, NUMBER, NULL, NULL);
    if (!e)
        return NULL;
    if (length >= sizeof digits || !sim_parse_real(digits, &e->number))
        return wrong(r, "not a number");
    r->at += length;
    return e;
}

static const sim_expression *read_text(reader *r)
{
    const char *end = strchr(r->at + 1, '"');
    sim_expression *e;

    if (!end)
        return wrong(r, "a text that is not closed");
    e = node(r, TEXT, NULL, NULL);
    if (!e)
        return NULL;
    e->text = sim_arena_text(r->arena, r->at + 1, (size_t)(end - r->at - 1));
    r->no_memory |= !e->text;
    r->at = end + 1;
    return e;
}

static const sim_expression *read_group(reader *r)
{
    const sim_expression *inner;

    r->at++;
    inner = read_level(r, 0);
    if (!inner)
        return NULL;
    skip_space(r);
    if (*r->at != ')')
        return wrong(r, "a ')' is missing");
    r->at++;
    return inner;
}

static const sim_expression *read_unary(reader *r)
{
    const sim_expression *e = NULL;

    if (++r->depth > DEPTH_MAX)
        return wrong(r, "nested too deeply");
    skip_space(r);
    if (*r->at == '!' || *r->at == '-') {
        operation k = *r->at++ == '!' ? NOT : MINUS;
        const sim_expression *of = read_unary(r);

        e = of ? node(r, k, of, NULL) : NULL;
    } else if (*r->at == '(') {
        e = read_group(r);
    } else if (*r->at == '"') {
        e = read_text(r);
    } else if (isdigit((unsigned char)*r->at) || *r->at == '.') {
        e = read_number(r);
    } else if (isalpha((unsigned char)*r->at) || *r->at == '_') {
        e = read_name(r);
    } else {
        wrong(r, *r->at ? "a value is expected" : "a value is missing");
    }
    r->depth--;
    return e;
}

/* The operator of this level that stands here, passed; -1: none. */
static int read_operator(reader *r, int level)
{
    skip_space(r);
    for (int i = 0; i < OPERATORS; i++)
        if (strncmp(r->at, operators[i].sign, strlen(operators[i].sign)) == 0) {
            if (operators[i].level != level)
                return -1;
            r->at += strlen(operators[i].sign);
            return i;
        }
    return -1;
}

static const sim_expression *read_level(reader *r, int level)
{
    const sim_expression *left;
    int op;

    if (level == LEVELS)
        return read_unary(r);
    left = read_level(r, level + 1);
    while (left && (op = read_operator(r, level)) >= 0) {
        const sim_expression *right = read_level(r, level + 1);

        left = right ? node(r, operators[op].kind, left, right) : NULL;
    }
    return left;
}

sim_status sim_expression_parse(const char *text, bool (*known)(void *user, const char *name), void *user,
                                const char *what, int line, sim_status status, sim_arena *arena,
                                const sim_expression **out, sim_err *err)
{
    reader r = {.text = text, .at = text, .known = known, .user = user, .arena = arena};

    *out = read_level(&r, 0);
    skip_space(&r);
    if (*out && *r.at)
        wrong(&r, *r.at == '=' ? "'=' is no operator, '==' is," : "more than an expression");
    if (r.no_memory)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (*out && !r.wrong)
        return SIM_OK;
    *out = NULL;
    if (r.name[0])
        sim_fail(err, status, line > 0 ? what : NULL, line, "%s%s'%s': unknown name '%s'",
                 line > 0 ? "" : what, line > 0 ? "" : ": ", text, r.name);
    else if (*r.at)
        sim_fail(err, status, line > 0 ? what : NULL, line, "%s%s'%s': %s at '%s'", line > 0 ? "" : what,
                 line > 0 ? "" : ": ", text, r.wrong, r.at);
    else
        sim_fail(err, status, line > 0 ? what : NULL, line, "%s%s'%s': %s at the end", line > 0 ? "" : what,
                 line > 0 ? "" : ": ", text, r.wrong);
    sim_hint(
        err,
        "comparisons of names and numbers, joined by && and ||: w <= a && array.rows * array.cols <= 4096");
    return status;
}

/* ---- values ----------------------------------------------------------------------------------------- */

typedef struct value {
    bool known;
    double number;
    const char *text; /* NULL: a number */
} value;

static value number_value(double x)
{
    return (value){isfinite(x), x, NULL};
}

static value eval(const sim_expression *e, sim_expression_value *look, void *user);

static value compare(operation k, value a, value b)
{
    if (a.text && b.text && (k == EQUAL || k == UNEQUAL))
        return number_value((strcmp(a.text, b.text) == 0) == (k == EQUAL));
    if (a.text || b.text)
        return (value){false, 0, NULL};
    switch (k) {
    case EQUAL:
        return number_value(a.number == b.number);
    case UNEQUAL:
        return number_value(a.number != b.number);
    case LESS:
        return number_value(a.number < b.number);
    case LESS_EQUAL:
        return number_value(a.number <= b.number);
    case MORE:
        return number_value(a.number > b.number);
    default:
        return number_value(a.number >= b.number);
    }
}

static bool truth(value v)
{
    return v.known && !v.text && v.number != 0;
}

static value binary(const sim_expression *e, sim_expression_value *look, void *user)
{
    value a = eval(e->left, look, user), b;

    if (e->kind == OR && truth(a))
        return number_value(1);
    if (e->kind == AND && !truth(a))
        return number_value(0);
    b = eval(e->right, look, user);
    if (e->kind == OR || e->kind == AND)
        return number_value(truth(b));
    if (!a.known || !b.known)
        return (value){false, 0, NULL};
    if (e->kind < ADD)
        return compare(e->kind, a, b);
    if (a.text || b.text)
        return (value){false, 0, NULL};
    return number_value(e->kind == ADD        ? a.number + b.number
                        : e->kind == SUBTRACT ? a.number - b.number
                        : e->kind == MULTIPLY ? a.number * b.number
                                              : a.number / b.number);
}

static value eval(const sim_expression *e, sim_expression_value *look, void *user)
{
    value v = {true, e->number, NULL};

    switch (e->kind) {
    case NUMBER:
        return v;
    case TEXT:
        v.text = e->text;
        return v;
    case NAME:
        v.known = look(user, e->text, &v.number, &v.text);
        return v;
    case NOT:
        v = eval(e->left, look, user);
        return v.known ? number_value(!truth(v)) : v;
    case MINUS:
        v = eval(e->left, look, user);
        return v.known && !v.text ? number_value(-v.number) : (value){false, 0, NULL};
    default:
        return binary(e, look, user);
    }
}

bool sim_expression_true(const sim_expression *expression, sim_expression_value *value_of, void *user)
{
    return truth(eval(expression, value_of, user));
}

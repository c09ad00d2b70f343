#include "input/json_tree.h"

static sim_json *add(sim_json_maker *m, sim_json_open *parent, const char *key, sim_json_type type)
{
    sim_json *value = sim_arena_alloc(m->arena, 1, sizeof *value);

    if (!value || m->failed) {
        m->failed = true;
        return &m->spare;
    }
    value->type = type;
    value->line = m->line;
    value->key = key;
    if (parent) {
        *parent->end = value;
        parent->end = &value->next;
        parent->value->count++;
    }
    return value;
}

sim_json_open sim_json_make(sim_json_maker *m, sim_json_open *parent, const char *key, sim_json_type type)
{
    sim_json *value = add(m, parent, key, type);

    return (sim_json_open){value, &value->child};
}

void sim_json_make_int(sim_json_maker *m, sim_json_open *parent, const char *key, int64_t value)
{
    sim_json *number = add(m, parent, key, SIM_JSON_INT);

    number->integer = value;
    number->real = (double)value;
}

void sim_json_make_real(sim_json_maker *m, sim_json_open *parent, const char *key, double value)
{
    add(m, parent, key, SIM_JSON_REAL)->real = value;
}

void sim_json_make_bool(sim_json_maker *m, sim_json_open *parent, const char *key, bool value)
{
    add(m, parent, key, SIM_JSON_BOOL)->boolean = value;
}

void sim_json_make_text(sim_json_maker *m, sim_json_open *parent, const char *key, const char *value)
{
    add(m, parent, key, SIM_JSON_TEXT)->text = value;
    m->failed |= !value;
}

void sim_json_make_copy(sim_json_maker *m, sim_json_open *parent, const char *key, const sim_json *value)
{
    sim_json *copy = add(m, parent, key, value->type), *next = copy->next;

    *copy = *value;
    copy->key = key;
    copy->next = next;
}

/* ---- writing --------------------------------------------------------------------------------------- */

static bool is_flat(const sim_json *value)
{
    for (const sim_json *e = value->child; e; e = e->next)
        if (e->type == SIM_JSON_ARRAY || e->type == SIM_JSON_OBJECT)
            return false;
    return true;
}

static void put(sim_json_writer *w, const char *key, const sim_json *value, bool in_list)
{
    const bool object = value->type == SIM_JSON_OBJECT;

    switch (value->type) {
    case SIM_JSON_NULL:
        sim_json_put_null(w, key);
        break;
    case SIM_JSON_BOOL:
        sim_json_put_bool(w, key, value->boolean);
        break;
    case SIM_JSON_INT:
        sim_json_put_int(w, key, value->integer);
        break;
    case SIM_JSON_REAL:
        sim_json_put_real(w, key, value->real);
        break;
    case SIM_JSON_TEXT:
        sim_json_put_text(w, key, value->text);
        break;
    default:
        sim_json_begin(w, key, object ? '{' : '[', in_list || (!object && is_flat(value)));
        for (const sim_json *e = value->child; e; e = e->next)
            put(w, object ? e->key : NULL, e, !object);
        sim_json_end(w, object ? '}' : ']');
        break;
    }
}

void sim_json_put_tree(sim_json_writer *w, const char *key, const sim_json *value)
{
    put(w, key, value, false);
}

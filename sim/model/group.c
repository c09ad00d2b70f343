#include "model/group.h"

#include "base/hash.h"
#include "base/text.h"

#include <string.h>

/* A name split around its layer index: "layers." 12 ".q_proj"; index -1 when there is none. */
typedef struct split_name {
    int prefix_length;
    int64_t index;
    const char *suffix;
} split_name;

static split_name split(const char *name)
{
    static const char stem[] = "layers.";
    const char *at = strstr(name, stem);
    split_name none = {0, -1, ""};

    if (!at)
        return none;
    at += sizeof stem - 1;
    if (*at < '0' || *at > '9')
        return none;
    none.prefix_length = (int)(at - name);
    none.index = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (none.index > INT64_MAX / 100)
            return (split_name){0, -1, ""};
        none.index = none.index * 10 + (*at - '0');
    }
    none.suffix = at;
    return none;
}

/* A run of consecutive indices. */
typedef struct range {
    int64_t first, last;
    struct range *next;
} range;

/* Everything in a result but name and repeat, to be compared as bytes: reals stand as their bit patterns. */
enum { WHOLE_NUMBERS = 30, REAL_NUMBERS = 13 };

typedef struct numbers {
    int64_t of[WHOLE_NUMBERS + REAL_NUMBERS];
} numbers;

static void numbers_of(const sim_layer_result *r, numbers *out)
{
    const sim_energy *e = &r->energy;
    const sim_mapping *map = &r->mapping;
    const int64_t whole[WHOLE_NUMBERS] = {r->op,
                                          r->m,
                                          r->n,
                                          r->k,
                                          r->batch,
                                          r->w.format,
                                          r->w.bits,
                                          r->a.format,
                                          r->a.bits,
                                          r->kv.format,
                                          r->kv.bits,
                                          r->macs,
                                          r->compute_cycles,
                                          r->memory_cycles,
                                          r->cycles,
                                          r->dram_read_bytes,
                                          r->dram_write_bytes,
                                          r->bound,
                                          r->has_mapping,
                                          map->dataflow,
                                          map->tile_m,
                                          map->tile_n,
                                          map->tile_k,
                                          map->order[0] << 8 | map->order[1],
                                          map->order[2],
                                          r->float_fallback,
                                          r->devices,
                                          r->link_bytes,
                                          r->phase,
                                          r->steps};
    const double real[REAL_NUMBERS] = {r->latency_s,       e->mac_j,
                                       e->register_j,      e->sram_j,
                                       e->dram_j,          e->vector_j,
                                       e->static_j,        r->sram_read_bits,
                                       r->sram_write_bits, r->utilization_frac,
                                       r->dram_bits_bound, r->compulsory_dram_bits,
                                       e->link_j};

    memcpy(out->of, whole, sizeof whole);
    memcpy(out->of + WHOLE_NUMBERS, real, sizeof real);
}

typedef struct group {
    sim_layer_result result; /* with name and repeat of the first member */
    split_name name;
    numbers numbers;
    int64_t repeat;
    range first, *last;
    struct group *next_in_chain;
} group;

static bool same_family(const group *g, const sim_layer_result *r, const split_name *name, const numbers *n)
{
    return g->name.index >= 0 && g->name.prefix_length == name->prefix_length &&
           strncmp(g->result.name, r->name, (size_t)name->prefix_length) == 0 &&
           strcmp(g->name.suffix, name->suffix) == 0 && memcmp(&g->numbers, n, sizeof *n) == 0;
}

static bool add_index(group *g, int64_t index, sim_arena *arena)
{
    range *fresh;

    if (index == g->last->last + 1) {
        g->last->last = index;
        return true;
    }
    fresh = sim_arena_alloc(arena, 1, sizeof *fresh);
    if (!fresh)
        return false;
    fresh->first = fresh->last = index;
    g->last->next = fresh;
    g->last = fresh;
    return true;
}

static const char *group_name(const group *g, sim_arena *arena)
{
    const char *name = g->result.name;
    const char *indices = "";

    if (g->name.index < 0 || (g->first.first == g->first.last && !g->first.next))
        return name;
    for (const range *r = &g->first; r && indices; r = r->next) {
        const char *comma = r == &g->first ? "" : ",";

        indices = r->first == r->last
                      ? sim_arena_printf(arena, "%s%s%lld", indices, comma, (long long)r->first)
                      : sim_arena_printf(arena, "%s%s%lld-%lld", indices, comma, (long long)r->first,
                                         (long long)r->last);
    }
    return indices ? sim_arena_printf(arena, "%.*s%s%s", g->name.prefix_length, name, indices, g->name.suffix)
                   : NULL;
}

enum { CHAINS = 1024 };

sim_status sim_group_layers(const sim_layer_result *results, int64_t count, sim_arena *arena,
                            const sim_layer_result **out, int64_t *out_count, sim_err *err)
{
    group *groups = sim_arena_alloc(arena, (size_t)count, sizeof *groups);
    group **chains = sim_arena_alloc(arena, CHAINS, sizeof(group *));
    sim_layer_result *grouped;
    int64_t used = 0;

    if (!groups || !chains)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < count; i++) {
        split_name name = split(results[i].name);
        group *g = NULL, **chain;
        numbers n;
        uint64_t hash;

        numbers_of(&results[i], &n);
        hash = sim_hash_words(SIM_HASH_START, &n, sizeof n);
        chain = &chains[sim_hash(hash, name.suffix, strlen(name.suffix)) % CHAINS];
        if (name.index >= 0)
            for (g = *chain; g; g = g->next_in_chain)
                if (same_family(g, &results[i], &name, &n))
                    break;
        if (!g) {
            g = &groups[used++];
            memcpy(&g->result, &results[i], sizeof g->result);
            g->name = name;
            g->numbers = n;
            g->first.first = g->first.last = name.index;
            g->last = &g->first;
            g->next_in_chain = *chain;
            *chain = g;
        } else if (!add_index(g, name.index, arena)) {
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        }
        g->repeat += results[i].repeat;
    }

    grouped = sim_arena_alloc(arena, (size_t)used, sizeof *grouped);
    if (!grouped)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < used; i++) {
        memcpy(&grouped[i], &groups[i].result, sizeof grouped[i]);
        grouped[i].repeat = groups[i].repeat;
        grouped[i].name = group_name(&groups[i], arena);
        if (!grouped[i].name)
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    }
    *out = grouped;
    *out_count = used;
    return SIM_OK;
}

/* Policies: the input is read as a uniform policy and as a policy file, and what is accepted keeps its
 * ranges. */
#include "base/text.h"
#include "input/policy.h"

#include <stdlib.h>
#include <string.h>

static void promise(bool kept)
{
    if (!kept)
        abort();
}

/* Bits 0: not given. */
static void check_number(sim_number number, bool required)
{
    promise(number.bits > 0 || !required);
    promise(number.bits >= 0 && number.bits <= 32 && (int)number.format >= 0 &&
            number.format < SIM_FORMAT_COUNT);
    promise(number.format != SIM_FORMAT_INT || number.bits <= 16);
}

static void check_precision(const sim_precision *p, bool required, int least_group)
{
    check_number(p->w, required);
    check_number(p->a, required);
    check_number(p->kv, required);
    promise(p->group >= least_group && p->group <= 65536);
}

static void check_uniform(const char *spec)
{
    sim_precision p;
    char why[64] = "";

    if (sim_policy_parse(spec, &p, why, sizeof why))
        check_precision(&p, true, 0);
    else
        promise(why[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sim_arena arena;
    sim_err err = {0};
    sim_policy policy;
    sim_status status;
    char *spec;

    sim_arena_init(&arena, NULL);
    spec = sim_arena_text(&arena, (const char *)data, size);
    check_uniform(spec);
    status = sim_policy_read((const char *)data, size, "fuzz.json", &arena, &policy, &err);
    promise(status == sim_err_status(&err));
    if (status == SIM_OK) {
        promise(policy.name && policy.file);
        check_precision(&policy.base, policy.overrides_own, 0);
        for (int64_t i = 0; i < policy.rule_count; i++) {
            check_precision(&policy.rules[i].precision, false, -1);
            promise(policy.rules[i].glob && policy.rules[i].glob[0]);
            /* a pattern that is a glob of a name matches it as one with lists too */
            promise(sim_match_name(policy.rules[i].glob, "layers.12.self_attn.q_proj") ||
                    !sim_glob(policy.rules[i].glob, "layers.12.self_attn.q_proj"));
        }
        promise(policy.position_count == 0 || policy.positions);
        for (int64_t i = 0; i < policy.position_count; i++) {
            check_number(policy.positions[i].w, true);
            check_number(policy.positions[i].a, true);
            promise(policy.positions[i].kv.bits == 0 && policy.positions[i].group == 0);
        }
    }
    sim_arena_free(&arena);
    return 0;
}

/* What tells points of a sweep apart. */
#include "model/types.h"

#include <criterion/criterion.h>

/* Whoever adds a field that a cost depends on must add it to sweep_identity.c too, or two workloads would
 * pass for one: then this number is to change with it. */
Test(sweep_identity, knows_all_fields)
{
    cr_expect_eq(sizeof(sim_layer), 488, "sim_layer has %zu bytes: is the new field in sweep_identity.c?",
                 sizeof(sim_layer));
    cr_expect_eq(sizeof(sim_precision), 48, "sim_precision has %zu bytes", sizeof(sim_precision));
}

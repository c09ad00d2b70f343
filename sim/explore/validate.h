/* The validation ledger: each claim is rerun against rows shipped under tests/validation/. */
#ifndef SIM_EXPLORE_VALIDATE_H
#define SIM_EXPLORE_VALIDATE_H

#include "base/arena.h"
#include "base/err.h"

typedef struct sim_ledger_row {
    const char *claim, *target, *result, *source; /* text for people */
    bool met;
} sim_ledger_row;

typedef struct sim_ledger {
    const sim_ledger_row *rows;
    int count;
    bool all_met;
} sim_ledger;

/* Runs the ledger against the data in `folder` (tests/validation) with the arch files of `arch_folder`.
 * A missing or malformed file is an error; a target that is missed is a row that says so. */
sim_status sim_validate(const char *folder, const char *arch_folder, sim_arena *arena, sim_ledger *out,
                        sim_err *err);

#endif

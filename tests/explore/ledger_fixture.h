/* Rows of the validation ledger on shipped and on made-up tables. */
#ifndef TESTS_EXPLORE_LEDGER_FIXTURE_H
#define TESTS_EXPLORE_LEDGER_FIXTURE_H

#include "explore/ledger.h"

/* A check, and what it is run on: the shipped tables, of which `table` is replaced by `text`. */
typedef struct ledger_case {
    sim_ledger_check *check;
    const char *table, *text;
    bool met; /* where there is no error */
} ledger_case;

/* The check meets its target on the shipped tables, and its result begins so. */
void ledger_expect_shipped(sim_ledger_check *check, const char *begins);

/* The check runs, and its row is met or not. */
void ledger_expect_row(const ledger_case *at);

/* The check fails with SIM_BAD_INPUT and says why. */
void ledger_expect_error(const ledger_case *at);

#endif

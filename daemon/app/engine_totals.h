/*
 * Counts of all accounts by state. Each event of an account updates them, so that reading them
 * takes constant time.
 */
#ifndef KEYROTATED_APP_ENGINE_TOTALS_H
#define KEYROTATED_APP_ENGINE_TOTALS_H

#include "app/engine_account.h"

void engine_totals_init(struct engine *engine);
void engine_totals_done(struct engine *engine);

/* Something may have changed for the account, which is configured: counts it anew. Returns when
 * that has to be done again although nothing happens to the account. */
time_ms engine_totals_update(struct engine_account *account);
/* Counts it no longer. */
void engine_totals_forget(struct engine_account *account);

enum { ENGINE_UNWELL_NAMED = 5 };
struct engine_totals {
    size_t accounts;
    size_t by_state[STATE_COUNT];
    size_t watched; /* held by `rotate: false` */
    size_t overdue;
    size_t at_risk;
    time_ms oldest_key_born; /* TIME_NEVER: none known */
    const char *oldest_key_account;
    time_ms next_at; /* TIME_NEVER: none planned */
    const char *next_account;
    size_t unwell; /* blocked, overdue, at risk, retried or held by an operator */
    const struct account *unwell_named[ENGINE_UNWELL_NAMED]; /* some of them, the worst first */
};
void engine_totals(const struct engine *engine, struct engine_totals *totals);

#endif

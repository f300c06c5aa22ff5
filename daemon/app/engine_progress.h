/*
 * For --once: how far a run is.
 */
#ifndef KEYROTATED_APP_ENGINE_PROGRESS_H
#define KEYROTATED_APP_ENGINE_PROGRESS_H

#include "app/engine_account.h"

/* Is anything due or under way still (RETRYING counts), and did something stay undone? */
enum engine_progress { ENGINE_WORKING, ENGINE_DONE, ENGINE_STUCK };
enum engine_progress engine_progress(const struct engine *engine);

/* Logs unfinished accounts: a line for each cause, twenty causes at most. */
void engine_log_undone(struct engine *engine);

#endif

/*
 * The records of accounts that are not configured, kept so that an account that is configured again
 * continues from its record.
 */
#ifndef KEYROTATED_APP_ENGINE_UNCONFIGURED_H
#define KEYROTATED_APP_ENGINE_UNCONFIGURED_H

#include "app/engine_account.h"

/* Both are copied. */
void engine_unconfigured_keep(struct engine *engine, const char *key, const struct record *record);

/* The kept records by key, so that ten thousand accounts are matched without a walk for each. */
struct unconfigured_index {
    struct unconfigured_record **items;
    size_t count;
};
void engine_unconfigured_index_init(struct unconfigured_index *index, struct engine *engine);
/* Takes the record of that key out, or fills in a new one. */
void engine_unconfigured_take(const struct unconfigured_index *index, const char *key,
                              struct record *record);
/* Frees the index, and the records that were taken out. */
void engine_unconfigured_index_done(struct unconfigured_index *index);

/* The wall clock was set by `jump`: shifts the times of all kept records, durably. */
void engine_unconfigured_shift(struct engine *engine, duration_ms jump);

void engine_unconfigured_done(struct engine *engine);

#endif

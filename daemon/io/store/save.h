/*
 * Data that becomes durable together, with copies of all its parts.
 */
#ifndef KEYROTATED_IO_STORE_SAVE_H
#define KEYROTATED_IO_STORE_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "io/store/store.h"

enum save_kind { SAVE_RECORD, SAVE_HISTORY, SAVE_HOLD, SAVE_HOLDS_ENDED, SAVE_PLACES };

/* The texts of account_key and rows, the ids of holds, or places, lie behind it in the same
 * allocation. */
struct save {
    struct list link;
    enum save_kind kind;
    const char *account_key; /* "" when it belongs to no single account */
    struct hold hold;
    const uint64_t *hold_ids;
    size_t hold_id_count;
    const struct place *places;
    size_t place_count;
    struct record record;
    struct history_row rows[STORE_HISTORY_PER_SAVE];
    size_t row_count;
    size_t rows_dropped;      /* number of older rows that were dropped for lack of room */
    int64_t first_history_id; /* 0: none assigned yet; unchanged by further attempts */
    store_saved *saved;
    void *context;
    bool written; /* of the backend */
};

/* All are freed with free(). Of more rows than STORE_HISTORY_PER_SAVE the last ones are kept. */
struct save *save_new_record(const char *account_key, const struct record *record,
                             const struct history_row *rows, size_t row_count);
struct save *save_new_history(const char *account_key, const struct history_row *rows,
                              size_t row_count);
struct save *save_new_hold(const struct hold *hold);
struct save *save_new_holds_ended(const uint64_t *ids, size_t count);
struct save *save_new_places(const struct place *places, size_t count);

/* One save in place of two of the same account, both freed: the newer record, and the history of
 * both. The older one must have no callback. */
struct save *save_merge(struct save *older, struct save *newer);

#endif

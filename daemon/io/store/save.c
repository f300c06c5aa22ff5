#include "io/store/store_ops.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

/* The members of a row that are texts, in order, so that they can be copied in a loop. */
static const size_t row_texts[] = {
    offsetof(struct history_row, event),          offsetof(struct history_row, slot),
    offsetof(struct history_row, target),         offsetof(struct history_row, reason),
    offsetof(struct history_row, trigger),        offsetof(struct history_row, actor),
    offsetof(struct history_row, fingerprint),    offsetof(struct history_row, request_id),
    offsetof(struct history_row, correlation_id), offsetof(struct history_row, text),
};
_Static_assert(sizeof(row_texts) / sizeof(row_texts[0]) == HISTORY_ROW_TEXTS, "a row for each");

const char **history_row_text(struct history_row *row, size_t index)
{
    return (const char **)(void *)((char *)row + row_texts[index]);
}

static size_t texts_size(const char *account_key, const struct history_row *rows, size_t row_count)
{
    size_t size = strlen(account_key) + 1;

    for (size_t i = 0; i < row_count; i++) {
        struct history_row row = rows[i];

        for (size_t t = 0; t < HISTORY_ROW_TEXTS; t++)
            size += *history_row_text(&row, t) ? strlen(*history_row_text(&row, t)) + 1 : 0;
    }
    return size;
}

static const char *keep(char **storage, const char *text)
{
    char *copy = *storage;

    if (!text)
        return NULL;
    *storage = stpcpy(copy, text) + 1;
    return copy;
}

/* One allocation for everything, so that memory can run out in one place only. The process ends
 * then: the caller's decision must either be durable or never take effect, and the restart ensures
 * that. */
static struct save *save_new(enum save_kind kind, const char *account_key,
                             const struct history_row *rows, size_t row_count)
{
    const size_t dropped =
        row_count > STORE_HISTORY_PER_SAVE ? row_count - STORE_HISTORY_PER_SAVE : 0;
    struct save *save;
    char *storage;

    if (dropped > 0)
        rows += dropped;
    row_count -= dropped;
    save = must_alloc(sizeof(*save) + texts_size(account_key, rows, row_count));
    storage = (char *)(save + 1);
    list_init(&save->link);
    save->kind = kind;
    save->account_key = keep(&storage, account_key);
    save->rows_dropped = dropped;
    save->row_count = row_count;
    for (size_t i = 0; i < row_count; i++) {
        save->rows[i] = rows[i];
        for (size_t t = 0; t < HISTORY_ROW_TEXTS; t++)
            *history_row_text(&save->rows[i], t) =
                keep(&storage, *history_row_text(&save->rows[i], t));
    }
    return save;
}

struct save *save_new_record(const char *account_key, const struct record *record,
                             const struct history_row *rows, size_t row_count)
{
    struct save *save = save_new(SAVE_RECORD, account_key, rows, row_count);

    save->record = *record;
    return save;
}

struct save *save_new_history(const char *account_key, const struct history_row *rows,
                              size_t row_count)
{
    return save_new(SAVE_HISTORY, account_key, rows, row_count);
}

struct save *save_new_hold(const struct hold *hold)
{
    struct save *save = save_new(SAVE_HOLD, "", NULL, 0);

    save->hold = *hold;
    return save;
}

struct save *save_new_holds_ended(const uint64_t *ids, size_t count)
{
    struct save *save = must_alloc(sizeof(*save) + count * sizeof(*ids));

    list_init(&save->link);
    save->kind = SAVE_HOLDS_ENDED;
    save->account_key = "";
    save->hold_ids = memcpy(save + 1, ids, count * sizeof(*ids));
    save->hold_id_count = count;
    return save;
}

static size_t place_texts_size(const struct place *places, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += strlen(places[i].account_key) + 1 + strlen(places[i].text) + 1;
    return size;
}

struct save *save_new_places(const struct place *places, size_t count)
{
    struct save *save =
        must_alloc(sizeof(*save) + count * sizeof(*places) + place_texts_size(places, count));
    struct place *copies = (struct place *)(save + 1);
    char *storage = (char *)(copies + count);

    list_init(&save->link);
    save->kind = SAVE_PLACES;
    save->account_key = "";
    for (size_t i = 0; i < count; i++) {
        copies[i] = places[i];
        copies[i].account_key = keep(&storage, places[i].account_key);
        copies[i].text = keep(&storage, places[i].text);
    }
    save->places = copies;
    save->place_count = count;
    return save;
}

/* The texts of a discovery, in order. */
static const size_t discovery_texts[] = {
    offsetof(struct discovery, account_key), offsetof(struct discovery, id),
    offsetof(struct discovery, identity),    offsetof(struct discovery, rule),
    offsetof(struct discovery, location),    offsetof(struct discovery, tags),
};
enum { DISCOVERY_TEXTS = sizeof(discovery_texts) / sizeof(discovery_texts[0]) };

static const char **discovery_text(struct discovery *discovery, size_t index)
{
    return (const char **)(void *)((char *)discovery + discovery_texts[index]);
}

static size_t discovery_texts_size(const struct discovery *discoveries, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        struct discovery discovery = discoveries[i];

        for (size_t t = 0; t < DISCOVERY_TEXTS; t++)
            size += strlen(*discovery_text(&discovery, t)) + 1;
    }
    return size;
}

struct save *save_new_discoveries(const struct discovery *discoveries, size_t count)
{
    struct save *save = must_alloc(sizeof(*save) + count * sizeof(*discoveries) +
                                   discovery_texts_size(discoveries, count));
    struct discovery *copies = (struct discovery *)(save + 1);
    char *storage = (char *)(copies + count);

    list_init(&save->link);
    save->kind = SAVE_DISCOVERIES;
    save->account_key = "";
    for (size_t i = 0; i < count; i++) {
        copies[i] = discoveries[i];
        for (size_t t = 0; t < DISCOVERY_TEXTS; t++)
            *discovery_text(&copies[i], t) = keep(&storage, *discovery_text(&copies[i], t));
    }
    save->discoveries = copies;
    save->discovery_count = count;
    return save;
}

struct save *save_new_operation(const char *account_key, const char *url)
{
    struct save *save =
        must_alloc(sizeof(*save) + strlen(account_key) + 1 + (url ? strlen(url) + 1 : 0));
    char *storage = (char *)(save + 1);

    list_init(&save->link);
    save->kind = SAVE_OPERATION;
    save->account_key = keep(&storage, account_key);
    save->operation_url = keep(&storage, url);
    return save;
}

struct save *save_new_pruning(time_ms before, time_ms now)
{
    struct save *save = must_alloc(sizeof(*save));

    list_init(&save->link);
    save->kind = SAVE_PRUNING;
    save->account_key = "";
    save->prune_before = before;
    save->pruned_at = now;
    return save;
}

struct save *save_merge(struct save *older, struct save *newer)
{
    struct history_row rows[2 * STORE_HISTORY_PER_SAVE];
    struct save *save;

    for (size_t i = 0; i < older->row_count; i++)
        rows[i] = older->rows[i];
    for (size_t i = 0; i < newer->row_count; i++)
        rows[older->row_count + i] = newer->rows[i];
    save = save_new_record(newer->account_key, &newer->record, rows,
                           older->row_count + newer->row_count);
    save->rows_dropped += older->rows_dropped + newer->rows_dropped;
    save->saved = newer->saved;
    save->context = newer->context;
    free(older);
    free(newer);
    return save;
}

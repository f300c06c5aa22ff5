#include "app/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

struct unconfigured_record {
    struct list link; /* in engine->unconfigured */
    char *key;
    struct record record;
};

void engine_unconfigured_keep(struct engine *engine, const char *key, const struct record *record)
{
    struct unconfigured_record *kept = must_alloc(sizeof(*kept));

    kept->key = must_dup(key);
    kept->record = *record;
    list_init(&kept->link);
    list_append(&engine->unconfigured, &kept->link);
}

static void free_kept(struct unconfigured_record *kept)
{
    free(kept->key);
    free(kept);
}

static int compare(const void *a, const void *b)
{
    const struct unconfigured_record *const *left = a;
    const struct unconfigured_record *const *right = b;

    return strcmp((*left)->key, (*right)->key);
}

void engine_unconfigured_index_init(struct unconfigured_index *index, struct engine *engine)
{
    size_t count = 0;

    list_for_each (link, &engine->unconfigured)
        count++;
    index->items = must_alloc_array(count, sizeof(struct unconfigured_record *));
    index->count = 0;
    list_for_each (link, &engine->unconfigured)
        index->items[index->count++] = container_of(link, struct unconfigured_record, link);
    qsort(index->items, count, sizeof(struct unconfigured_record *), compare);
}

void engine_unconfigured_take(const struct unconfigured_index *index, const char *key,
                              struct record *record)
{
    struct unconfigured_record wanted = {.key = (char *)(uintptr_t)key};
    struct unconfigured_record *pointer = &wanted;
    struct unconfigured_record **found = bsearch(&pointer, index->items, index->count,
                                                 sizeof(struct unconfigured_record *), compare);

    record_init(record);
    if (!found)
        return;
    *record = (*found)->record;
    list_remove(&(*found)->link);
}

void engine_unconfigured_index_done(struct unconfigured_index *index)
{
    for (size_t i = 0; i < index->count; i++)
        if (list_empty(&index->items[i]->link))
            free_kept(index->items[i]);
    free(index->items);
}

void engine_unconfigured_shift(struct engine *engine, duration_ms jump)
{
    list_for_each_entry (kept, &engine->unconfigured, struct unconfigured_record, link) {
        rotation_shift_times(&kept->record, jump, loop_now(engine->parts.loop));
        /* Durably, because the account may come back only after a restart. */
        store_save(engine->parts.store, kept->key, &kept->record, NULL, 0, NULL, NULL);
    }
}

void engine_unconfigured_done(struct engine *engine)
{
    struct list *link;

    while ((link = list_pop(&engine->unconfigured)))
        free_kept(container_of(link, struct unconfigured_record, link));
}

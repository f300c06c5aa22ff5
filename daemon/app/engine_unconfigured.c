#include "app/engine_private.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

/* A node of the tree engine->unconfigured: tsearch(3). */
struct unconfigured_record {
    char *key;
    struct record record;
    char *operation_url; /* NULL: there is none */
    bool shifted;        /* its times were, and the save of that may still be under way */
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct unconfigured_record *)a)->key,
                  ((const struct unconfigured_record *)b)->key);
}

void engine_unconfigured_keep(struct engine *engine, const char *key, const struct record *record,
                              const char *operation_url)
{
    struct unconfigured_record *kept = must_alloc(sizeof(*kept));

    kept->key = must_dup(key);
    kept->record = *record;
    kept->operation_url = operation_url ? must_dup(operation_url) : NULL;
    (void)must(tsearch(kept, &engine->unconfigured, compare));
}

static void free_kept(void *node)
{
    struct unconfigured_record *kept = node;

    free(kept->key);
    free(kept->operation_url);
    free(kept);
}

static struct unconfigured_record *find(struct engine *engine, const char *key)
{
    const struct unconfigured_record wanted = {.key = (char *)(uintptr_t)key};
    struct unconfigured_record **found = tfind(&wanted, &engine->unconfigured, compare);

    return found ? *found : NULL;
}

bool engine_unconfigured_operation(struct engine *engine, const char *key, const char *url)
{
    struct unconfigured_record *kept = find(engine, key);
    const struct fingerprint operation = store_fingerprint(engine->parts.store, url, strlen(url));

    if (!kept || kept->operation_url ||
        !fingerprint_equal(&kept->record.intent.operation, &operation))
        return false;
    kept->operation_url = must_dup(url);
    return true;
}

void engine_unconfigured_take(struct engine_account *account)
{
    struct engine *engine = account->engine;
    struct unconfigured_record *kept = find(engine, account->key);

    record_init(&account->record);
    if (!kept)
        return;
    account->record = kept->record;
    account->shifted = kept->shifted;
    account->operation_url = kept->operation_url;
    kept->operation_url = NULL;
    (void)tdelete(kept, &engine->unconfigured, compare);
    free_kept(kept);
}

const struct record *engine_unconfigured_find(const struct engine *engine, const char *key)
{
    const struct unconfigured_record wanted = {.key = (char *)(uintptr_t)key};
    struct unconfigured_record *const *found = tfind(&wanted, &engine->unconfigured, compare);

    return found ? &(*found)->record : NULL;
}

struct each {
    engine_unconfigured_visit *visit;
    void *context;
};

static void visit_one(const void *node, VISIT visit, void *context)
{
    const struct unconfigured_record *kept = *(struct unconfigured_record *const *)node;
    const struct each *each = context;

    if (visit == postorder || visit == leaf)
        each->visit(each->context, kept->key, &kept->record);
}

void engine_unconfigured_each(const struct engine *engine, engine_unconfigured_visit *visit,
                              void *context)
{
    twalk_r(engine->unconfigured, visit_one, &(struct each){visit, context});
}

struct shift {
    struct engine *engine;
    duration_ms jump;
};

static void shift_one(const void *node, VISIT visit, void *context)
{
    struct unconfigured_record *kept = *(struct unconfigured_record *const *)node;
    const struct shift *shift = context;
    const struct engine_parts *parts = &shift->engine->parts;

    if (visit != postorder && visit != leaf)
        return;
    rotation_shift_times(&kept->record, shift->jump, loop_now(parts->loop));
    kept->shifted = true;
    /* Durably, because the account may come back only after a restart. */
    store_save(parts->store, kept->key, &kept->record, NULL, 0, NULL, NULL);
}

void engine_unconfigured_shift(struct engine *engine, duration_ms jump)
{
    twalk_r(engine->unconfigured, shift_one, &(struct shift){engine, jump});
}

void engine_unconfigured_done(struct engine *engine)
{
    tdestroy(engine->unconfigured, free_kept);
    engine->unconfigured = NULL;
}

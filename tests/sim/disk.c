/*
 * The disk: io/store.h over memory. Saves that arrive while a commit is under way go into the next
 * one together. Only what was committed survives a crash; what is being committed at that moment
 * survives whole or not at all.
 */
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { COMMIT_MS = 5, COMMIT_SLOW_MS = 60 * 1000 };

struct save {
    struct list link;
    struct world_account *account;
    struct record record;
    store_saved *saved;
    void *context;
};

struct store {
    struct world *world;
    struct list waiting;
    struct list committing;
    struct list lost; /* of a daemon that is dying */
    struct happening commit;
    time_ms failing_since;
};

static void begin_commit(struct store *store)
{
    struct world *world = store->world;
    struct list *link;
    bool slow = world->disk_slow_until > world->now;

    if (!list_empty(&store->committing) || list_empty(&store->waiting))
        return;
    while ((link = list_pop(&store->waiting)) != NULL)
        list_append(&store->committing, link);
    clock_set(world, &store->commit, world->now + (slow ? COMMIT_SLOW_MS : COMMIT_MS));
}

static void make_durable(struct world *world, struct save *save)
{
    struct world_account *account = save->account;

    oracle_record_durable(world, account, &save->record);
    if (!account->in_journal || account->journal.position != save->record.position)
        trace_tell(world, account, "disk", "has: %s", position_name(save->record.position));
    account->journal = save->record;
    account->in_journal = true;
}

static void make_all_durable(struct store *store)
{
    list_for_each (link, &store->committing)
        make_durable(store->world, container_of(link, struct save, link));
}

/* Is it in the middle of this commit that the daemon dies? Then the commit is kept or lost whole.
 */
static bool is_trapped(struct store *store)
{
    struct world *world = store->world;

    list_for_each (link, &store->committing) {
        daemon_trap(world, container_of(link, struct save, link)->account, EFFECT_SAVE,
                    CRASH_DURING);
        if (world->dying)
            return true;
    }
    return false;
}

static void call_back(struct world *world, struct save *save)
{
    struct world_account *account = save->account;

    if (save->saved)
        save->saved(save->context);
    free(save);
    if (!world->dying)
        daemon_trap(world, account, EFFECT_SAVE, CRASH_AFTER);
}

static void on_commit(struct happening *happening)
{
    struct store *store = container_of(happening, struct store, commit);
    struct world *world = store->world;
    struct list done;
    struct list *link;

    if (world->disk_full_until > world->now) {
        if (store->failing_since == 0)
            store->failing_since = world_wall(world);
        clock_set(world, happening, world->now + MS_SECOND);
        return;
    }
    store->failing_since = 0;
    if (is_trapped(store))
        return; /* disk_crash() decides what becomes of it */
    make_all_durable(store);
    list_init(&done);
    while ((link = list_pop(&store->committing)) != NULL)
        list_append(&done, link);
    while ((link = list_pop(&done)) != NULL)
        call_back(world, container_of(link, struct save, link));
    begin_commit(store);
}

void disk_init(struct world *world)
{
    struct store *store = calloc(1, sizeof(*store));

    if (!store)
        abort();
    store->world = world;
    list_init(&store->waiting);
    list_init(&store->committing);
    list_init(&store->lost);
    store->commit.happen = on_commit;
    store->commit.for_daemon = true;
    world->store = store;
}

void disk_done(struct world *world)
{
    free(world->store);
}

static void lose(struct store *store, struct list *saves)
{
    struct list *link;

    while ((link = list_pop(saves)) != NULL)
        list_append(&store->lost, link);
}

void disk_crash(struct world *world)
{
    struct store *store = world->store;

    clock_cancel(world, &store->commit);
    store->failing_since = 0;
    if (!list_empty(&store->committing) && world->disk_full_until <= world->now &&
        world_draw(world, 2) == 0)
        make_all_durable(store);
    lose(store, &store->committing);
    lose(store, &store->waiting);
}

bool disk_release(struct world *world)
{
    struct list *link = list_pop(&world->store->lost);

    if (!link)
        return false;
    call_back(world, container_of(link, struct save, link));
    return true;
}

bool disk_is_idle(const struct world *world)
{
    return list_empty(&world->store->waiting) && list_empty(&world->store->committing);
}

/* --- what happens to the journal while the daemon is down --- */

void disk_backup(struct world *world)
{
    for (unsigned i = 0; i < world->account_count; i++) {
        world->accounts[i].backup = world->accounts[i].journal;
        world->accounts[i].in_backup = world->accounts[i].in_journal;
    }
}

void disk_restore(struct world *world)
{
    for (unsigned i = 0; i < world->account_count; i++) {
        world->accounts[i].journal = world->accounts[i].backup;
        world->accounts[i].in_journal = world->accounts[i].in_backup;
    }
}

void disk_erase(struct world *world)
{
    for (unsigned i = 0; i < world->account_count; i++)
        world->accounts[i].in_journal = false;
}

/* --- io/store.h --- */

int store_load(struct store *store,
               void (*found)(void *context, const char *account_key, const struct record *record),
               void *context, struct err *err)
{
    struct world *world = store->world;

    (void)err;
    for (unsigned i = 0; i < world->account_count; i++)
        if (world->accounts[i].in_journal)
            found(context, world->accounts[i].id, &world->accounts[i].journal);
    return 0;
}

void store_save(struct store *store, const char *account_key, const struct record *record,
                const struct history_row *rows, size_t row_count, store_saved *saved, void *context)
{
    struct world *world = store->world;
    struct save *save = malloc(sizeof(*save));

    if (!save)
        abort();
    save->account = world_account_of(world, strrchr(account_key, '/') + 1);
    save->record = *record;
    save->saved = saved;
    save->context = context;
    list_init(&save->link);
    if (!world->dying)
        daemon_trap(world, save->account, EFFECT_SAVE, CRASH_BEFORE);
    if (world->dying) {
        list_append(&store->lost, &save->link);
        return;
    }
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].event, "rotation.completed") == 0)
            world->counts.rotations++;
    oracle_record_saved(world, save->account, record, rows, row_count);
    list_append(&store->waiting, &save->link);
    begin_commit(store);
}

time_ms store_failing(const struct store *store, const char **ret_text)
{
    if (ret_text)
        *ret_text = store->failing_since != 0 ? "no space left on device" : NULL;
    return store->failing_since;
}

struct fingerprint store_fingerprint(void *store, const char *key, size_t length)
{
    (void)store;
    return world_fingerprint(world_key_of_text(key, length));
}

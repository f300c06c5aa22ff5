/*
 * The disk: io/store/store.h over memory. Saves that arrive while a commit is under way go into the
 * next one together. Only committed saves survive a crash; the commit under way at that moment
 * survives completely or not at all.
 */
#include <stdlib.h>
#include <string.h>

#include "app/hold_book.h"
#include "base/str.h"
#include "world.h"

enum { COMMIT_MS = 5, COMMIT_SLOW_MS = 60 * 1000 };

enum save_kind { SAVE_RECORD, SAVE_HOLD, SAVE_HOLDS_ENDED, SAVE_FOUND, SAVE_OPERATION };

struct found_change {
    struct world_account *account;
    struct world_found found;
};

struct save {
    struct list link;
    enum save_kind kind;
    struct world_account *account; /* of a hold of all accounts, and of several: the first one */
    struct record record;
    struct hold hold;
    uint64_t *ended;
    size_t ended_count;
    struct found_change *found;
    size_t found_count;
    char url[WORLD_URL_MAX]; /* "": to be forgotten */
    store_saved *saved;
    void *context;
};

struct store {
    struct world *world;
    struct list waiting;
    struct list committing;
    struct list lost; /* of a daemon that is dying */
    struct happening commit, resume;
    time_ms failing_since;
    struct journal_holds {
        struct hold_list list;
        uint64_t last_id;
    } holds, copied_holds; /* durable; in the copy of the journal */
};

/* All that may begin now. Saves of one account keep their order; those of another one may overtake
 * them, as in a journal that several machines share. */
static void take_waiting(struct store *store)
{
    struct world *world = store->world;
    struct list left;
    struct list *link;

    list_init(&left);
    while ((link = list_pop(&store->waiting))) {
        const struct save *save = container_of(link, struct save, link);
        const bool waits = save->account->saves_wait_until > world->now;

        list_append(waits ? &left : &store->committing, link);
        if (waits)
            clock_set(world, &store->resume, save->account->saves_wait_until);
    }
    while ((link = list_pop(&left)))
        list_append(&store->waiting, link);
}

static void begin_commit(struct store *store)
{
    struct world *world = store->world;
    bool slow = world->disk_slow_until > world->now;

    if (!list_empty(&store->committing))
        return;
    take_waiting(store);
    if (list_empty(&store->committing))
        return;
    clock_set(world, &store->commit, world->now + (slow ? COMMIT_SLOW_MS : COMMIT_MS));
}

static void make_holds_durable(struct journal_holds *holds, const struct save *save)
{
    if (save->kind == SAVE_HOLD) {
        if (!hold_book_add(&holds->list, &save->hold))
            abort();
        if (save->hold.id > holds->last_id)
            holds->last_id = save->hold.id;
    }
    for (size_t i = 0; i < save->ended_count; i++)
        (void)hold_book_remove(&holds->list, save->ended[i]);
}

static void save_free(struct save *save)
{
    free(save->ended);
    free(save->found);
    free(save);
}

static void make_durable(struct world *world, struct save *save)
{
    struct world_account *account = save->account;

    for (size_t i = 0; i < save->found_count; i++)
        save->found[i].account->found = save->found[i].found;
    if (save->kind == SAVE_OPERATION) {
        (void)str_copy(account->url, sizeof(account->url), save->url);
        return;
    }
    if (save->kind != SAVE_RECORD) {
        make_holds_durable(&world->store->holds, save);
        return;
    }
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

/* Does the daemon die in the middle of this commit? Then the commit is kept or lost as a whole. */
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
    save_free(save);
    if (world->dying)
        return;
    clock_run_deferred(world); /* the daemon continues */
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
    while ((link = list_pop(&store->committing)))
        list_append(&done, link);
    while ((link = list_pop(&done)))
        call_back(world, container_of(link, struct save, link));
    begin_commit(store);
}

static void on_resume(struct happening *happening)
{
    begin_commit(container_of(happening, struct store, resume));
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
    store->resume.happen = on_resume;
    store->resume.for_daemon = true;
    world->store = store;
}

void disk_done(struct world *world)
{
    hold_book_done(&world->store->holds.list);
    hold_book_done(&world->store->copied_holds.list);
    free(world->store);
}

static void lose(struct store *store, struct list *saves)
{
    struct list *link;

    while ((link = list_pop(saves)))
        list_append(&store->lost, link);
}

void disk_crash(struct world *world)
{
    struct store *store = world->store;

    clock_cancel(world, &store->commit);
    clock_cancel(world, &store->resume);
    store->failing_since = 0;
    if (!list_empty(&store->committing) && world->disk_full_until <= world->now &&
        world_draw(world, 2) == 0)
        make_all_durable(store);
    lose(store, &store->committing);
    lose(store, &store->waiting);
}

void disk_close(struct world *world)
{
    struct store *store = world->store;
    struct list *link;

    clock_cancel(world, &store->commit);
    clock_cancel(world, &store->resume);
    store->failing_since = 0;
    while ((link = list_pop(&store->waiting)))
        list_append(&store->committing, link);
    if (world->disk_full_until <= world->now)
        make_all_durable(store);
    lose(store, &store->committing);
    while ((link = list_pop(&store->lost)))
        save_free(container_of(link, struct save, link));
}

bool disk_release(struct world *world)
{
    struct list *link = list_pop(&world->store->lost);

    if (!link)
        return false;
    call_back(world, container_of(link, struct save, link));
    return true;
}

bool disk_has_hold(const struct world *world, uint64_t id)
{
    return !!hold_list_find(&world->store->holds.list, id);
}

bool disk_is_idle(const struct world *world)
{
    return list_empty(&world->store->waiting) && list_empty(&world->store->committing);
}

/* --- what happens to the journal while the daemon is down --- */

static void copy_holds(struct journal_holds *to, const struct journal_holds *from)
{
    hold_book_done(&to->list);
    to->last_id = from->last_id;
    for (size_t i = 0; i < from->list.count; i++)
        if (!hold_book_add(&to->list, from->list.items[i]))
            abort();
}

void disk_backup(struct world *world)
{
    copy_holds(&world->store->copied_holds, &world->store->holds);
    for (unsigned i = 0; i < world->account_count; i++) {
        world->accounts[i].backup = world->accounts[i].journal;
        world->accounts[i].in_backup = world->accounts[i].in_journal;
        (void)str_copy(world->accounts[i].url_backup, WORLD_URL_MAX, world->accounts[i].url);
        world->accounts[i].found_backup = world->accounts[i].found;
    }
}

void disk_restore(struct world *world)
{
    copy_holds(&world->store->holds, &world->store->copied_holds);
    for (unsigned i = 0; i < world->account_count; i++) {
        world->accounts[i].journal = world->accounts[i].backup;
        world->accounts[i].in_journal = world->accounts[i].in_backup;
        (void)str_copy(world->accounts[i].url, WORLD_URL_MAX, world->accounts[i].url_backup);
        world->accounts[i].found = world->accounts[i].found_backup;
    }
    slow_journal_edited(world);
}

void disk_erase(struct world *world)
{
    hold_book_done(&world->store->holds.list);
    world->store->holds.last_id = 0;
    for (unsigned i = 0; i < world->account_count; i++) {
        world->accounts[i].in_journal = false;
        world->accounts[i].url[0] = '\0';
        world->accounts[i].found.in_book = false;
    }
    slow_journal_edited(world);
}

/* --- io/store/store.h --- */

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

int store_load_holds(struct store *store, void (*found)(void *context, const struct hold *hold),
                     void *context, uint64_t *ret_last_id, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < store->holds.list.count; i++)
        found(context, store->holds.list.items[i]);
    *ret_last_id = store->holds.last_id;
    return 0;
}

/* The disk has one user. */
void store_on_lost(struct store *store, void (*lost)(void *context, const char *account_key),
                   void *context)
{
    (void)store;
    (void)lost;
    (void)context;
}

/* Places are words for people: no rule rests on them. */
int store_load_places(struct store *store, void (*found)(void *context, const struct place *place),
                      void *context, struct err *err)
{
    (void)store;
    (void)found;
    (void)context;
    (void)err;
    return 0;
}

void store_save_places(struct store *store, const struct place *places, size_t count)
{
    (void)store;
    (void)places;
    (void)count;
}

void store_save_history(struct store *store, const char *account_key,
                        const struct history_row *rows, size_t row_count)
{
    (void)store;
    (void)account_key;
    (void)rows;
    (void)row_count;
}

static struct save *save_new(struct store *store, const char *account_key, store_saved *saved,
                             void *context)
{
    struct save *save = calloc(1, sizeof(*save));

    if (!save)
        abort();
    save->account = account_key[0] ? world_account_of(store->world, strrchr(account_key, '/') + 1)
                                   : &store->world->accounts[0];
    save->saved = saved;
    save->context = context;
    list_init(&save->link);
    return save;
}

/* False: the daemon dies before it is handed over. */
static bool survives(struct store *store, struct save *save)
{
    struct world *world = store->world;

    if (!world->dying)
        daemon_trap(world, save->account, EFFECT_SAVE, CRASH_BEFORE);
    if (world->dying)
        list_append(&store->lost, &save->link);
    return !world->dying;
}

static void hand_over(struct store *store, struct save *save)
{
    list_append(&store->waiting, &save->link);
    begin_commit(store);
}

void store_save_hold(struct store *store, const struct hold *hold, store_saved *saved,
                     void *context)
{
    struct save *save = save_new(store, hold->account, saved, context);

    save->kind = SAVE_HOLD;
    save->hold = *hold;
    if (survives(store, save))
        hand_over(store, save);
}

void store_end_holds(struct store *store, const uint64_t *ids, size_t count, store_saved *saved,
                     void *context)
{
    const struct hold *first = hold_list_find(&store->holds.list, ids[0]);
    struct save *save = save_new(store, first ? first->account : "", saved, context);

    save->kind = SAVE_HOLDS_ENDED;
    save->ended = calloc(count, sizeof(*save->ended));
    if (!save->ended)
        abort();
    memcpy(save->ended, ids, count * sizeof(*ids));
    save->ended_count = count;
    if (survives(store, save))
        hand_over(store, save);
}

int store_load_discoveries(struct store *store, store_found_discovery *found, void *context,
                           struct err *err)
{
    struct world *world = store->world;

    (void)err;
    for (unsigned i = 0; i < world->account_count; i++) {
        const struct world_account *account = &world->accounts[i];

        if (account->found.in_book)
            found(context, &(struct discovery){.account_key = account->id,
                                               .id = account->id,
                                               .identity = "vm",
                                               .rule = account->found.rule,
                                               .location = "region",
                                               .tags = account->found.tags});
    }
    return 0;
}

void store_save_discoveries(struct store *store, const struct discovery *discoveries, size_t count,
                            store_saved *saved, void *context)
{
    struct save *save = save_new(store, discoveries[0].account_key, saved, context);

    save->kind = SAVE_FOUND;
    save->found = calloc(count, sizeof(*save->found));
    if (!save->found)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct found_change *change = &save->found[save->found_count++];

        change->account =
            world_account_of(store->world, strrchr(discoveries[i].account_key, '/') + 1);
        change->found.in_book = !discoveries[i].gone;
        if (!str_copy(change->found.rule, sizeof(change->found.rule), discoveries[i].rule) ||
            !str_copy(change->found.tags, sizeof(change->found.tags), discoveries[i].tags))
            abort();
    }
    if (!survives(store, save))
        return;
    oracle_found_saved(store->world, discoveries, count);
    hand_over(store, save);
}

int store_load_operations(struct store *store, store_found_operation *found, void *context,
                          struct err *err)
{
    struct world *world = store->world;

    (void)err;
    for (unsigned i = 0; i < world->account_count; i++)
        if (world->accounts[i].url[0] != '\0')
            found(context, world->accounts[i].id, world->accounts[i].url);
    return 0;
}

void store_save_operation(struct store *store, const char *account_key, const char *url)
{
    struct save *save = save_new(store, account_key, NULL, NULL);

    save->kind = SAVE_OPERATION;
    if (url && !str_copy(save->url, sizeof(save->url), url))
        abort();
    if (survives(store, save))
        hand_over(store, save);
}

void store_save(struct store *store, const char *account_key, const struct record *record,
                const struct history_row *rows, size_t row_count, store_saved *saved, void *context)
{
    struct world *world = store->world;
    struct save *save = save_new(store, account_key, saved, context);

    save->record = *record;
    if (!survives(store, save))
        return;
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].event, "rotation.completed") == 0)
            world->counts.rotations++;
    oracle_record_saved(world, save->account, record, rows, row_count);
    hand_over(store, save);
}

time_ms store_failing(const struct store *store, const char **ret_text)
{
    if (ret_text)
        *ret_text = store->failing_since != 0 ? "no space left on device" : NULL;
    return store->failing_since;
}

struct fingerprint store_fingerprint(void *store, const char *key, size_t length)
{
    const key_number known = world_key_of_text(key, length);
    struct fingerprint of_url = {{0}};

    (void)store;
    if (known != KEY_NONE || length == 0)
        return world_fingerprint(known);
    for (size_t i = 0; i < length; i++)
        of_url.bytes[i % sizeof(of_url.bytes)] ^= (uint8_t)(key[i] + (char)i);
    return of_url;
}

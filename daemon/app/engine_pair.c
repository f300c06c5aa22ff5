#include "app/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "proto/two_key/two_key.h"

/* --- which accounts belong together --- */

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(struct engine_account *const *)a)->key,
                  (*(struct engine_account *const *)b)->key);
}

/* Sorted by keys, the accounts of one resource stand side by side. */
bool engine_pair_share(const char *a, const char *b)
{
    const size_t length = two_key_changed_length(a);

    return two_key_changed_length(b) == length && memcmp(a, b, length) == 0;
}

void engine_pair_link(struct engine *engine)
{
    const size_t most = engine->account_count + engine->leaving;
    struct engine_account **all = must_alloc_array(most + 1, sizeof(struct engine_account *));
    size_t count = engine->account_count;

    if (count > 0)
        memcpy(all, engine->accounts, count * sizeof(struct engine_account *));
    list_for_each_entry (leaving, &engine->leaving_accounts, struct engine_account, leaving_link)
        all[count++] = leaving;
    qsort(all, count, sizeof(struct engine_account *), compare_keys);
    for (size_t i = 0; i < count; i++)
        list_remove(&all[i]->pair_link);
    for (size_t i = 1; i < count; i++)
        if (engine_pair_share(all[i - 1]->key, all[i]->key))
            list_append(&all[i - 1]->pair_link, &all[i]->pair_link);
    free(all);
}

/* --- who holds the resource --- */

/* The busy account is of that type; 0: it is not busy. `about`: for people. */
static void note_busy(struct rotation_context *context, const struct two_key_resource *type,
                      time_ms until, time_ms about)
{
    if (!type || until <= context->pair_busy_until)
        return;
    context->pair_busy = type->pair_busy;
    context->pair_busy_until = until;
    context->pair_busy_about = about;
}

/* `takes`: the longest time that a regenerate of the record's account takes. */
static void note_record(const struct engine_account *account, struct rotation_context *context,
                        const struct two_key_resource *type, const struct record *record,
                        duration_ms takes)
{
    const time_ms until = interlock_busy_until(record, context->timing, takes);

    if (until > loop_now(account->engine->parts.loop))
        note_busy(context, type, until, until);
}

static void note_account(const struct engine_account *account, struct rotation_context *context,
                         const struct engine_account *other)
{
    const struct two_key_resource *type = two_key_resource_find(other->key);

    /* An account that can have no targets does nothing about its intent: time decides. It does
     * where a resource has any number of accounts, too, of which one may be gone, or in doubt. */
    if ((other->pair_held || other->record.intent.open) && !other->account->problem &&
        !(other->account->writes_whole && other->record.intent.open))
        note_busy(context, type, TIME_NEVER,
                  interlock_busy_until(&other->record, context->timing,
                                       other->account->regenerate_takes));
    else
        note_record(account, context, type, &other->record, other->account->regenerate_takes);
}

struct noting {
    const struct engine_account *account;
    struct rotation_context *context;
};

static void note_if_shared(void *context, const char *key, const struct record *record)
{
    const struct noting *noting = context;
    const struct engine_account *account = noting->account;

    if (strcmp(key, account->key) != 0 && engine_pair_share(key, account->key))
        note_record(account, noting->context, two_key_resource_find(key), record,
                    config_regenerate_takes(account->config, key));
}

/* Pairs that are not configured, and that the journal knows. */
static void note_unconfigured_pairs(const struct engine_account *account,
                                    struct rotation_context *context,
                                    const struct two_key_resource *type)
{
    const int length = (int)two_key_resource_length(account->key);
    const struct two_key_resource *other;

    for (size_t i = 0; (other = two_key_pair_at(type, i)); i++) {
        char *key = must(
            i == 0 ? str_format("%.*s", length, account->key)
                   : str_format("%.*s%c%s", length, account->key, TWO_KEY_PAIR_MARK, other->pair));
        const struct record *record =
            other != type ? engine_unconfigured_find(account->engine, key) : NULL;

        if (record)
            note_record(account, context, other, record,
                        config_regenerate_takes(account->config, key));
        free(key);
    }
}

/* The same of the other accounts of a resource, whose names are free. */
static void note_unconfigured(const struct engine_account *account,
                              struct rotation_context *context)
{
    const struct two_key_resource *type =
        account->engine->unconfigured ? two_key_resource_find(account->key) : NULL;

    if (type && type->pair)
        note_unconfigured_pairs(account, context, type);
    else if (type && type->pair_busy)
        engine_unconfigured_each(account->engine, note_if_shared,
                                 &(struct noting){account, context});
}

void engine_pair_describe(const struct engine_account *account, struct rotation_context *context)
{
    context->pair_busy_until = 0;
    list_for_each (link, (struct list *)(uintptr_t)&account->pair_link) {
        const struct engine_account *other = container_of(link, struct engine_account, pair_link);

        /* It may have left, and be back before it was quiet. */
        if (strcmp(other->key, account->key) == 0)
            continue;
        context->shares_resource = true;
        note_account(account, context, other);
    }
    note_unconfigured(account, context);
}

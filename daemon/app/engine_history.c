#include "app/engine_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "conf/resource_id.h"
#include "proto/control_history.h"
#include "proto/two_key/two_key.h"

enum { GROUP_MAX = 96 };

/* A question that waits for the journal. It outlives the engine. */
struct inquiry {
    struct control_request *request;
    time_ms now;
    bool failed; /* only what went wrong */
};

static void write_entry(const struct history_entry *entry, struct buf *out)
{
    const struct history_row *row = &entry->row;
    char name[TWO_KEY_ACCOUNT_NAME_MAX], group[GROUP_MAX] = "";
    struct resource_id parts;

    if (resource_id_parse(entry->account_key, &parts, NULL) == 0)
        (void)snprintf(group, sizeof(group), "%.*s", (int)parts.group_length, parts.group);
    control_history_row(out,
                        &(struct history_snapshot){
                            .number = (uint64_t)entry->id,
                            .at = row->at,
                            .event = row->event,
                            .id = entry->account_key,
                            .name = two_key_account_name(entry->account_key, name, sizeof(name)),
                            .resource_group = str_or_null(group),
                            .cycle = row->cycle,
                            .slot = row->slot,
                            .trigger = row->trigger,
                            .actor = row->actor,
                            .fingerprint = row->fingerprint,
                            .target = row->target,
                            .reason = row->reason,
                            .request_id = row->request_id,
                            .correlation_id = row->correlation_id,
                            .text = row->text,
                            .failed = control_history_is_failure(row->event),
                        });
}

static void on_read(void *context, const struct history_page *page, const struct err *err)
{
    struct inquiry *inquiry = context;
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    control_history_start(&out, inquiry->now);
    for (size_t i = 0; page && i < page->count; i++)
        if (!inquiry->failed || control_history_is_failure(page->entries[i].row.event))
            write_entry(&page->entries[i], &out);
    control_history_end(&out, page ? page->next : 0);
    control_answer_question(inquiry->request, page ? out.failed : -EIO, &out, err);
    free(inquiry);
}

/* The key of the account that was typed; that of one that is no longer configured is its resource
 * id. NULL, with err set: see engine_words_find(). */
static char *find_key(const struct engine *engine, const char *typed, struct err *err)
{
    const struct engine_account *account = engine_words_find(engine, typed, err);
    char *key;

    if (!account && !(err->code == -ENOENT && typed[0] == '/'))
        return NULL;
    key = must_dup(account ? account->key : typed);
    str_lower(key);
    return key;
}

static void refuse(struct control_request *request, int rc, const struct err *err)
{
    struct buf none;

    buf_init(&none, 0);
    control_answer_question(request, rc, &none, err);
}

void engine_history(const struct engine *engine, const struct control_query *query,
                    struct control_request *request)
{
    char *keys[CONTROL_NAMED_MAX] = {NULL};
    struct history_query wanted = {
        .account_keys = keys, .since = query->since, .until = query->until};
    struct inquiry *inquiry;
    struct err err;

    err_clear(&err);
    if (query->after && (!str_to_int64(query->after, &wanted.after) || wanted.after < 0))
        (void)err_set(&err, -EINVAL, "after: the next of the page before was expected");
    while (err.code == 0 && wanted.account_count < query->name_count) {
        char *key = find_key(engine, query->names[wanted.account_count], &err);

        if (!key)
            break;
        err_clear(&err);
        keys[wanted.account_count++] = key;
    }
    if (err.code != 0) {
        refuse(request, err.code, &err);
    } else {
        inquiry = must_alloc(sizeof(*inquiry));
        *inquiry = (struct inquiry){
            .request = request, .now = loop_now(engine->parts.loop), .failed = query->failed};
        store_read_history(engine->parts.store, &wanted, on_read, inquiry);
    }
    for (size_t i = 0; i < wanted.account_count; i++)
        free(keys[i]);
}

#include "app/engine_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "base/must.h"
#include "base/str.h"
#include "conf/resource_id.h"
#include "proto/control_chain.h"
#include "proto/control_history.h"
#include "proto/two_key/two_key.h"

enum { GROUP_MAX = 96 };

/* A question that waits for the journal. It outlives the engine. */
struct inquiry {
    struct control_request *request;
    time_ms now;
    bool failed; /* only what went wrong */
};

/* What the id of an account says. */
struct id_names {
    char name[TWO_KEY_ACCOUNT_NAME_MAX], group[GROUP_MAX];
};

static void name_by_id(const char *id, struct id_names *names)
{
    struct resource_id parts;

    (void)two_key_account_name(id, names->name, sizeof(names->name));
    names->group[0] = '\0';
    if (resource_id_parse(id, &parts, NULL) == 0)
        (void)snprintf(names->group, GROUP_MAX, "%.*s", (int)parts.group_length, parts.group);
}

static void write_entry(const struct history_entry *entry, struct buf *out)
{
    const struct history_row *row = &entry->row;
    struct id_names names;

    name_by_id(entry->account_key, &names);
    control_history_row(out, &(struct history_snapshot){
                                 .number = (uint64_t)entry->id,
                                 .at = row->at,
                                 .event = row->event,
                                 .id = entry->account_key,
                                 .name = names.name,
                                 .resource_group = str_or_null(names.group),
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
                                 .duration = row->duration > 0 ? (uint64_t)row->duration : 0,
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

static bool is_among(char *const *keys, size_t count, const char *key)
{
    size_t i = 0;

    while (i < count && !str_equal(keys[i], key))
        i++;
    return i < count;
}

/* The keys of the accounts that the query names, each once; they are the caller's to free. Returns
 * 0, or an error of engine_words_find(). */
static int find_keys(const struct engine *engine, const struct control_query *query,
                     char *keys[CONTROL_NAMED_MAX], size_t *ret_count, struct err *err)
{
    *ret_count = 0;
    for (size_t i = 0; i < query->name_count; i++) {
        char *key = find_key(engine, query->names[i], err);

        if (!key)
            return err->code;
        if (is_among(keys, *ret_count, key))
            free(key);
        else
            keys[(*ret_count)++] = key;
    }
    err_clear(err);
    return 0;
}

static struct inquiry *inquire(const struct engine *engine, const struct control_query *query,
                               struct control_request *request)
{
    struct inquiry *inquiry = must_alloc(sizeof(*inquiry));

    *inquiry = (struct inquiry){
        .request = request, .now = loop_now(engine->parts.loop), .failed = query->failed};
    return inquiry;
}

void engine_history(const struct engine *engine, const struct control_query *query,
                    struct control_request *request)
{
    char *keys[CONTROL_NAMED_MAX];
    struct history_query wanted = {
        .account_keys = keys, .since = query->since, .until = query->until};
    struct err err;
    int rc = find_keys(engine, query, keys, &wanted.account_count, &err);

    if (rc == 0 && query->after && (!str_to_int64(query->after, &wanted.after) || wanted.after < 0))
        rc = err_set(&err, -EINVAL, "after: the next of the page before was expected");
    if (rc == 0)
        store_read_history(engine->parts.store, &wanted, on_read, inquire(engine, query, request));
    else
        refuse(request, rc, &err);
    for (size_t i = 0; i < wanted.account_count; i++)
        free(keys[i]);
}

/* --- is it whole? --- */

static void write_verdict(const struct history_verdict *verdict, struct buf *out)
{
    char head[2 * SHA256_LENGTH + 1];
    struct id_names names;

    name_by_id(verdict->account_key, &names);
    hex_encode(verdict->head, SHA256_LENGTH, head);
    control_chain_write(out, &(struct chain_snapshot){
                                 .id = verdict->account_key,
                                 .name = names.name,
                                 .resource_group = str_or_null(names.group),
                                 .rows = verdict->rows,
                                 .older = verdict->older,
                                 .head = head,
                                 .fault = history_fault_words(verdict->fault),
                                 .number = (uint64_t)verdict->number,
                             });
}

static void on_checked(void *context, const struct history_verdict *verdicts, size_t count,
                       const char *next, const struct err *err)
{
    struct inquiry *inquiry = context;
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    control_chain_start(&out, inquiry->now);
    for (size_t i = 0; i < count; i++)
        write_verdict(&verdicts[i], &out);
    control_chain_end(&out, next);
    control_answer_question(inquiry->request, verdicts ? out.failed : -EIO, &out, err);
    free(inquiry);
}

void engine_history_chains(const struct engine *engine, const struct control_query *query,
                           struct control_request *request)
{
    char *keys[CONTROL_NAMED_MAX];
    size_t count;
    struct err err;
    int rc = find_keys(engine, query, keys, &count, &err);

    if (rc == 0 && query->until != TIME_NEVER)
        rc = err_set(&err, -EINVAL, "until: all of the history is checked");
    if (rc == 0)
        store_check_history(engine->parts.store, keys, count, query->after, on_checked,
                            inquire(engine, query, request));
    else
        refuse(request, rc, &err);
    for (size_t i = 0; i < count; i++)
        free(keys[i]);
}

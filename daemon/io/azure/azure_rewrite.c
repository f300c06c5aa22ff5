/*
 * Renews a key by rewriting a whole resource (proto/two_key/rewrite.h): GET of the resource, list
 * of all keys, PUT of both together without the key to renew. All three are one attempt, which ends
 * before the PUT where anything is not as the look before it has shown.
 */
#include <errno.h>
#include <string.h>

#include "base/json_path.h"
#include "base/must.h"
#include "base/str.h"
#include "io/azure/azure_call.h"
#include "proto/failure.h"

/* Nothing was sent that changes anything. */
static enum azure_answer refuse(struct azure_call *call, const struct http_reply *reply, int rc,
                                const struct err *err)
{
    char principal[IDENTITY_PRINCIPAL_MAX];
    struct arm_subject subject = azure_subject(call, principal);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    arm_reply_unreadable(reply, &subject, err->text, &call->failure);
    if (rc == -ENOTUNIQ)
        failure_set_remedy(&call->failure,
                           "rename one of the two at the resource (of tags it is \"az resource tag "
                           "--tags\"), or renew the key by hand and run `keyrotatectl check "
                           "{account}`");
    return ANSWER_FAILED;
}

/* Lists may still show what was before its last change. */
static bool is_settled(struct azure_call *call)
{
    const duration_ms left = two_key_unchanged_left(
        &call->account->unchanged, call->account->unchanged_for, call->azure->clock());
    char words[DURATION_TEXT_MAX];

    if (left == 0)
        return true;
    failure_set(&call->failure, REASON_AZURE_ERROR,
                "the resource was changed since it was last looked at, and nothing was sent: for "
                "another %s lists may show keys from before that",
                duration_to_words(left, words));
    failure_set_remedy(&call->failure,
                       "nothing: the rotation goes on when the resource has been unchanged for "
                       "long enough");
    return false;
}

static enum azure_answer read_whole(struct azure_call *call, const struct http_reply *reply)
{
    const char *body = buf_str(&reply->body);
    struct resource_obstacle obstacle = {.reason = REASON_NONE};
    struct err err = {.code = 0};
    struct resource_facts facts;
    int rc = two_key_describe(call->resource, body, reply->body.length, &facts, &obstacle, &err);

    if (facts.etag)
        two_key_unchanged_saw(&call->account->unchanged, facts.etag, facts.is_changing,
                              call->azure->clock());
    resource_facts_done(&facts);
    if (rc == 0 && obstacle.reason != REASON_NONE) {
        failure_set(&call->failure, obstacle.reason, "%s", obstacle.what.text);
        return ANSWER_FAILED;
    }
    if (rc == 0)
        rc = two_key_whole_read(&call->whole, body, reply->body.length, &err);
    if (rc < 0)
        return refuse(call, reply, rc, &err);
    if (!is_settled(call))
        return ANSWER_FAILED;
    call->request = AZURE_LIST_WHOLE;
    return ANSWER_GOES_ON;
}

/* Are both keys of the account those that the last look has shown? */
static bool are_known(const struct azure_call *call, struct secret *const keys[SLOT_COUNT])
{
    const struct azure *azure = call->azure;
    bool known = true;

    for (unsigned slot = 0; slot < SLOT_COUNT && known; slot++) {
        const struct fingerprint live = azure->fingerprint(
            azure->fingerprint_context, secret_bytes(keys[slot]), secret_length(keys[slot]));

        known = fingerprint_equal(&live, &call->account->fingerprints[slot]);
    }
    return known;
}

static enum azure_answer fail_as_changed(struct azure_call *call)
{
    failure_set(&call->failure, REASON_AZURE_ERROR,
                "a key was changed by somebody else since it was last looked at, and nothing was "
                "sent: the keys have to be looked at again first");
    return ANSWER_FAILED;
}

bool azure_rewrite_fits(const struct azure_call *call, const struct http_reply *reply,
                        struct failure *failure)
{
    const struct azure *azure = call->azure;
    struct err err = {.code = 0};
    int rc = 0;

    if (call->resource->rewrite && call->pages_seen > 0)
        rc = err_set(&err, -EMSGSIZE, "the list of its keys comes in pages");
    else if (call->resource->rewrite)
        rc = two_key_neighbours_check(call->resource, call->account->neighbours,
                                      call->account->neighbour_count, buf_str(&reply->body),
                                      reply->body.length, azure->fingerprint,
                                      azure->fingerprint_context, &err);
    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0)
        return true;
    failure_set(failure, REASON_AZURE_ERROR,
                "%s. No key is renewed, because all keys would be written back with it", err.text);
    if (rc == -EMSGSIZE)
        failure_set_remedy(failure,
                           "remove policies that nobody uses until one answer holds the list, or "
                           "renew the key by hand and run `keyrotatectl check {account}`");
    else
        failure_set_remedy(failure,
                           "nothing: it is looked at again; if this persists, let the account of "
                           "that policy see its keys with `keyrotatectl check` (configure it again "
                           "where it is none any more), and find out who renews them");
    return false;
}

static enum azure_answer list_whole(struct azure_call *call, const struct http_reply *reply)
{
    const char *body = buf_str(&reply->body);
    struct secret *keys[SLOT_COUNT];
    struct err err = {.code = 0};
    bool known = false;
    int rc = two_key_read(call->resource, call->subject->id, body, reply->body.length, keys, &err);

    if (rc == 0) {
        known = are_known(call, keys);
        secret_free(keys[SLOT_PRIMARY]);
        secret_free(keys[SLOT_SECONDARY]);
    }
    if (rc == 0 && !known)
        return fail_as_changed(call);
    if (rc == 0 && !azure_rewrite_fits(call, reply, &call->failure))
        return ANSWER_FAILED;
    buf_init(&call->body, TWO_KEY_REWRITE_MAX);
    if (rc == 0)
        rc = two_key_rewrite(call->resource, call->subject->id, call->slot, &call->whole, body,
                             reply->body.length, &call->body, &err);
    if (rc < 0) {
        buf_done(&call->body);
        return refuse(call, reply, rc, &err);
    }
    call->request = AZURE_REGENERATE;
    return ANSWER_GOES_ON;
}

enum azure_answer azure_rewrite_read(struct azure_call *call, const struct http_reply *reply)
{
    return call->request == AZURE_READ_WHOLE ? read_whole(call, reply) : list_whole(call, reply);
}

void azure_rewrite_took_too_long(struct azure_call *call)
{
    failure_set(&call->failure, REASON_AZURE_ERROR,
                "reading what has to be written back took so long that it was not sent: the keys "
                "have to be looked at again first");
    failure_set_remedy(&call->failure,
                       "nothing: it is read again; if this persists, find out why the answers of "
                       "Azure take so long to come");
}

/* The resource in the answer says that the change is over. */
static bool says_that_it_ended(const struct azure_call *call, const struct http_reply *reply)
{
    static const char *const ended[] = {"Succeeded", "Failed", "Canceled", "Cancelled"};
    struct err err = {.code = 0};
    struct json_object *document =
        json_parse_foreign(buf_str(&reply->body), reply->body.length, &err);
    const char *state = NULL;
    bool says = document && json_text_at(document, call->resource->state_path, &state, &err) == 0;

    if (says && state) {
        says = false;
        for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++)
            says = says || str_equal_nocase(state, ended[i]);
    }
    if (document)
        json_free_wiped(document);
    return says;
}

bool azure_rewrite_goes_on(const struct azure_call *call, const struct http_reply *reply)
{
    char url[HTTP_URL_MAX];

    if (!call->resource->rewrite || (reply->status != 200 && reply->status != 201))
        return false;
    return http_reply_header(reply, "Azure-AsyncOperation", url, sizeof(url)) ||
           !says_that_it_ended(call, reply);
}

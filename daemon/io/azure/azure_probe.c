/*
 * Does the data plane accept a key?
 *
 * An answer by itself may say nothing: a network rule refuses like a service that is given a wrong
 * key, and a service that looks at the request first answers a wrong key like a good one. So where
 * a form says that this may be, the request is repeated with a key of which the answer is known.
 */
#include <errno.h>

#include "base/encoding.h"
#include "base/must.h"
#include "base/str.h"
#include "io/azure/azure_call.h"
#include "proto/failure.h"

/* --- the request --- */

const struct two_key_probe_form *azure_probe_form(const struct azure_call *call)
{
    return call->account->probe ? call->account->probe : call->resource->probe;
}

const char *azure_probe_host(const struct azure_call *call)
{
    const struct two_key_probe_form *form = call->resource ? azure_probe_form(call) : NULL;

    return form && form->shared_host != SHARED_HOST_NONE
               ? call->config->cloud.shared_hosts[form->shared_host]
               : call->account->endpoint;
}

/* That of the slot in which the key was last seen; NULL: none, or keys have none. */
static const char *id_of_key(const struct azure_call *call)
{
    const struct azure_account *account = call->account;

    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (account->keys[slot] && secret_equal(account->keys[slot], call->key))
            return account->key_ids[slot];
    return NULL;
}

int azure_probe_build(const struct azure_call *call, struct http_request *request, struct err *err)
{
    const struct two_key_probe_form *form = azure_probe_form(call);
    char name[TWO_KEY_ACCOUNT_NAME_MAX];
    const struct two_key_probe probe = {
        .endpoint = azure_probe_host(call),
        .port = call->account->port,
        .name = two_key_resource_name(call->subject->id, name, sizeof(name)),
        .resource_id = call->subject->id,
        .key = call->key,
        .key_id = id_of_key(call),
        .client_request_id = call->result.client_request_id,
        .now = time_wall(),
    };

    if (!form)
        return err_set(err, -ENOTSUP, "keys of %s cannot be verified", call->resource->noun);
    return form->build(form, request, &probe, err);
}

/* --- the answer --- */

/* Where the other key is accepted, the refusal was of the key. */
static enum azure_answer judge_refusal(struct azure_call *call, bool accepted)
{
    char text[FAILURE_TEXT_MAX];

    if (accepted || call->failure.reason == REASON_SHARED_KEY_DISABLED) {
        call->failure = accepted ? call->refusal : call->failure;
        return ANSWER_FAILED;
    }
    (void)str_copy(text, sizeof(text), call->refusal.text);
    call->refusal.reason = REASON_AZURE_ERROR;
    failure_set_text(&call->refusal,
                     "%s; it did not accept the other key either, so that this says nothing about "
                     "the key",
                     text);
    call->failure = call->refusal;
    return ANSWER_FAILED;
}

/* Where a wrong key is refused, the acceptance was of the key. */
static enum azure_answer judge_acceptance(struct azure_call *call, bool accepted)
{
    if (accepted) {
        failure_set(&call->failure, REASON_AZURE_ERROR,
                    "%s gives a key that cannot be right the same answer as the new one, so that "
                    "this says nothing about the key",
                    azure_probe_form(call)->service);
        failure_set_remedy(&call->failure,
                           "set `verify: off` in the policy \"%s\", for this service tells no good "
                           "key from a wrong one",
                           call->subject->policy_name);
        return ANSWER_FAILED;
    }
    return call->failure.reason == REASON_KEY_REFUSED ? ANSWER_DONE : ANSWER_FAILED;
}

enum azure_answer azure_probe_read(struct azure_call *call, const struct http_reply *reply,
                                   time_ms now)
{
    const struct two_key_probe_form *form = azure_probe_form(call);
    const bool accepted = form->read(form, reply, now, &call->failure);

    switch (call->control) {
    case CONTROL_OTHER_KEY:
        return judge_refusal(call, accepted);
    case CONTROL_WRONG_KEY:
        return judge_acceptance(call, accepted);
    case CONTROL_NONE:
        break;
    }
    if (accepted) {
        failure_init(&call->failure, REASON_NONE);
        return form->acceptance_is_uncertain ? ANSWER_DOUBTFUL : ANSWER_DONE;
    }
    return call->failure.reason == REASON_KEY_REFUSED && !form->refusal_is_certain ? ANSWER_DOUBTFUL
                                                                                   : ANSWER_FAILED;
}

/* --- the same with another key --- */

/* A live key that is not the refused one; NULL: none is known. */
static struct secret *other_key(const struct azure_call *call)
{
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        const struct secret *live = call->account->keys[slot];

        if (live && !secret_equal(live, call->key))
            return must(secret_clone(live));
    }
    return NULL;
}

/* A key of the same form, in which every letter and digit is another. */
static struct secret *wrong_key(const struct secret *key)
{
    struct secret *wrong;
    struct buf text;

    buf_init(&text, KEY_TEXT_MAX);
    for (size_t i = 0; i < secret_length(key); i++) {
        const char c = secret_bytes(key)[i];
        const bool is_last = c == '9' || c == 'z' || c == 'Z';

        (void)buf_append_char(&text, !char_is_alphanumeric(c) ? c
                                     : !is_last               ? (char)(c + 1)
                                     : c == '9'               ? '0'
                                                              : (char)(c - 25));
    }
    if (text.failed == -ENOMEM)
        fault_out_of_memory();
    wrong = must(secret_new(buf_str(&text), text.length));
    buf_done(&text);
    return wrong;
}

bool azure_probe_again(struct azure_call *call)
{
    const bool was_refused = call->failure.reason == REASON_KEY_REFUSED;
    struct secret *key = was_refused ? other_key(call) : wrong_key(call->key);

    if (!key) {
        call->failure.reason = REASON_AZURE_ERROR;
        return false;
    }
    secret_free(call->key);
    call->key = key;
    call->refusal = call->failure;
    call->control = was_refused ? CONTROL_OTHER_KEY : CONTROL_WRONG_KEY;
    return true;
}

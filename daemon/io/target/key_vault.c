/*
 * What stands in a secret is read before anything is written, so that a delivery repeated after a
 * lost answer recognises what it wrote itself. A new version is made only for another key; dates,
 * tags and the content type are corrected in place.
 */
#include "io/target/target_list.h"

#include <errno.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "io/target/key_vault_call.h"
#include "proto/failure.h"

/* --- what all actions share --- */

static struct target_outcome *outcome_of(struct key_vault_job *job)
{
    return &job->http.base.outcome;
}

static void fail_unreadable(struct key_vault_job *job, const struct http_reply *reply,
                            const char *problem)
{
    char principal[IDENTITY_PRINCIPAL_MAX];
    const struct key_vault_subject subject = key_vault_subject_of(job, principal);

    key_vault_reply_unreadable(reply, &subject, problem, &outcome_of(job)->failure);
    key_vault_fail(job);
}

/* Reads the secret of a reply that is a success. Ends the job and returns false when it is
 * unusable, or when somebody has disabled the secret. */
static bool take_secret(struct key_vault_job *job, const struct http_reply *reply,
                        struct key_vault_secret *secret)
{
    char principal[IDENTITY_PRINCIPAL_MAX];
    struct key_vault_subject subject;
    struct err err = {.code = 0};
    int rc = key_vault_secret_read(secret, reply, &err);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc != 0) {
        fail_unreadable(job, reply, err.text);
        return false;
    }
    if (!secret->disabled)
        return true;
    key_vault_secret_done(secret);
    subject = key_vault_subject_of(job, principal);
    key_vault_fail_disabled(&subject, &outcome_of(job)->failure);
    key_vault_fail(job);
    return false;
}

static struct key_vault_content content_of(const struct key_vault_job *job)
{
    const duration_ms expires = job->settings.expires;

    return (struct key_vault_content){
        .key = job->content.key,
        .slot = job->content.slot,
        .cycle = job->content.cycle,
        .resource_id = job->settings.resource_id,
        .content_type = job->settings.content_type,
        .validity_days = job->settings.validity_days,
        .expires = expires > 0 ? time_add(loop_now(job->http.base.world->loop), expires) : 0,
    };
}

static bool expires_soon(const struct key_vault_job *job, const struct key_vault_secret *secret)
{
    return job->settings.expires > 0 &&
           key_vault_expires_soon(secret, loop_now(job->http.base.world->loop),
                                  job->settings.expires);
}

/* Ends the job and returns false when the body could not be made; `rc` is what its maker returned.
 */
static bool check_body(struct key_vault_job *job, int rc)
{
    struct failure *failure = &outcome_of(job)->failure;

    if (rc == 0)
        return true;
    if (rc == -ENOMEM)
        fault_out_of_memory();
    failure_set(failure, REASON_TARGET_FAILED,
                "Key Vault %s: the secret %s has so many tags that those of a rotated key do "
                "not fit beside them (%d are the most)",
                job->vault_name, job->secret_name, KEY_VAULT_TAGS_MAX);
    failure_set_remedy(failure,
                       "remove tags from the secret: `az keyvault secret set-attributes "
                       "--vault-name %s --name %s --tags` with those that are to stay",
                       job->vault_name, job->secret_name);
    key_vault_fail(job);
    return false;
}

/* --- probe --- */

static void on_probed_deleted(struct key_vault_job *job, const struct http_reply *reply)
{
    char principal[IDENTITY_PRINCIPAL_MAX];
    const struct key_vault_subject subject = key_vault_subject_of(job, principal);

    if (key_vault_check(job, reply) && !job->settings.recover_deleted) {
        key_vault_fail_deleted(&subject, &outcome_of(job)->failure);
        key_vault_fail(job);
        return;
    }
    /* Whoever may not look for deleted secrets may still set new ones. */
    key_vault_succeed(job);
}

static void on_probed(struct key_vault_job *job, const struct http_reply *reply)
{
    struct key_vault_secret secret;

    if (key_vault_check(job, reply)) {
        if (take_secret(job, reply, &secret)) {
            key_vault_secret_done(&secret);
            key_vault_succeed(job);
        }
    } else if (key_vault_is_missing(&outcome_of(job)->failure)) {
        key_vault_call(job, KEY_VAULT_GET_DELETED, on_probed_deleted);
    } else {
        key_vault_fail(job);
    }
}

/* --- read --- */

/* The secret's date could not be pushed out. The key can be read all the same. */
static void on_pushed_out(struct key_vault_job *job, const struct http_reply *reply)
{
    struct target_outcome *outcome = outcome_of(job);

    if (!key_vault_check(job, reply)) {
        outcome->form = TARGET_FORM_WRONG;
        (void)str_copy(outcome->form_text, sizeof(outcome->form_text),
                       "its date of expiry is near and cannot be pushed out: ");
        (void)str_copy(outcome->form_text + strlen(outcome->form_text),
                       sizeof(outcome->form_text) - strlen(outcome->form_text),
                       outcome->failure.text);
        (void)str_copy(outcome->form_remedy, sizeof(outcome->form_remedy), outcome->failure.remedy);
    }
    key_vault_succeed(job);
}

/* The date is pushed out while the key stays in use, if the secret is this account's. */
static bool pushes_out(const struct key_vault_job *job, const struct key_vault_secret *secret)
{
    return job->http.base.action == TARGET_ACTION_READ_AND_SET_FORM && expires_soon(job, secret) &&
           key_vault_is_of(secret, job->settings.resource_id) &&
           job->http.base.outcome.kind == SIGHTING_KEYS;
}

static void take_keys(struct key_vault_job *job, const struct key_vault_secret *secret)
{
    struct target_outcome *outcome = outcome_of(job);

    target_note_text(outcome, job->key_shape, secret->value, strlen(secret->value));
    if (outcome->kind == SIGHTING_KEYS)
        outcome->found.cycle = key_vault_cycle(secret, job->settings.resource_id);
}

static void on_read(struct key_vault_job *job, const struct http_reply *reply)
{
    struct key_vault_secret secret;
    bool push_out;

    if (!key_vault_check(job, reply)) {
        if (key_vault_is_missing(&outcome_of(job)->failure)) {
            outcome_of(job)->kind = SIGHTING_EMPTY;
            key_vault_succeed(job);
        } else {
            key_vault_fail(job);
        }
        return;
    }
    if (!take_secret(job, reply, &secret))
        return;
    take_keys(job, &secret);
    push_out = pushes_out(job, &secret);
    (void)str_copy(job->version, sizeof(job->version), secret.version);
    key_vault_secret_done(&secret);
    if (!push_out) {
        key_vault_succeed(job);
        return;
    }
    buf_clear(&job->body);
    if (check_body(job, key_vault_expiry_body(&job->body, content_of(job).expires)))
        key_vault_call(job, KEY_VAULT_UPDATE, on_pushed_out);
}

/* --- deliver --- */

static void on_found(struct key_vault_job *job, const struct http_reply *reply);

static void on_recovered(struct key_vault_job *job, const struct http_reply *reply)
{
    job->recovered = true;
    if (key_vault_check(job, reply))
        key_vault_call(job, KEY_VAULT_GET, on_found);
    else
        key_vault_fail(job);
}

static void on_set(struct key_vault_job *job, const struct http_reply *reply)
{
    struct key_vault_secret secret;

    if (!key_vault_check(job, reply)) {
        if (key_vault_is_deleted(&outcome_of(job)->failure) && job->settings.recover_deleted &&
            !job->recovered) {
            buf_clear(&job->body);
            key_vault_call(job, KEY_VAULT_RECOVER, on_recovered);
        } else {
            key_vault_fail(job);
        }
        return;
    }
    if (!take_secret(job, reply, &secret))
        return;
    if (key_vault_holds_key(&secret, job->content.key)) {
        outcome_of(job)->changed = true;
        key_vault_succeed(job);
    } else {
        fail_unreadable(job, reply, "its `value` is not what was sent");
    }
    key_vault_secret_done(&secret);
}

static void on_updated(struct key_vault_job *job, const struct http_reply *reply)
{
    if (key_vault_check(job, reply))
        key_vault_succeed(job);
    else
        key_vault_fail(job);
}

/* `present`: NULL where there is no secret yet. */
static void set(struct key_vault_job *job, const struct key_vault_secret *present)
{
    const struct key_vault_content content = content_of(job);

    buf_clear(&job->body);
    if (check_body(job, key_vault_set_body(&job->body, &content, present)))
        key_vault_call(job, KEY_VAULT_SET, on_set);
}

/* The readers have the key already: what else is not as it should be is corrected in place. */
static void correct(struct key_vault_job *job, const struct key_vault_secret *present)
{
    struct key_vault_content content = content_of(job);
    const bool soon = expires_soon(job, present);

    if (!soon && key_vault_is_marked(present, &content)) {
        key_vault_succeed(job);
        return;
    }
    if (!soon)
        content.expires = 0;
    (void)str_copy(job->version, sizeof(job->version), present->version);
    buf_clear(&job->body);
    if (check_body(job, key_vault_update_body(&job->body, &content, present)))
        key_vault_call(job, KEY_VAULT_UPDATE, on_updated);
}

static void on_found(struct key_vault_job *job, const struct http_reply *reply)
{
    struct key_vault_secret secret;

    if (!key_vault_check(job, reply)) {
        if (key_vault_is_missing(&outcome_of(job)->failure))
            set(job, NULL);
        else
            key_vault_fail(job);
        return;
    }
    if (!take_secret(job, reply, &secret))
        return;
    if (key_vault_holds_key(&secret, job->content.key))
        correct(job, &secret);
    else
        set(job, &secret);
    key_vault_secret_done(&secret);
}

/* --- the type --- */

static void begin(struct target_job *base)
{
    static key_vault_then *const first[] = {
        [TARGET_ACTION_PROBE] = on_probed,
        [TARGET_ACTION_READ] = on_read,
        [TARGET_ACTION_READ_AND_SET_FORM] = on_read,
        [TARGET_ACTION_DELIVER] = on_found,
    };

    key_vault_call(key_vault_job_of(base), KEY_VAULT_GET, first[base->action]);
}

/* The dates are left out, because readers do not depend on them. */
static void append_form(const struct destination *destination, struct buf *out)
{
    const struct target_key_vault *settings = target_key_vault_of(destination);

    if (settings->content_type)
        buf_append_str(out, settings->content_type);
}

static void start(struct target_world *world, const struct target_request *request)
{
    struct key_vault_job *job = key_vault_job_new(request, begin);

    target_queue_start(world, &job->http.base, request);
}

const struct target_operations target_key_vault_operations = {
    .type = &target_key_vault_type,
    .settles_at_once = false,
    .append_form = append_form,
    .start = start,
};

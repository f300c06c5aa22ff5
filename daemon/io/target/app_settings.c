/*
 * All settings of an app are read, one is changed, and all are written back: there is no other way.
 *
 *   list ---> holds the key: done
 *     |
 *     +----> write ---> accepted (202): describe ... until it is done
 *              |             |
 *              +-------------+---> list again: has somebody else written meanwhile?
 *
 * One operation at a time works on an app, so that our own never write over each other. Another
 * writer is excluded by the ETag, where the list has one. Where it has none, the settings are
 * compared with what was written.
 */
#include "io/target/target_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "conf/target_app_settings.h"
#include "io/target/arm_job.h"
#include "io/target/target_content.h"
#include "io/target/target_place.h"
#include "proto/failure.h"
#include "proto/template.h"

/* A write of a Container App takes a minute or so. */
#define APP_TIMEOUT    (5 * MS_MINUTE)
#define APP_POLL       (2 * MS_SECOND)
#define APP_POLL_LIMIT (30 * MS_SECOND)

enum { RACES_MAX = 3, STATE_MAX = 32, VALUE_MAX = 16 * 1024, NAMES_MAX = 256 };

struct app_job {
    struct arm_job arm;
    enum app_kind kind;
    char *setting;
    char *value; /* the template */
    const struct key_shape *key_shape;
    struct key_file content; /* deliver; its texts and the key belong to the job */

    enum app_operation operation; /* under way */
    struct app_settings before;   /* what was read, and written back */
    struct buf wanted;            /* the value to write */
    unsigned races;               /* that were lost, by the ETag */
    struct timer pause;           /* while an accepted write is carried out; closed after each */
    bool pausing;
};

static struct app_job *job_of(struct arm_job *arm)
{
    return container_of(arm, struct app_job, arm);
}

static struct target_outcome *outcome_of(struct app_job *job)
{
    return &job->arm.http.base.outcome;
}

/* Starts an operation, with the body and the ETag that stand in the job. */
static void start_operation(struct app_job *job, enum app_operation operation, arm_job_then *then)
{
    const struct app_request *request = app_request(job->kind, operation);

    job->operation = operation;
    arm_job_send(&job->arm,
                 &(struct arm_job_request){.method = request->method,
                                           .path = request->path,
                                           .api_version = request->api_version,
                                           .changes = operation == APP_WRITE},
                 then);
}

static void list(struct app_job *job, arm_job_then *then)
{
    buf_clear(&job->arm.body);
    start_operation(job, APP_LIST, then);
}

/* --- life --- */

static void free_job(struct target_job *base)
{
    struct app_job *job = job_of(arm_job_of(base));

    free(base->place);
    free(job->setting);
    free(job->value);
    target_content_done(&job->content);
    app_settings_done(&job->before);
    buf_done(&job->wanted);
    arm_job_done(&job->arm);
    wipe(job, sizeof(*job));
    free(job);
}

static void explain(const struct target_job *base, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    arm_job_explain(base, "azure_app_settings", end, timeout, failure);
}

static void succeed(struct app_job *job)
{
    target_job_end(&job->arm.http.base);
}

/* --- failures --- */

/* `principal` belongs to the caller. */
static struct arm_target_subject subject_of(const struct app_job *job,
                                            char principal[IDENTITY_PRINCIPAL_MAX])
{
    const struct app_request *request = app_request(job->kind, job->operation);

    identity_describe_principal(&job->arm.identity, principal);
    return (struct arm_target_subject){
        .id = job->arm.id,
        .noun = "the app",
        .key = "app",
        .operation = request->operation,
        .action = request->action,
        .role = app_words(job->kind)->role,
        .principal = principal,
        .assignee = identity_assignee(&job->arm.identity),
        .when_in_use = job->kind == APP_SITE ? "A swap of slots that was begun and not ended keeps "
                                               "the settings: end it or reset it"
                                             : "Where it lasts, see the app's activity log",
        .changes = job->operation == APP_WRITE,
    };
}

/* Once something was written, nobody knows what stands there before it has been read again. */
static void fail(struct app_job *job)
{
    if (job->arm.http.base.may_have_acted)
        outcome_of(job)->failure.outcome_unknown = true;
    target_job_fail(&job->arm.http.base);
}

/* Ends the job and returns false unless the reply is a success. */
static bool check(struct app_job *job, const struct http_reply *reply)
{
    char principal[IDENTITY_PRINCIPAL_MAX];
    const struct arm_target_subject subject = subject_of(job, principal);

    if (arm_target_check(reply, &subject, loop_now(job->arm.http.base.world->loop),
                         &outcome_of(job)->failure))
        return true;
    fail(job);
    return false;
}

static void fail_unreadable(struct app_job *job, const struct http_reply *reply,
                            const char *problem)
{
    char principal[IDENTITY_PRINCIPAL_MAX];
    const struct arm_target_subject subject = subject_of(job, principal);

    arm_target_unreadable(reply, &subject, problem, &outcome_of(job)->failure);
    fail(job);
}

/* Reads a list. Ends the job and returns false when it is none. */
static bool take_settings(struct app_job *job, const struct http_reply *reply,
                          struct app_settings *settings)
{
    struct err err = {.code = 0};
    int rc;

    if (!check(job, reply))
        return false;
    rc = app_settings_read(settings, job->kind, buf_str(&reply->body), reply->body.length, &err);
    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc != 0)
        fail_unreadable(job, reply, err.text);
    return rc == 0;
}

static void fail_reference(struct app_job *job)
{
    struct failure *failure = &outcome_of(job)->failure;
    const char *noun = app_words(job->kind)->noun;

    failure_set(failure, REASON_TARGET_FAILED,
                "the %s \"%s\" of %s refers to a secret of Key Vault", noun, job->setting,
                job->arm.id);
    failure_set_remedy(failure,
                       "deliver to that secret by a target of type key_vault in the place of this "
                       "one, or remove the %s from the app",
                       noun);
    fail(job);
}

static void fail_hidden(struct app_job *job, const char *name)
{
    struct failure *failure = &outcome_of(job)->failure;

    failure_set(failure, REASON_TARGET_FAILED,
                "the secret \"%s\" of %s has no value, so that the secrets of the app cannot "
                "be written back",
                name, job->arm.id);
    failure_set_remedy(failure,
                       "give it a value, or remove it: `az containerapp secret list "
                       "--show-values --ids %s` shows them",
                       job->arm.id);
    fail(job);
}

/* Can the setting be written? Otherwise ends the job. */
static bool check_writable(struct app_job *job, const struct app_settings *settings)
{
    const char *hidden = app_settings_hidden(settings, job->setting);
    const char *value;

    if (app_settings_find(settings, job->setting, &value) == APP_SETTING_REFERENCE) {
        fail_reference(job);
        return false;
    }
    if (hidden)
        fail_hidden(job, hidden);
    return !hidden;
}

/* --- probe, read --- */

static void note_keys(struct app_job *job, const struct app_settings *settings)
{
    struct target_outcome *outcome = outcome_of(job);
    const char *value;

    if (app_settings_find(settings, job->setting, &value) == APP_SETTING_VALUE)
        target_note_text(outcome, job->key_shape, value, strlen(value));
    else
        outcome->kind = SIGHTING_EMPTY;
}

static void on_seen(struct arm_job *arm, const struct http_reply *reply)
{
    struct app_job *job = job_of(arm);
    struct app_settings settings;

    if (!take_settings(job, reply, &settings))
        return;
    if (check_writable(job, &settings)) {
        if (arm->http.base.action != TARGET_ACTION_PROBE)
            note_keys(job, &settings);
        succeed(job);
    }
    app_settings_done(&settings);
}

/* --- deliver: after the write --- */

static bool holds_wanted(const struct app_job *job, const struct app_settings *settings)
{
    const char *value;

    return app_settings_find(settings, job->setting, &value) == APP_SETTING_VALUE &&
           str_equal(value, buf_str(&job->wanted));
}

static void fail_overwritten(struct app_job *job)
{
    struct failure *failure = &outcome_of(job)->failure;

    failure_set(failure, REASON_TARGET_FAILED,
                "%s \"%s\" of %s does not hold what was written: somebody else has written "
                "the app's %ss at the same time",
                app_words(job->kind)->noun, job->setting, job->arm.id, app_words(job->kind)->noun);
    failure_set_remedy(failure,
                       "none needed: it is tried again; where it happens again and again, "
                       "let other writers keep this %s",
                       app_words(job->kind)->noun);
    fail(job);
}

static void fail_changed(struct app_job *job, const char *names)
{
    struct failure *failure = &outcome_of(job)->failure;

    failure_set(failure, REASON_TARGET_FAILED,
                "while the %s \"%s\" of %s was written, others became different from what was "
                "written back: %s",
                app_words(job->kind)->noun, job->setting, job->arm.id, names);
    failure_set_remedy(failure,
                       "see whether these have the values that they should have: somebody "
                       "else wrote them at the same time. Delivery goes on by itself");
    fail(job);
}

static void on_verified(struct arm_job *arm, const struct http_reply *reply)
{
    struct app_job *job = job_of(arm);
    struct app_settings after;
    char names[NAMES_MAX];

    if (!take_settings(job, reply, &after))
        return;
    if (!holds_wanted(job, &after)) {
        fail_overwritten(job);
    } else if (app_settings_differ(&job->before, &after, job->setting, names, sizeof(names)) > 0) {
        fail_changed(job, names);
    } else {
        outcome_of(job)->changed = true;
        succeed(job);
    }
    app_settings_done(&after);
}

static void on_described(struct arm_job *arm, const struct http_reply *reply);

static void on_pause_closed(struct timer *timer)
{
    struct app_job *job = container_of(timer, struct app_job, pause);

    job->pausing = false;
    if (job->arm.http.aborted) {
        target_job_end(&job->arm.http.base);
        return;
    }
    buf_clear(&job->arm.body);
    start_operation(job, APP_DESCRIBE, on_described);
}

static void on_pause_over(struct timer *timer)
{
    timer_close(timer, on_pause_closed);
}

static void wait_for_end(struct app_job *job, const struct http_reply *reply)
{
    struct loop *loop = job->arm.http.base.world->loop;
    duration_ms pause = http_reply_retry_after(reply, loop_now(loop));

    if (pause <= 0)
        pause = APP_POLL;
    job->pausing = true;
    timer_init(loop, &job->pause, on_pause_over);
    timer_set_delay(&job->pause, pause < APP_POLL_LIMIT ? pause : APP_POLL_LIMIT);
}

/* While the job pauses, no request is under way. */
static void abort_job(struct target_job *base)
{
    struct app_job *job = job_of(arm_job_of(base));

    if (job->pausing) {
        job->arm.http.aborted = true;
        timer_close(&job->pause, on_pause_closed);
        return;
    }
    target_http_abort(base);
}

static void fail_provisioning(struct app_job *job, const char *state)
{
    struct failure *failure = &outcome_of(job)->failure;

    failure_set(failure, REASON_TARGET_FAILED,
                "the change of %s was accepted and then failed: its "
                "provisioningState is %s",
                job->arm.id, state);
    failure_set_remedy(failure,
                       "see why, `az containerapp show --ids %s --query properties` and its "
                       "activity log; it is tried again",
                       job->arm.id);
    fail(job);
}

static void on_described(struct arm_job *arm, const struct http_reply *reply)
{
    struct app_job *job = job_of(arm);
    struct err err = {.code = 0};
    char state[STATE_MAX];
    int rc;

    if (!check(job, reply))
        return;
    rc = app_state_read(buf_str(&reply->body), reply->body.length, state, sizeof(state), &err);
    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc != 0)
        fail_unreadable(job, reply, err.text);
    else if (str_equal_nocase(state, "InProgress"))
        wait_for_end(job, reply);
    else if (str_equal_nocase(state, "Succeeded") || state[0] == '\0')
        list(job, on_verified);
    else
        fail_provisioning(job, state);
}

static void on_found(struct arm_job *arm, const struct http_reply *reply);

static void on_written(struct arm_job *arm, const struct http_reply *reply)
{
    struct app_job *job = job_of(arm);
    const bool had_etag = arm->etag[0] != '\0';

    arm->etag[0] = '\0';
    if (had_etag && reply->outcome == HTTP_ANSWERED && reply->status == 412 &&
        ++job->races < RACES_MAX) {
        app_settings_done(&job->before);
        list(job, on_found);
        return;
    }
    if (!check(job, reply))
        return;
    arm->http.base.may_have_acted = true; /* until the settings have been read again */
    if (reply->status == 202) {
        wait_for_end(job, reply);
    } else if (had_etag) {
        outcome_of(job)->changed = true;
        succeed(job);
    } else {
        list(job, on_verified);
    }
}

/* --- deliver: up to the write --- */

static void write_all(struct app_job *job)
{
    buf_clear(&job->arm.body);
    if (app_settings_compose(&job->before, job->setting, buf_str(&job->wanted), &job->arm.body) !=
        0) {
        struct failure *failure = &outcome_of(job)->failure;

        if (job->arm.body.failed == -ENOMEM)
            fault_out_of_memory();
        failure_set(failure, REASON_TARGET_FAILED, "the settings of %s are more than %d bytes",
                    job->arm.id, HTTP_BODY_MAX);
        failure_set_remedy(failure, "remove some of them");
        fail(job);
        return;
    }
    start_operation(job, APP_WRITE, on_written);
}

static void on_found(struct arm_job *arm, const struct http_reply *reply)
{
    struct app_job *job = job_of(arm);

    if (!take_settings(job, reply, &job->before) || !check_writable(job, &job->before))
        return;
    if (holds_wanted(job, &job->before)) {
        succeed(job);
        return;
    }
    if (!http_reply_header(reply, "ETag", arm->etag, sizeof(arm->etag)))
        arm->etag[0] = '\0';
    write_all(job);
}

/* --- the type --- */

static void begin(struct target_job *base)
{
    struct app_job *job = job_of(arm_job_of(base));

    list(job, base->action == TARGET_ACTION_DELIVER ? on_found : on_seen);
}

/* Fails the job before it starts when the value cannot be made yet, or at all. */
static void make_value(struct app_job *job, const struct delivery *delivery)
{
    const struct two_key_resource *type = two_key_resource_find(delivery->account->id);
    struct target_outcome *outcome = outcome_of(job);

    buf_init(&job->wanted, VALUE_MAX);
    failure_init(&outcome->failure, REASON_TARGET_FAILED);
    if (!delivery->endpoint && template_needs_endpoint(job->value, type)) {
        target_fail_unknown("azure_app_settings", job->arm.http.base.place, "endpoint",
                            &outcome->failure);
        outcome->failed = true;
    } else if (template_expand(job->value, type, &job->content, &job->wanted) != 0) {
        if (job->wanted.failed == -ENOMEM)
            fault_out_of_memory();
        failure_set_text(&outcome->failure, "azure_app_settings %s: its value is too long",
                         job->arm.http.base.place);
        failure_set_remedy(&outcome->failure, "shorten `value`");
        outcome->failed = true;
    }
}

static void append_form(const struct destination *destination, struct buf *out)
{
    buf_append_str(out, target_app_settings_of(destination)->value);
}

static void start(struct target_world *world, const struct target_request *request)
{
    const struct destination *destination = request->destination;
    const struct target_app_settings *settings = target_app_settings_of(destination);
    struct app_job *job = must_alloc(sizeof(*job));
    struct target_job *base = &job->arm.http.base;

    arm_job_init(&job->arm, destination->identity, settings->app, settings->resource_manager,
                 settings->audience);
    base->place = must_dup(destination->place);
    base->lane_length = strlen(settings->app);
    base->lane_width = 1;
    base->timeout = world->timeout > 0 ? world->timeout : APP_TIMEOUT;
    base->begin = begin;
    base->abort = abort_job;
    base->explain = explain;
    base->free = free_job;
    job->kind = settings->kind;
    job->setting = must_dup(settings->setting);
    job->value = must_dup(settings->value);
    job->key_shape = destination->key_shape;
    if (request->delivery) {
        job->content = target_content_copy(request->delivery);
        make_value(job, request->delivery);
    }
    target_queue_start(world, base, request);
}

const struct target_operations target_app_settings_operations = {
    .type = &target_app_settings_type,
    .settles_at_once = false,
    .append_form = append_form,
    .start = start,
};

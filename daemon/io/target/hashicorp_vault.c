/*
 * The object belongs to this target as a whole. It is written only where its fields differ, so that
 * a delivery repeated after a lost answer finds its own write and changes nothing. Version 2 of the
 * engine compares the version that was read (check-and-set); version 1 cannot, so that the object
 * is read back.
 *
 *   probe:   mount ---> capabilities (---> read, where they leave a doubt)
 *   read:    read
 *   deliver: read ---> write (---> read, after another version or for version 1)
 */
#include "io/target/target_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/json_writer.h"
#include "base/must.h"
#include "base/str.h"
#include "io/target/target_place.h"
#include "io/target/vault_job.h"
#include "io/target/vault_token.h"
#include "proto/failure.h"
#include "proto/template.h"
#include "proto/vault_failure.h"

enum { DATA_MAX = 256 * 1024, TEXT_MAX = 1024 * 1024, CONFLICTS_MAX = 1, TYPE_MAX = 64 };

static struct failure *failure_of(struct vault_job *job)
{
    return &job->http.base.outcome.failure;
}

static time_ms now_of(const struct vault_job *job)
{
    return loop_now(job->http.base.world->loop);
}

/* Fails the job for an answer, or asks for another token and begins the step again. */
static void fail_for(struct vault_job *job, const struct http_reply *reply, enum vault_call call)
{
    const enum vault_trouble trouble = reply->outcome == HTTP_ANSWERED
                                           ? vault_trouble_of(reply, job->object.engine)
                                           : VAULT_TROUBLE_NONE;

    vault_failure_fill(failure_of(job), reply, &job->object, call, now_of(job));
    if (trouble == VAULT_TROUBLE_BAD_TOKEN)
        vault_login_explain_token(failure_of(job), &job->login);
    if (job->wrote)
        failure_of(job)->outcome_unknown = true;
    /* Not every server tells a bad token from a policy that refuses. */
    if ((trouble != VAULT_TROUBLE_DENIED && trouble != VAULT_TROUBLE_BAD_TOKEN) ||
        !vault_token_renew(job))
        vault_job_fail(job);
}

static void read_object(struct vault_job *job,
                        void (*answered)(struct target_http *http, const struct http_reply *reply))
{
    struct http_request request;
    int rc = vault_read_request(&request, &job->object, job->token);

    vault_job_send(job, rc, &request, false, answered);
}

/* False: the job has failed, or begins again. The content is to be given back in any case. */
static bool take_content(struct vault_job *job, const struct http_reply *reply,
                         struct vault_content *content)
{
    int rc = vault_read_answer(content, reply, job->object.engine);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc < 0)
        fail_for(job, reply, VAULT_CALL_READ);
    return rc == 0;
}

/* Does the version delete itself before the next one is planned to be written? */
static bool vanishes(const struct vault_job *job, const struct vault_content *content)
{
    return content->presence == VAULT_PRESENT && content->deletes_at != TIME_NEVER &&
           job->period > 0 && time_between(content->created_at, content->deletes_at) < job->period;
}

/* --- read --- */

/* The cycle that a field names, if there is such a field. */
static uint64_t cycle_in(const struct vault_job *job, struct json_object *data)
{
    for (size_t i = 0; i < job->field_count; i++) {
        const char *text = json_string(data, job->fields[i].name);
        int64_t cycle = 0;

        if (str_equal(job->fields[i].template, "{cycle}") && text && str_to_int64(text, &cycle) &&
            cycle > 0)
            return (uint64_t)cycle;
    }
    return 0;
}

static void note_form(struct vault_job *job, const struct vault_content *content)
{
    struct target_outcome *outcome = &job->http.base.outcome;
    char at[DATE_TEXT_MAX];

    outcome->form = TARGET_FORM_RIGHT;
    if (!vanishes(job, content))
        return;
    outcome->form = TARGET_FORM_WRONG;
    (void)snprintf(outcome->form_text, sizeof(outcome->form_text),
                   "its version %llu deletes itself at %s (delete_version_after), before the next "
                   "rotation",
                   (unsigned long long)content->version, date_to_rfc3339(content->deletes_at, at));
    (void)snprintf(outcome->form_remedy, sizeof(outcome->form_remedy),
                   "run `vault kv metadata put -mount=%s -delete-version-after=0s %s` (or, for the "
                   "whole engine, `vault write %s/config delete_version_after=0s`), then "
                   "`keyrotatectl redeliver {account}`",
                   job->object.mount, job->object.path, job->object.mount);
}

static void find_keys(struct vault_job *job, const struct vault_content *content)
{
    struct target_outcome *outcome = &job->http.base.outcome;
    struct buf text;

    outcome->kind = SIGHTING_EMPTY;
    if (content->presence != VAULT_PRESENT || json_object_object_length(content->data) == 0)
        return;
    buf_init(&text, TEXT_MAX);
    if (vault_content_text(content, &text) == -ENOMEM)
        fault_out_of_memory();
    target_note_text(outcome, job->key_shape, buf_str(&text), text.length);
    buf_done(&text);
    outcome->found.cycle = cycle_in(job, content->data);
    if (outcome->kind == SIGHTING_EMPTY)
        outcome->kind = SIGHTING_FOREIGN; /* it has fields, if none with text */
}

static void on_read(struct target_http *http, const struct http_reply *reply)
{
    struct vault_job *job = vault_job_of(http);
    struct vault_content content;

    if (take_content(job, reply, &content)) {
        find_keys(job, &content);
        note_form(job, &content);
        vault_job_succeed(job);
    }
    vault_content_done(&content);
}

static void read_keys(struct vault_job *job)
{
    read_object(job, on_read);
}

/* --- deliver --- */

static void step_read_before_write(struct vault_job *job);

/* Returns false, and fills the failure, where the field becomes too long. */
static bool expand(struct vault_job *job, const struct vault_field *field, struct buf *out)
{
    int rc = template_expand(field->template, key_file_type(&job->content), &job->content, out);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0)
        return true;
    failure_set(failure_of(job), REASON_TARGET_FAILED, "field %s of %s/%s cannot be filled in: %s",
                field->name, job->object.mount, job->object.path, strerror(-rc));
    failure_set_remedy(failure_of(job), "shorten the field %s in `keys`", field->name);
    return false;
}

/* Does the object consist of exactly our fields, as they are to be written? */
static bool holds_fields(struct vault_job *job, const struct vault_content *content)
{
    bool same = content->presence == VAULT_PRESENT &&
                (size_t)json_object_object_length(content->data) == job->field_count;

    for (size_t i = 0; same && i < job->field_count; i++) {
        struct json_object *value = json_member(content->data, job->fields[i].name);
        struct buf wanted;

        buf_init(&wanted, KEY_FILE_MAX);
        same = json_object_is_type(value, json_type_string) &&
               expand(job, &job->fields[i], &wanted) &&
               (size_t)json_object_get_string_len(value) == wanted.length &&
               memcmp(json_object_get_string(value), buf_str(&wanted), wanted.length) == 0;
        buf_done(&wanted);
    }
    return same;
}

/* Appends the object's text. */
static bool render(struct vault_job *job, struct buf *out)
{
    bool good = true;

    json_write_open(out, NULL, '{');
    for (size_t i = 0; good && i < job->field_count; i++) {
        struct buf value;

        buf_init(&value, KEY_FILE_MAX);
        good = expand(job, &job->fields[i], &value);
        json_write_text(out, job->fields[i].name, buf_str(&value));
        buf_done(&value);
    }
    json_write_close(out, '}');
    return good;
}

static void end_delivered(struct vault_job *job, bool changed)
{
    job->http.base.outcome.changed = changed;
    vault_job_succeed(job);
}

/* Version 1 keeps the last write: what the next read shows is what readers get. */
static void on_written(struct target_http *http, const struct http_reply *reply)
{
    struct vault_job *job = vault_job_of(http);
    const enum vault_engine engine = job->object.engine;
    int rc = vault_write_answer(reply, engine);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0) {
        job->wrote = true;
        if (engine == VAULT_KV2) {
            end_delivered(job, true);
        } else {
            http->base.may_have_acted = true;
            job->step = step_read_before_write;
            step_read_before_write(job);
        }
        return;
    }
    if (reply->outcome == HTTP_ANSWERED && job->conflicts < CONFLICTS_MAX &&
        vault_trouble_of(reply, engine) == VAULT_TROUBLE_OTHER_VERSION) {
        job->conflicts++;
        job->step = step_read_before_write;
        step_read_before_write(job);
        return;
    }
    fail_for(job, reply, VAULT_CALL_WRITE);
}

static void step_write(struct vault_job *job)
{
    struct http_request request;
    struct buf data;
    int rc;

    buf_init(&data, DATA_MAX);
    if (render(job, &data)) {
        rc = vault_write_request(&request, &job->object, job->token, &data, job->version);
        vault_job_send(job, rc == 0 && data.failed != 0 ? data.failed : rc, &request, true,
                       on_written);
    } else {
        vault_job_fail(job);
    }
    buf_done(&data);
}

static void fail_overwritten(struct vault_job *job)
{
    failure_set(failure_of(job), REASON_TARGET_FAILED,
                "%s/%s was overwritten by somebody else right after the write", job->object.mount,
                job->object.path);
    failure_set_remedy(failure_of(job),
                       "find out who else writes it (Vault's audit log names them): the object "
                       "belongs to this target alone");
    vault_job_fail(job);
}

static void on_read_before_write(struct target_http *http, const struct http_reply *reply)
{
    struct vault_job *job = vault_job_of(http);
    struct vault_content content;

    if (take_content(job, reply, &content)) {
        const bool same = holds_fields(job, &content);

        job->version = content.version;
        /* After a conflict the object may hold our own write. Readers got it just now. */
        if (same && (job->wrote || job->conflicts > 0)) {
            end_delivered(job, true);
        } else if (same && !vanishes(job, &content)) {
            end_delivered(job, false);
        } else if (job->wrote) {
            fail_overwritten(job);
        } else {
            job->step = step_write;
            step_write(job);
        }
    }
    vault_content_done(&content);
}

static void step_read_before_write(struct vault_job *job)
{
    read_object(job, on_read_before_write);
}

/* --- probe --- */

/* "read, create and update": what the token lacks. */
static void name_lacking(const struct vault_capabilities *may, char *out, size_t size)
{
    const char *lacking[3];
    size_t count = 0, length = 0;

    if (!may->read)
        lacking[count++] = "read";
    if (!may->create)
        lacking[count++] = "create";
    if (!may->update)
        lacking[count++] = "update";
    out[0] = '\0';
    for (size_t i = 0; i < count && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%s",
                                   i == 0           ? ""
                                   : i + 1 == count ? " or "
                                                    : ", ",
                                   lacking[i]);
}

static void end_probe(struct vault_job *job, const struct vault_capabilities *may)
{
    char lacking[64];

    if (may->read && may->create && may->update) {
        vault_job_succeed(job);
        return;
    }
    name_lacking(may, lacking, sizeof(lacking));
    vault_failure_lacks(failure_of(job), &job->object, lacking);
    vault_job_fail(job);
}

/* `create` matters where nothing was ever written, `update` everywhere else. */
static void on_probe_read(struct target_http *http, const struct http_reply *reply)
{
    struct vault_job *job = vault_job_of(http);
    struct vault_content content;

    if (take_content(job, reply, &content)) {
        if (!job->knows_capabilities)
            job->may = (struct vault_capabilities){.read = true, .create = true, .update = true};
        else if (content.presence == VAULT_ABSENT)
            job->may.update = true;
        else
            job->may.create = true;
        end_probe(job, &job->may);
    }
    vault_content_done(&content);
}

static void step_probe_read(struct vault_job *job)
{
    read_object(job, on_probe_read);
}

static void on_capabilities(struct target_http *http, const struct http_reply *reply)
{
    struct vault_job *job = vault_job_of(http);

    int rc = vault_capabilities_answer(&job->may, reply, &job->object);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    job->knows_capabilities = rc == 0;
    if (!job->knows_capabilities || (job->may.read && job->may.create != job->may.update)) {
        /* A token may be kept from asking about itself: then the read at least is tried. */
        job->step = step_probe_read;
        step_probe_read(job);
        return;
    }
    end_probe(job, &job->may);
}

static void step_capabilities(struct vault_job *job)
{
    struct http_request request;
    int rc = vault_capabilities_request(&request, &job->object, job->token);

    vault_job_send(job, rc, &request, false, on_capabilities);
}

/* Only a clear answer counts: the question is meant for Vault's own pages, and any other trouble
 * shows in the next one. */
static void on_mount(struct target_http *http, const struct http_reply *reply)
{
    struct vault_job *job = vault_job_of(http);
    char type[TYPE_MAX];
    const int version = vault_mount_answer(reply, type, sizeof(type));

    if (version == -ENOMEM)
        fault_out_of_memory();
    if (type[0] != '\0' || (version != 0 && (version == 2) != (job->object.engine == VAULT_KV2))) {
        vault_failure_engine(failure_of(job), &job->object, version, type);
        vault_job_fail(job);
        return;
    }
    if (reply->outcome != HTTP_ANSWERED) {
        fail_for(job, reply, VAULT_CALL_CHECK);
        return;
    }
    job->step = step_capabilities;
    step_capabilities(job);
}

static void step_mount(struct vault_job *job)
{
    struct http_request request;
    int rc = vault_mount_request(&request, &job->object, job->token);

    vault_job_send(job, rc, &request, false, on_mount);
}

/* --- the type --- */

static void begin(struct target_job *base)
{
    static void (*const first_steps[])(struct vault_job *) = {
        [TARGET_ACTION_PROBE] = step_mount,
        [TARGET_ACTION_READ] = read_keys,
        [TARGET_ACTION_READ_AND_SET_FORM] = read_keys,
        [TARGET_ACTION_DELIVER] = step_read_before_write,
    };
    struct vault_job *job = container_of(base, struct vault_job, http.base);

    vault_token_begin(job, first_steps[base->action]);
}

static void abort_job(struct target_job *base)
{
    struct vault_job *job = container_of(base, struct vault_job, http.base);

    if (vault_token_give_up(job))
        target_job_end(base);
    else
        job->abort_request(base);
}

static void append_form(const struct destination *destination, struct buf *out)
{
    const struct target_hashicorp_vault *settings = target_hashicorp_vault_of(destination);

    buf_append_format(out, "%d", (int)settings->object.engine);
    for (size_t i = 0; i < settings->field_count; i++) {
        buf_append(out, "", 1);
        buf_append_str(out, settings->fields[i].name);
        buf_append(out, "", 1);
        buf_append_str(out, settings->fields[i].template);
    }
}

/* Fails the job before it starts when a fact that only Azure knows is missing or invalid. */
static void check_facts(struct vault_job *job, const struct target_request *request)
{
    const struct two_key_resource *type = request->delivery ? key_file_type(&job->content) : NULL;
    struct target_outcome *outcome = &job->http.base.outcome;

    outcome->failed = !target_place_check(request, "a path", "`path`", &outcome->failure);
    for (size_t i = 0;
         type && !request->delivery->endpoint && !outcome->failed && i < job->field_count; i++) {
        if (!template_needs_endpoint(job->fields[i].template, type))
            continue;
        target_fail_unknown("hashicorp_vault", job->http.base.place, "endpoint", &outcome->failure);
        outcome->failed = true;
    }
}

static void start(struct target_world *world, const struct target_request *request)
{
    struct vault_job *job = vault_job_new(request);
    struct target_job *base = &job->http.base;

    job->abort_request = base->abort;
    base->begin = begin;
    base->abort = abort_job;
    check_facts(job, request);
    target_queue_start(world, base, request);
}

const struct target_operations target_hashicorp_vault_operations = {
    .type = &target_hashicorp_vault_type,
    .settles_at_once = false,
    .append_form = append_form,
    .start = start,
};

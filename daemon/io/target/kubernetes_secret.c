/*
 * A Secret is read before it is written: what stands there already is not written again, and the
 * answer shows whether readers get something new. The preflight is the same apply as a dry run.
 *
 *   read      GET
 *   probe     PATCH, dry run
 *   deliver   GET ---> PATCH, unless all is there
 *
 * A refused credential is read anew once, because tokens are replaced in place, and a lost race
 * against another writer is repeated at once.
 */
#include "io/target/target_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/must.h"
#include "base/str.h"
#include "conf/target_kubernetes_secret.h"
#include "io/target/kubernetes_access.h"
#include "io/target/target_content.h"
#include "io/target/target_http.h"
#include "io/target/target_place.h"
#include "proto/failure.h"
#include "proto/kubernetes.h"
#include "proto/template.h"
#include "proto/two_key/two_key.h"

enum { RACES_MAX = 3, EARLIER_MAX = 512 };

struct kubernetes_job {
    struct target_http http; /* its lane is the cluster */
    const struct key_shape *key_shape;
    struct kubernetes_cluster cluster; /* its texts belong to the job */
    struct kubernetes_secret wanted;
    struct kubernetes_reach reach;
    bool applies;   /* the request under way: a PATCH */
    bool read_anew; /* the credential was, after a refusal */
    unsigned races_lost;
    bool held_data; /* deliver: the Secret held the values before */
};

static struct kubernetes_job *job_of(struct target_http *http)
{
    return container_of(http, struct kubernetes_job, http);
}

static void end(struct kubernetes_job *job, bool failed)
{
    job->http.base.outcome.failed = failed;
    target_job_end(&job->http.base);
}

/* --- requests --- */

static void on_got(struct target_http *http, const struct http_reply *reply);
static void on_applied(struct target_http *http, const struct http_reply *reply);

static bool is_dry_run(const struct kubernetes_job *job)
{
    return job->http.base.action == TARGET_ACTION_PROBE;
}

static bool changes(const struct kubernetes_job *job)
{
    return job->applies && !is_dry_run(job);
}

static struct kubernetes_subject subject_of(const struct kubernetes_job *job)
{
    return (struct kubernetes_subject){
        .url = job->reach.url,
        .secret = &job->wanted,
        .applies = job->applies,
        .changes = changes(job),
        .credential_remedy = job->reach.credential_remedy,
        .server_remedy = job->reach.server_remedy,
    };
}

static void move_pem(struct buf *from, struct buf *to)
{
    buf_done(to);
    *to = *from;
    buf_init(from, HTTP_PEM_MAX);
}

/* The request takes over what the connection is made with. */
static void take_reach(struct http_request *request, struct kubernetes_reach *reach)
{
    move_pem(&reach->tls.authorities, &request->tls.authorities);
    move_pem(&reach->tls.certificate, &request->tls.certificate);
    move_pem(&reach->tls.private_key, &request->tls.private_key);
    (void)str_copy(request->tls.server_name, sizeof(request->tls.server_name),
                   reach->tls.server_name);
    request->link_local = reach->direct;
    secret_clear(&reach->token);
}

static void send_reachable(struct kubernetes_job *job)
{
    struct target_outcome *outcome = &job->http.base.outcome;
    const struct kubernetes_access access = {.url = job->reach.url, .token = job->reach.token};
    struct http_request request;
    struct err err = {.code = 0};
    int rc = job->applies
                 ? kubernetes_apply_build(&request, &access, &job->wanted, is_dry_run(job), &err)
                 : kubernetes_get_build(&request, &access, &job->wanted, &err);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc != 0) {
        failure_from_err(&outcome->failure, REASON_TARGET_FAILED, &err);
        failure_set_remedy(&outcome->failure, "%s, and its credential", job->reach.server_remedy);
        end(job, true);
    } else {
        take_reach(&request, &job->reach);
        target_http_send(&job->http, &request, changes(job), job->applies ? on_applied : on_got);
    }
    http_request_done(&request);
}

static void on_read(struct target_http *http, const struct target_reading *reading)
{
    struct kubernetes_job *job = job_of(http);
    struct target_reading *more = target_reading_new(http->base.world);

    switch (kubernetes_reach_take(&job->reach, &job->cluster, reading, more,
                                  &http->base.outcome.failure)) {
    case KUBERNETES_REACHABLE:
        send_reachable(job);
        break;
    case KUBERNETES_NEEDS_MORE:
        target_http_read(http, more, on_read);
        return;
    case KUBERNETES_UNREACHABLE:
        end(job, true);
        break;
    }
    target_reading_free(more);
}

/* The next request; its credential is read before. */
static void send_request(struct kubernetes_job *job)
{
    struct target_reading *reading = target_reading_new(job->http.base.world);

    kubernetes_reach_done(&job->reach);
    if (kubernetes_reach_begin(&job->reach, &job->cluster, reading,
                               &job->http.base.outcome.failure)) {
        target_http_read(&job->http, reading, on_read);
    } else {
        target_reading_free(reading);
        end(job, true);
    }
}

static void apply(struct kubernetes_job *job)
{
    job->applies = true;
    send_request(job);
}

/* Does what a verdict asks for besides success. */
static void settle(struct kubernetes_job *job, enum kubernetes_verdict verdict)
{
    if (verdict == KUBERNETES_CREDENTIAL && !job->read_anew) {
        job->read_anew = true;
        send_request(job);
    } else if (verdict == KUBERNETES_RACE && ++job->races_lost < RACES_MAX) {
        send_request(job);
    } else {
        end(job, true);
    }
}

/* --- answers --- */

static time_ms now_of(const struct kubernetes_job *job)
{
    return loop_now(job->http.base.world->loop);
}

static void note_sighting(struct kubernetes_job *job, const struct kubernetes_sight *sight)
{
    struct target_outcome *outcome = &job->http.base.outcome;

    target_note_text(outcome, job->key_shape, sight->values.data, sight->values.length);
    if (outcome->kind != SIGHTING_EMPTY)
        outcome->found.cycle = sight->cycle;
}

static void on_got(struct target_http *http, const struct http_reply *reply)
{
    struct kubernetes_job *job = job_of(http);
    const struct kubernetes_subject subject = subject_of(job);
    struct kubernetes_sight sight;
    enum kubernetes_verdict verdict =
        kubernetes_get_read(&sight, reply, &subject, now_of(job), &http->base.outcome.failure);

    job->held_data = verdict == KUBERNETES_DONE && sight.holds_data;
    if (verdict != KUBERNETES_DONE) {
        settle(job, verdict);
    } else if (http->base.action != TARGET_ACTION_DELIVER) {
        note_sighting(job, &sight);
        end(job, false);
    } else if (sight.holds_all) {
        end(job, false);
    } else {
        apply(job);
    }
    kubernetes_sight_done(&sight);
}

static void on_applied(struct target_http *http, const struct http_reply *reply)
{
    struct kubernetes_job *job = job_of(http);
    const struct kubernetes_subject subject = subject_of(job);
    enum kubernetes_verdict verdict =
        kubernetes_apply_read(reply, &subject, now_of(job), &http->base.outcome.failure);

    if (verdict != KUBERNETES_DONE) {
        settle(job, verdict);
        return;
    }
    http->base.outcome.changed = !is_dry_run(job) && !job->held_data;
    end(job, false);
}

/* --- the job --- */

static void begin(struct target_job *base)
{
    struct kubernetes_job *job = job_of(target_http_of(base));

    job->applies = is_dry_run(job);
    send_request(job);
}

static void explain(const struct target_job *base, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    char earlier[EARLIER_MAX];
    const struct target_words words = {
        .type = "kubernetes_secret",
        .place = base->place,
        .hangs = "the API server did not answer",
        .earlier = earlier,
    };

    (void)snprintf(earlier, sizeof(earlier), "earlier requests to %.*s have been under way",
                   (int)base->lane_length, base->place);
    target_explain(&words, end, timeout, failure);
    failure_set_remedy(failure,
                       "check the API server: `kubectl get --raw '/readyz?verbose'`. "
                       "Delivery continues as soon as it answers");
}

static void free_job(struct target_job *base)
{
    struct kubernetes_job *job = job_of(target_http_of(base));

    free(base->place);
    free((char *)job->cluster.kubeconfig);
    free((char *)job->cluster.context);
    free((char *)job->cluster.server);
    free((char *)job->cluster.ca_file);
    free((char *)job->cluster.token_file);
    kubernetes_secret_done(&job->wanted);
    kubernetes_reach_done(&job->reach);
    free(job);
}

/* --- what is to be written --- */

static void add_text(struct kubernetes_pairs *pairs, const char *name, const char *text)
{
    struct buf *value = must(kubernetes_add(pairs, name, KUBERNETES_DATA_MAX));

    if (buf_append_str(value, text) != 0)
        fault_out_of_memory();
}

static void add_texts(struct kubernetes_pairs *pairs, const struct kubernetes_setting *settings)
{
    for (; settings->name; settings++)
        add_text(pairs, settings->name, settings->text);
}

/* Without a delivery the values stay empty: only their names are used. */
static bool add_data(struct kubernetes_job *job, const struct kubernetes_setting *settings,
                     const struct delivery *delivery)
{
    struct key_file content = {.account = NULL};
    int rc = 0;

    if (delivery)
        content = target_content_copy(delivery);
    for (; settings->name && rc == 0; settings++) {
        struct buf *value =
            must(kubernetes_add(&job->wanted.data, settings->name, KUBERNETES_DATA_MAX));

        if (delivery)
            rc = template_expand(settings->text, two_key_resource_find(delivery->account->id),
                                 &content, value);
    }
    target_content_done(&content);
    if (rc == -ENOMEM)
        fault_out_of_memory();
    return rc == 0;
}

/* The id of the account: that of the resource, and which of its further pairs it is. */
static void add_resource(struct kubernetes_pairs *annotations, const char *account_id)
{
    const size_t length = two_key_resource_length(account_id);
    struct buf *id =
        must(kubernetes_add(annotations, KUBERNETES_ANNOTATION_ID, KUBERNETES_DATA_MAX));

    if (buf_append(id, account_id, length) != 0)
        fault_out_of_memory();
    if (account_id[length] != '\0')
        add_text(annotations, KUBERNETES_ANNOTATION_PAIR, account_id + length + 1);
}

static void add_annotations(struct kubernetes_job *job, const struct delivery *delivery)
{
    struct kubernetes_pairs *annotations = &job->wanted.annotations;
    char cycle[24] = "0";

    if (delivery)
        (void)snprintf(cycle, sizeof(cycle), "%" PRIu64, delivery->cycle);
    add_resource(annotations, delivery ? delivery->account->id : "");
    add_text(annotations, KUBERNETES_ANNOTATION_SLOT, delivery ? slot_name(delivery->slot) : "");
    add_text(annotations, KUBERNETES_ANNOTATION_CYCLE, cycle);
}

/* "CLUSTER NAMESPACE/NAME" */
static void split_place(struct kubernetes_job *job)
{
    const char *space = job->http.base.place + job->http.base.lane_length + 1;
    const char *slash = strchr(space, '/');

    job->wanted.space = must(str_dup_n(space, (size_t)(slash - space)));
    job->wanted.name = must_dup(slash + 1);
}

static bool needs_endpoint(const struct target_kubernetes_secret *settings,
                           const struct delivery *delivery)
{
    const struct two_key_resource *type = two_key_resource_find(delivery->account->id);

    for (const struct kubernetes_setting *item = settings->data; item->name; item++) {
        if (template_needs_endpoint(item->text, type))
            return true;
    }
    return false;
}

/* Fails the job before it starts when a fact that only Azure knows is missing or invalid. */
static bool check_facts(struct kubernetes_job *job, const struct target_request *request)
{
    const struct target_kubernetes_secret *settings =
        target_kubernetes_secret_of(request->destination);
    const struct delivery *delivery = request->delivery;
    struct target_outcome *outcome = &job->http.base.outcome;

    if (!target_place_check(request, "a name", "`namespace` and `secret_name`", &outcome->failure))
        return false;
    if (!delivery || delivery->endpoint || !needs_endpoint(settings, delivery))
        return true;
    target_fail_unknown("kubernetes_secret", request->destination->place, "endpoint",
                        &outcome->failure);
    return false;
}

static void fill_wanted(struct kubernetes_job *job, const struct target_request *request)
{
    const struct target_kubernetes_secret *settings =
        target_kubernetes_secret_of(request->destination);
    struct target_outcome *outcome = &job->http.base.outcome;

    split_place(job);
    job->wanted.manager = must_dup(settings->field_manager);
    add_texts(&job->wanted.labels, settings->labels);
    add_texts(&job->wanted.annotations, settings->annotations);
    add_annotations(job, request->delivery);
    if (add_data(job, settings->data, request->delivery))
        return;
    failure_set(&outcome->failure, REASON_TARGET_FAILED,
                "kubernetes_secret %s: its values are too long", job->http.base.place);
    failure_set_remedy(&outcome->failure, "shorten the values of the target's `keys`");
    outcome->failed = true;
}

/* --- the type --- */

static void append_settings(const struct kubernetes_setting *settings, struct buf *out)
{
    for (; settings->name; settings++) {
        buf_append(out, settings->name, strlen(settings->name) + 1);
        buf_append(out, settings->text, strlen(settings->text) + 1);
    }
    buf_append_char(out, '\0');
}

/* A label or annotation that was changed has to be written, too. Only a hash of the settings goes
 * into `out`, because they can be long. */
static void append_form(const struct destination *destination, struct buf *out)
{
    const struct target_kubernetes_secret *settings = target_kubernetes_secret_of(destination);
    uint8_t hash[SHA256_LENGTH];
    struct buf form;

    buf_init(&form, KUBERNETES_DATA_MAX);
    append_settings(settings->data, &form);
    append_settings(settings->labels, &form);
    append_settings(settings->annotations, &form);
    buf_append_str(&form, settings->field_manager);
    if (form.failed != 0 || crypto_sha256(form.data, form.length, hash) != 0)
        fault_out_of_memory();
    buf_append(out, hash, sizeof(hash));
    buf_done(&form);
}

static struct kubernetes_cluster copy_cluster(const struct kubernetes_cluster *cluster)
{
    return (struct kubernetes_cluster){
        .kubeconfig = must_dup(cluster->kubeconfig),
        .context = must_dup(cluster->context),
        .server = must_dup(cluster->server),
        .ca_file = must_dup(cluster->ca_file),
        .token_file = must_dup(cluster->token_file),
    };
}

static void start(struct target_world *world, const struct target_request *request)
{
    const struct target_kubernetes_secret *settings =
        target_kubernetes_secret_of(request->destination);
    struct kubernetes_job *job = must_alloc(sizeof(*job));

    target_http_init(&job->http);
    job->http.base.place = target_place(request->destination, request->location);
    job->http.base.lane_length = settings->cluster_length;
    job->http.base.begin = begin;
    job->http.base.explain = explain;
    job->http.base.free = free_job;
    job->key_shape = request->destination->key_shape;
    job->cluster = copy_cluster(&settings->cluster);
    job->http.base.outcome.failed = !check_facts(job, request);
    if (!job->http.base.outcome.failed)
        fill_wanted(job, request);
    target_queue_start(world, &job->http.base, request);
}

const struct target_operations target_kubernetes_secret_operations = {
    .type = &target_kubernetes_secret_type,
    .append_form = append_form,
    .start = start,
};

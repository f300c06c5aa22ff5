#include "faulty.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "arm.h"
#include "arm_error.h"
#include "batch_data.h"
#include "clock.h"
#include "cloud.h"
#include "data_plane.h"
#include "entra.h"
#include "imds.h"
#include "keyvault.h"
#include "memory.h"
#include "operations.h"
#include "record.h"
#include "spoil.h"
#include "wire.h"

#define HANG_MS          3600000
#define DELAY_MS         1000
#define RETRY_AFTER_MS   2000
#define STALE_MS         5000
#define SKEW_S           600
#define AADSTS_TRANSIENT 90033
#define OVERSIZED_BODY   (16 * 1024 * 1024)
#define SLICE_MS         50

static int64_t delay_or(const struct fault *fault, int64_t initial_ms)
{
    return fault->delay_ms >= 0 ? fault->delay_ms : initial_ms;
}

/* The number in "param", or INITIAL. */
static int64_t param_or(const struct fault *fault, int64_t initial)
{
    char *end;
    long long number;

    if (!fault->param)
        return initial;
    number = strtoll(fault->param, &end, 10);
    return end == fault->param || *end != '\0' ? initial : number;
}

/* Lets the face do its work. Called with the lock held. */
static void handle_face(struct sim *sim, const struct http_request *request,
                        struct http_reply *reply)
{
    if (request->body_too_long) {
        arm_error(reply, 413, "RequestContentTooLarge", "The request content is too large.");
        return;
    }
    switch (request->face) {
    case FACE_ENTRA:
        entra_handle(sim, request, reply);
        break;
    case FACE_METADATA:
        cloud_metadata_handle(request, reply);
        break;
    case FACE_ARM:
        arm_handle(sim, request, reply);
        break;
    case FACE_BATCH:
        batch_handle(sim, request, reply);
        break;
    case FACE_DATA:
        data_plane_handle(sim, request, reply);
        break;
    case FACE_KEYVAULT:
        keyvault_handle(sim, request, reply);
        break;
    case FACE_IMDS:
        imds_handle(sim, request, reply);
        break;
    case FACE_NONE:
    case FACE_CONTROL:
    case FACE_COUNT:
        arm_error(reply, 404, "NotFound", "Nothing lives at this path.");
        break;
    }
}

/* Replaces the answer by an error in the shape of the face; its "param" may be an AADSTS number. */
static void reply_error(const struct http_request *request, const struct fault *fault,
                        struct http_reply *reply, int status, const char *code, const char *message)
{
    switch (request->face) {
    case FACE_ENTRA:
        entra_error(reply, status, code, (int)param_or(fault, AADSTS_TRANSIENT), message);
        break;
    case FACE_BATCH:
        batch_error(reply, status, code, message, NULL, NULL);
        break;
    case FACE_DATA:
        data_plane_error(request, reply, status, code, message);
        break;
    case FACE_KEYVAULT:
        keyvault_error(reply, status, code, message, fault->param);
        break;
    case FACE_IMDS:
        imds_error(reply, status, code, message);
        break;
    default:
        if (!http_fields_get(&reply->headers, "x-ms-request-id"))
            arm_add_tracing_headers(request, reply);
        arm_error(reply, status, code, "%s", message);
        break;
    }
}

static void reply_status(const struct http_request *request, const struct fault *fault,
                         struct http_reply *reply)
{
    bool oauth = request->face == FACE_ENTRA || request->face == FACE_IMDS;
    const char *code = oauth ? "temporarily_unavailable" : "InternalServerError";
    int status = fault->status == 0 ? 500 : fault->status;

    reply_error(request, fault, reply, status, fault->code ? fault->code : code,
                fault->message ? fault->message : "A fault that was asked for.");
}

/* Says how long to wait in one of the forms that Azure services use. */
static void reply_throttle(const struct http_request *request, const struct fault *fault,
                           struct http_reply *reply)
{
    const char *form = !fault->param ? "seconds" : fault->param;
    int64_t wait_ms = delay_or(fault, RETRY_AFTER_MS);
    int64_t wait_s = (wait_ms + 999) / 1000;
    char date[CLOCK_TEXT_SIZE];

    reply_error(request, fault, reply, fault->status == 0 ? 429 : fault->status,
                fault->code ? fault->code : "TooManyRequests",
                fault->message ? fault->message : "The number of requests has exceeded the limit.");
    if (strcmp(form, "date") == 0) {
        clock_http_date(clock_wall_us() / CLOCK_US_PER_SECOND + wait_s, date);
        http_reply_header(reply, "Retry-After", "%s", date);
    } else if (strcmp(form, "retry-after-ms") == 0 || strcmp(form, "x-ms-retry-after-ms") == 0) {
        http_reply_header(reply, form, "%" PRId64, wait_ms);
    } else if (strcmp(form, "none") != 0) {
        http_reply_header(reply, "Retry-After", "%" PRId64, wait_s);
    }
}

static void replace_body(struct http_reply *reply, const char *content_type, const char *body)
{
    free(reply->body);
    reply->body = memory_text(body);
    reply->body_length = strlen(body);
    reply->status = 200;
    http_reply_replace_header(reply, "Content-Type", content_type);
}

static void skew_date(const struct fault *fault, struct http_reply *reply)
{
    char date[CLOCK_TEXT_SIZE];

    clock_http_date(clock_wall_us() / CLOCK_US_PER_SECOND + param_or(fault, SKEW_S), date);
    http_reply_replace_header(reply, "Date", date);
}

/* Turns the good answer in REPLY into the one that the fault asks for. */
static void spoil_reply(const struct http_request *request, const struct fault *fault,
                        struct http_reply *reply)
{
    switch (fault->kind) {
    case FAULT_STATUS:
        reply_status(request, fault, reply);
        break;
    case FAULT_THROTTLE:
        reply_throttle(request, fault, reply);
        break;
    case FAULT_GARBAGE:
        replace_body(reply, "text/html",
                     "<html><body>Log in to the \xff\xfe hotel's network</body></html>");
        break;
    case FAULT_WRONG_JSON:
        replace_body(reply, "application/json; charset=utf-8",
                     fault->param ? fault->param : "{\"unexpected\":[1,2,{\"shape\":null}]}");
        if (fault->status != 0)
            reply->status = fault->status;
        break;
    case FAULT_OVERSIZED:
        replace_body(reply, "application/json; charset=utf-8", "");
        break;
    case FAULT_SKEW_DATE:
        skew_date(fault, reply);
        break;
    case FAULT_MEMBER:
        spoil_member(reply, fault->code, fault->param);
        break;
    case FAULT_BOM:
        spoil_bom(reply);
        break;
    case FAULT_GZIP:
        spoil_gzip(reply);
        break;
    case FAULT_REDIRECT:
        spoil_redirect(request, reply, fault->status, fault->param);
        break;
    case FAULT_PAGE:
        spoil_page(reply, fault->status, fault->param);
        break;
    default:
        break;
    }
    for (size_t i = 0; i < fault->headers.count; i++)
        http_reply_replace_header(reply, fault->headers.list[i].name, fault->headers.list[i].value);
}

static void log_request(struct sim *sim, const struct http_request *request,
                        const struct fault *fault, int status)
{
    struct json_object *event = truth_event("request");

    json_add_text(event, "face", http_face_name(request->face));
    json_add_text(event, "op", request->op);
    json_add_text(event, "method", request->method);
    if (request->account)
        json_add_text(event, "account", request->account);
    if (request->item)
        json_add_text(event, "item", request->item);
    json_object_object_add(event, "status", json_object_new_int(status));
    if (request->face == FACE_KEYVAULT) {
        bool bearer = *http_header(request, "Authorization") != '\0';

        json_object_object_add(event, "bearer", json_object_new_boolean(bearer));
        json_object_object_add(event, "body_bytes", json_object_new_uint64(request->body_length));
    }
    if (fault->kind != FAULT_NONE)
        json_add_text(event, "fault", fault_kind_name(fault->kind));
    if (*http_client_request_id(request) != '\0')
        json_add_text(event, "client_request_id", http_client_request_id(request));
    truth_write(sim->truth, event);
}

/* Whether the client gets to see a status at all. */
static bool answers(enum fault_kind kind)
{
    return kind != FAULT_LOST_BEFORE && kind != FAULT_LOST_AFTER && kind != FAULT_HANG &&
           kind != FAULT_HANG_AFTER && kind != FAULT_RESET && kind != FAULT_LATE_EFFECT;
}

/* The effect, the answer, and the line in the truth log. */
static void perform(struct sim *sim, const struct http_request *request, const struct fault *fault,
                    struct http_reply *reply)
{
    char date[CLOCK_TEXT_SIZE];

    pthread_mutex_lock(&sim->lock);
    clock_http_date(clock_wall_us() / CLOCK_US_PER_SECOND, date);
    http_reply_header(reply, "Date", "%s", date);
    operations_settle(sim);
    if (fault->takes_effect)
        handle_face(sim, request, reply);
    spoil_reply(request, fault, reply);
    log_request(sim, request, fault, answers(fault->kind) ? reply->status : 0);
    record_exchange(sim->record, request, reply, answers(fault->kind));
    pthread_mutex_unlock(&sim->lock);
}

static enum MHD_Result send_oversized(struct MHD_Connection *connection, const struct fault *fault,
                                      const struct http_reply *reply)
{
    bool endless = fault->param && strcmp(fault->param, "endless") == 0;
    int64_t size = param_or(fault, OVERSIZED_BODY);

    if (size < 0)
        size = OVERSIZED_BODY;
    return wire_send_oversized(connection, reply, endless ? UINT64_MAX : (uint64_t)size);
}

static unsigned releases_of(struct sim *sim)
{
    unsigned releases;

    pthread_mutex_lock(&sim->lock);
    releases = sim->releases;
    pthread_mutex_unlock(&sim->lock);
    return releases;
}

/* Waits as wire_wait() does, but no longer than until all that waits is let go. BEFORE: how often
 * it was when the request came. */
static enum wire_wait wait_for_release(struct sim *sim, struct MHD_Connection *connection,
                                       int64_t ms, unsigned before)
{
    enum wire_wait waited = WAIT_OVER;

    for (; ms > 0 && waited == WAIT_OVER && releases_of(sim) == before; ms -= SLICE_MS)
        waited = wire_wait(connection, ms < SLICE_MS ? ms : SLICE_MS, sim->stop_fd);
    return waited;
}

/* Ends the exchange in the way of the fault, once the effect (if any) has happened. */
static enum MHD_Result finish(struct sim *sim, struct MHD_Connection *connection,
                              const struct fault *fault, struct http_reply *reply,
                              unsigned releases)
{
    switch (fault->kind) {
    case FAULT_LOST_BEFORE:
    case FAULT_LOST_AFTER:
    case FAULT_LATE_EFFECT:
        return MHD_NO;
    case FAULT_HANG:
    case FAULT_HANG_AFTER:
        wait_for_release(sim, connection, delay_or(fault, HANG_MS), releases);
        return MHD_NO;
    case FAULT_RESET:
        wire_reset(connection);
        return MHD_NO;
    case FAULT_DELAY:
        if (wait_for_release(sim, connection, delay_or(fault, DELAY_MS), releases) != WAIT_OVER)
            return MHD_NO;
        return wire_send(connection, reply);
    case FAULT_TRUNCATE:
        return wire_send_truncated(connection, reply);
    case FAULT_OVERSIZED:
        return send_oversized(connection, fault, reply);
    default:
        return wire_send(connection, reply);
    }
}

/* Prepares what must happen before the effect. Returns false where it must not happen any more. */
static bool prepare(struct sim *sim, struct MHD_Connection *connection,
                    struct http_request *request, const struct fault *fault, int64_t latency_ms)
{
    if (latency_ms > 0 && wire_wait(connection, latency_ms, sim->stop_fd) == WAIT_STOPPED)
        return false;
    if (fault->kind == FAULT_STALE_LIST)
        request->look_back_us = param_or(fault, delay_or(fault, STALE_MS)) * CLOCK_US_PER_MS;
    if (fault->kind != FAULT_LATE_EFFECT)
        return true;
    wire_cut(connection);
    return wire_wait(NULL, delay_or(fault, DELAY_MS), sim->stop_fd) == WAIT_OVER;
}

enum MHD_Result faulty_handle(struct sim *sim, struct MHD_Connection *connection,
                              struct http_request *request)
{
    enum MHD_Result result = MHD_NO;
    struct http_reply reply;
    struct fault fault;
    int64_t latency_ms;
    unsigned releases;

    pthread_mutex_lock(&sim->lock);
    faults_pick(sim->faults, request, &sim->settings, &fault);
    if (fault.kind == FAULT_REDIRECT && spoil_was_redirected(request)) {
        fault_done(&fault);
        fault.takes_effect = true;
    }
    latency_ms = (int64_t)sim->settings.latency_ms;
    releases = sim->releases;
    pthread_mutex_unlock(&sim->lock);
    http_reply_init(&reply);
    reply.status = 200;
    if (prepare(sim, connection, request, &fault, latency_ms)) {
        perform(sim, request, &fault, &reply);
        result = finish(sim, connection, &fault, &reply, releases);
    }
    http_reply_done(&reply);
    fault_done(&fault);
    return result;
}

#include "io/http/http.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/list.h"
#include "base/must.h"
#include "base/str.h"
#include "base/wipe.h"
#include "io/http/http_private.h"

/* After this idle time the multi handle is closed, and with it its connections, which nobody
 * watches while they are idle, and its CA certificates. */
#define IDLE_MAX MS_MINUTE

/* The oldest libcurl that works: 7.87.0 introduced CURLOPT_QUICK_EXIT. */
#define LIBCURL_VERSION_MIN 0x075700U

#define NS_PER_MS 1000000U

struct http {
    struct loop *loop;
    struct http_settings settings;
    struct http_multi *multi; /* takes new requests; NULL: none is open */
    unsigned open_multis;     /* `multi`, and older ones that finish their transfers */
    struct timer idle;
    bool idle_timer_closed;

    struct list calls; /* from http_start() to the end of done() */
    unsigned in_flight;
    struct http_counts counts;
    unsigned call_timers; /* not closed yet */

    bool closing;
    void (*closed)(void *context);
    void *closed_context;
};

enum call_state { CALL_RUNNING, CALL_FINISHED };

struct http_call {
    struct list link;
    struct http *http;
    struct http_multi *multi; /* NULL: the transfer is in no multi handle */
    enum call_state state;
    enum http_service service;
    struct http_exchange exchange;
    struct timer deadline;
    struct deferred delivery;
    uint64_t started_ns;
    http_done *done;
    void *context;
};

/* --- libcurl as a whole --- */

static bool freed_is_wiped;

const char *http_global_gap(void)
{
    return freed_is_wiped ? NULL
                          : "memory that OpenSSL frees is not wiped: a library in this process "
                            "(see LD_PRELOAD) used OpenSSL before the daemon started";
}

static void *must_malloc(size_t size)
{
    return must(malloc(size));
}

static void *must_calloc(size_t count, size_t size)
{
    return must(calloc(count, size));
}

static void *must_wiping_realloc(void *memory, size_t size)
{
    return must(wiping_realloc(memory, size));
}

static char *must_strdup(const char *text)
{
    return must(strdup(text));
}

int http_global_init(struct err *err)
{
    const curl_version_info_data *info;

    /* OpenSSL does TLS. When another library has used OpenSSL while it was loaded, the daemon runs
     * all the same, although freed memory is not wiped. */
    freed_is_wiped = crypto_wipe_freed_memory();
    /* libcurl would write the keys of all TLS sessions to the file named by this variable. */
    (void)unsetenv("SSLKEYLOGFILE");
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, must_malloc, wiping_free, must_wiping_realloc,
                             must_strdup, must_calloc) != CURLE_OK)
        return err_set(err, -EIO, "libcurl cannot be initialised");
    info = curl_version_info(CURLVERSION_NOW);
    if (info->version_num < LIBCURL_VERSION_MIN || !(info->features & CURL_VERSION_SSL) ||
        !(info->features & CURL_VERSION_ASYNCHDNS)) {
        (void)err_set(err, -ENOTSUP,
                      "libcurl %s is too old, or was built without TLS or without resolving names "
                      "in the background",
                      info->version);
        curl_global_cleanup();
        return -ENOTSUP;
    }
    /* CURLOPT_NOSIGNAL leaves SIGPIPE at its default, by which a peer that hangs up would end the
     * process. */
    (void)signal(SIGPIPE, SIG_IGN);
    return 0;
}

void http_global_done(void)
{
    curl_global_cleanup();
}

/* --- settings --- */

static void settings_done(struct http_settings *settings)
{
    free(settings->ca_file);
    free(settings->proxy);
    free(settings->proxy_user);
    sealed_free(settings->proxy_password);
    free(settings->no_proxy);
    free(settings->user_agent);
}

/* Without certificate authorities every request would fail, and look like a network problem. */
static int check_authorities(const struct http_options *options, struct err *err)
{
    CURL *easy = options->ca_file ? NULL : curl_easy_init();
    const char *path = options->ca_file;
    struct err reason = {.code = 0};
    int rc = 0;

    if (easy && curl_easy_getinfo(easy, CURLINFO_CAINFO, &path) != CURLE_OK)
        path = NULL;
    if (path)
        rc = crypto_check_authorities(path, &reason);
    if (rc != 0 && options->ca_file)
        (void)err_set(err, rc, "ca_file: %s", reason.text);
    else if (rc != 0)
        (void)err_set(err, rc,
                      "this machine has no certificate authorities (%s): install the package "
                      "ca-certificates, or name a PEM file of them with ca_file",
                      reason.text);
    curl_easy_cleanup(easy);
    return rc;
}

static int settings_init(struct http_settings *settings, const struct http_options *options,
                         struct err *err)
{
    const int rc = check_authorities(options, err);

    if (rc != 0)
        return rc;
    *settings = (struct http_settings){
        .ca_file = must_dup(options->ca_file),
        .proxy = must_dup(options->proxy ? options->proxy : ""),
        .proxy_user = must_dup(options->proxy_user),
        .proxy_password =
            options->proxy_password ? must(sealed_new(options->proxy_password)) : NULL,
        .no_proxy = must_dup(options->no_proxy ? options->no_proxy : ""),
        .user_agent = must_dup(options->user_agent ? options->user_agent : ""),
    };
    return 0;
}

/* --- the multi handle in use --- */

/* Starts no more requests on the multi handle; it closes after its last transfer. */
static void retire_multi(struct http *http)
{
    struct http_multi *const multi = http->multi;

    http->multi = NULL;
    timer_stop(&http->idle);
    if (multi && http_multi_transfers(multi) == 0)
        http_multi_close(multi);
}

static void on_idle(struct timer *timer)
{
    retire_multi(container_of(timer, struct http, idle));
}

/* Called after a transfer has been removed: starts the idle timer, or closes a retired multi
 * handle. */
static void multi_released(struct http *http, struct http_multi *multi)
{
    if (http_multi_transfers(multi) > 0)
        return;
    if (multi == http->multi)
        timer_set_delay(&http->idle, IDLE_MAX);
    else
        http_multi_close(multi);
}

static void maybe_closed(struct http *http)
{
    void (*closed)(void *);
    void *context;

    if (!http->idle_timer_closed || http->in_flight > 0 || http->call_timers > 0 ||
        http->open_multis > 0)
        return;
    closed = http->closed;
    context = http->closed_context;
    settings_done(&http->settings);
    free(http);
    if (closed)
        closed(context);
}

static void on_multi_closed(void *owner, struct http_multi *multi)
{
    struct http *http = owner;

    (void)multi;
    http->open_multis--;
    maybe_closed(http);
}

/* --- the end of a call --- */

static void on_call_closed(struct timer *timer)
{
    struct http_call *call = container_of(timer, struct http_call, deadline);
    struct http *http = call->http;

    free(call);
    http->call_timers--;
    maybe_closed(http);
}

static void deliver(struct deferred *deferred)
{
    struct http_call *call = container_of(deferred, struct http_call, delivery);
    struct http *http = call->http;

    call->done(call->context, &call->exchange.reply);
    list_remove(&call->link);
    http->in_flight--;
    http_exchange_done(&call->exchange);
    timer_close(&call->deadline, on_call_closed);
}

static int send_exchange(struct http_call *call, struct err *err);

static void finish(struct http_call *call)
{
    call->state = CALL_FINISHED;
    call->exchange.reply.duration = (duration_ms)((uv_hrtime() - call->started_ns) / NS_PER_MS);
    http_counts_add(&call->http->counts, call->service, &call->exchange.reply);
    timer_stop(&call->deadline);
    loop_defer(call->http->loop, &call->delivery);
}

static void leave_multi(struct http_call *call)
{
    struct http_multi *const multi = call->multi;

    call->multi = NULL;
    if (!multi) /* canceled before it was launched */
        return;
    http_multi_remove(multi, call->exchange.easy);
    multi_released(call->http, multi);
}

/* The second request goes out within the deadline of the first. */
static bool goes_on(struct http_call *call, CURLcode result)
{
    struct err err;

    if (call->http->closing || !http_exchange_redirect(&call->exchange, result))
        return false;
    if (send_exchange(call, &err) != 0) {
        http_exchange_abandon(&call->exchange, err.code, err.text);
        finish(call);
    }
    return true;
}

static void on_transfer_done(CURL *easy, CURLcode result)
{
    char *private = NULL;
    struct http_call *call;
    struct http_multi *multi;

    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    call = (struct http_call *)(void *)private;
    multi = call->multi;
    call->multi = NULL;
    if (!goes_on(call, result)) {
        http_exchange_finish(&call->exchange, result);
        finish(call);
    }
    multi_released(call->http, multi);
}

static void on_deadline(struct timer *timer)
{
    struct http_call *call = container_of(timer, struct http_call, deadline);

    leave_multi(call);
    http_exchange_expire(&call->exchange);
    finish(call);
}

static void cancel(struct http_call *call)
{
    if (call->state != CALL_RUNNING)
        return;
    leave_multi(call);
    http_exchange_cancel(&call->exchange);
    finish(call);
}

static void on_multi_broken(void *owner, struct http_multi *multi)
{
    struct http *http = owner;

    if (http->multi == multi)
        retire_multi(http);
    list_for_each (item, &http->calls) {
        struct http_call *call = container_of(item, struct http_call, link);

        if (call->multi != multi)
            continue;
        leave_multi(call);
        http_exchange_abandon(&call->exchange, -EMFILE,
                              "the connection cannot be watched: no free file descriptor");
        finish(call);
    }
    http_multi_close(multi);
}

/* --- the beginning of a call --- */

static int use_multi(struct http *http, struct http_call *call, struct err *err)
{
    static const struct http_multi_events events = {
        .transfer_done = on_transfer_done,
        .broken = on_multi_broken,
        .closed = on_multi_closed,
    };
    int rc;

    if (!http->multi) {
        http->multi = http_multi_new(http->loop, &events, http, err);
        if (!http->multi)
            return err->code;
        http->open_multis++;
    }
    timer_stop(&http->idle);
    rc = http_multi_add(http->multi, call->exchange.easy, err);
    if (rc == 0)
        call->multi = http->multi;
    else
        multi_released(http, http->multi);
    return rc;
}

static int send_exchange(struct http_call *call, struct err *err)
{
    struct http *const http = call->http;
    int rc = http_exchange_prepare(&call->exchange, &http->settings, err);

    if (rc != 0)
        return rc;
    (void)curl_easy_setopt(call->exchange.easy, CURLOPT_PRIVATE, call); /* only stores it */
    return use_multi(http, call, err);
}

static int launch(struct http_call *call, struct err *err)
{
    struct http *const http = call->http;
    struct http_exchange *const exchange = &call->exchange;
    int rc;

    if (http->in_flight > HTTP_IN_FLIGHT_MAX)
        return err_set(err, -EBUSY, "more than %d requests at the same time", HTTP_IN_FLIGHT_MAX);
    rc = send_exchange(call, err);
    if (rc == 0)
        timer_set_delay(&call->deadline, exchange->request.deadline);
    return rc;
}

struct http_call *http_start(struct http *http, struct http_request *request, http_done *done,
                             void *context)
{
    struct http_call *call = must_alloc(sizeof(*call));
    struct err err;

    call->http = http;
    call->state = CALL_RUNNING;
    call->service = request->service;
    call->started_ns = uv_hrtime();
    call->done = done;
    call->context = context;
    http_exchange_init(&call->exchange, request);
    deferred_init(&call->delivery, deliver);
    timer_init(http->loop, &call->deadline, on_deadline);
    list_append(&http->calls, &call->link);
    http->in_flight++;
    http->call_timers++;

    if (http->closing) {
        cancel(call);
    } else if (launch(call, &err) != 0) {
        http_exchange_abandon(&call->exchange, err.code, err.text);
        finish(call);
    }
    return call;
}

void http_cancel(struct http_call *call)
{
    if (call)
        cancel(call);
}

unsigned http_in_flight(const struct http *http)
{
    return http->in_flight;
}

const struct http_counts *http_counts(const struct http *http)
{
    return &http->counts;
}

/* --- the client --- */

struct http *http_new(struct loop *loop, const struct http_options *options, struct err *err)
{
    struct http *http = must_alloc(sizeof(*http));

    if (settings_init(&http->settings, options, err) != 0) {
        free(http);
        return NULL;
    }
    http->loop = loop;
    list_init(&http->calls);
    timer_init(loop, &http->idle, on_idle);
    uv_unref((uv_handle_t *)&http->idle.handle); /* the idle timer must not keep the loop running */
    return http;
}

int http_set_options(struct http *http, const struct http_options *options, struct err *err)
{
    struct http_settings settings = {0};
    const int rc = settings_init(&settings, options, err);

    if (rc != 0)
        return rc;
    settings_done(&http->settings);
    http->settings = settings;
    retire_multi(http); /* its connections and CA certificates are those of the old options */
    return 0;
}

static void on_idle_timer_closed(struct timer *timer)
{
    struct http *http = container_of(timer, struct http, idle);

    http->idle_timer_closed = true;
    maybe_closed(http);
}

void http_close(struct http *http, void (*closed)(void *context), void *context)
{
    if (!http || http->closing)
        return;
    http->closing = true;
    http->closed = closed;
    http->closed_context = context;
    list_for_each (item, &http->calls) {
        cancel(container_of(item, struct http_call, link));
    }
    retire_multi(http);
    timer_close(&http->idle, on_idle_timer_closed);
}

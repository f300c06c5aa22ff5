#include "io/http/http_private.h"

#include <errno.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/must.h"

/* Safety limits; admission (io/access) decides how many requests run. A request beyond them waits
 * inside libcurl while its deadline runs. */
enum { CONNECTIONS_MAX = 256, IDLE_CONNECTIONS_MAX = 16 };

/*
 * Where a name has several addresses, libcurl gives up one that does not answer after half of the
 * time for a connection, and tries the next. Version 7.88 does not ask for the new socket to be
 * watched when it has the old one's number, so nobody would notice that it is connected. Looking
 * at all transfers makes up for it.
 */
#define NUDGE_EVERY MS_SECOND

struct http_multi {
    struct loop *loop;
    CURLM *curl; /* NULL once it has been cleaned up */
    const struct http_multi_events *events;
    void *owner;
    unsigned transfers;

    struct timer timer; /* libcurl's one timer */
    struct timer nudge; /* set while there are transfers */
    struct list sockets;
    unsigned open_handles; /* of libuv: the timers, and the sockets that are not closed yet */
    struct deferred breakage;
    struct deferred closing;
    bool is_broken;
    bool is_closing;
};

/* A socket that libcurl wants to be watched. libcurl refers to it by pointer, because the system
 * reuses the number of a closed socket at once. */
struct http_socket {
    struct list link;
    struct http_multi *multi;
    uv_poll_t poll;
    curl_socket_t descriptor;
    int events;
};

/* --- end --- */

static void handle_closed(struct http_multi *multi)
{
    if (--multi->open_handles > 0)
        return;
    multi->events->closed(multi->owner, multi);
    free(multi);
}

static void on_timer_closed(struct timer *timer)
{
    handle_closed(container_of(timer, struct http_multi, timer));
}

static void on_nudge_closed(struct timer *timer)
{
    handle_closed(container_of(timer, struct http_multi, nudge));
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct http_socket *watched = container_of(handle, struct http_socket, poll);
    struct http_multi *multi = watched->multi;

    free(watched);
    handle_closed(multi);
}

static void close_socket(struct http_socket *watched)
{
    list_remove(&watched->link);
    (void)uv_poll_stop(&watched->poll);
    uv_close((uv_handle_t *)&watched->poll, on_socket_closed);
}

/* curl_multi_cleanup() closes the connections, which raises socket callbacks, so their data must
 * still exist. */
static void run_closing(struct deferred *deferred)
{
    struct http_multi *multi = container_of(deferred, struct http_multi, closing);

    (void)curl_multi_cleanup(multi->curl);
    multi->curl = NULL;
    list_for_each (item, &multi->sockets) {
        close_socket(container_of(item, struct http_socket, link));
    }
    timer_close(&multi->timer, on_timer_closed);
    timer_close(&multi->nudge, on_nudge_closed);
}

void http_multi_close(struct http_multi *multi)
{
    if (multi->is_closing)
        return;
    multi->is_closing = true;
    loop_defer_cancel(&multi->breakage);
    loop_defer(multi->loop, &multi->closing);
}

/* --- breakage --- */

static void run_breakage(struct deferred *deferred)
{
    struct http_multi *multi = container_of(deferred, struct http_multi, breakage);

    multi->events->broken(multi->owner, multi);
}

/* A libcurl callback must not report failure, or no transfer would ever end. So the failure is kept
 * for the loop. */
static void note_breakage(struct http_multi *multi)
{
    if (multi->is_broken || multi->is_closing)
        return;
    multi->is_broken = true;
    loop_defer(multi->loop, &multi->breakage);
}

/* --- driving libcurl --- */

static void collect_completions(struct http_multi *multi)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi->curl, &left))) {
        CURL *const easy = message->easy_handle;
        const CURLcode result = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        http_multi_remove(multi, easy); /* also frees the message */
        multi->events->transfer_done(easy, result);
    }
}

static void drive(struct http_multi *multi, curl_socket_t descriptor, int events)
{
    int running;

    if (multi->is_closing)
        return;
    if (curl_multi_socket_action(multi->curl, descriptor, events, &running) != CURLM_OK)
        note_breakage(multi);
    collect_completions(multi);
}

static void on_timer(struct timer *timer)
{
    drive(container_of(timer, struct http_multi, timer), CURL_SOCKET_TIMEOUT, 0);
}

static void on_nudge(struct timer *timer)
{
    struct http_multi *multi = container_of(timer, struct http_multi, nudge);
    CURLMcode result = CURLM_OK;
    int running;

    if (multi->is_closing || multi->transfers == 0)
        return;
    /* libcurl's manual prefers its sister, because looking at many transfers is slow; once a second
     * is seldom enough. */
    /* cppcheck-suppress unknownMacro */
    CURL_IGNORE_DEPRECATION(result = curl_multi_socket_all(multi->curl, &running);)
    if (result != CURLM_OK)
        note_breakage(multi);
    collect_completions(multi);
    if (multi->transfers > 0 && !multi->is_closing)
        timer_set_delay(&multi->nudge, NUDGE_EVERY);
}

static int on_timer_wanted(CURLM *curl, long delay, void *context)
{
    struct http_multi *multi = context;

    (void)curl;
    if (delay < 0)
        timer_stop(&multi->timer);
    else
        timer_set_delay(&multi->timer, delay);
    return 0;
}

static void on_socket_ready(uv_poll_t *poll, int status, int events);

static int start_watching(struct http_socket *watched)
{
    return uv_poll_start(&watched->poll, watched->events, on_socket_ready);
}

/*
 * libuv reports an error of the socket (refused, reset) as a status without events, and stops
 * watching. libcurl detects the error itself when it is called without events. It does not repeat
 * its request to watch, so watching is resumed here unless the socket is gone.
 */
static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
    struct http_socket *watched = container_of(poll, struct http_socket, poll);
    struct http_multi *multi = watched->multi;
    int ready = 0;

    if (status == 0 && (events & UV_READABLE))
        ready |= CURL_CSELECT_IN;
    if (status == 0 && (events & UV_WRITABLE))
        ready |= CURL_CSELECT_OUT;
    drive(multi, watched->descriptor, ready);

    if (status < 0 && !uv_is_closing((uv_handle_t *)poll) && start_watching(watched) != 0)
        note_breakage(multi);
}

static struct http_socket *socket_new(struct http_multi *multi, curl_socket_t descriptor)
{
    struct http_socket *watched = must_alloc(sizeof(*watched));

    if (uv_poll_init_socket(loop_uv(multi->loop), &watched->poll, descriptor) != 0) {
        free(watched); /* libuv has not accepted the handle */
        return NULL;
    }
    watched->multi = multi;
    watched->descriptor = descriptor;
    list_append(&multi->sockets, &watched->link);
    multi->open_handles++;
    return watched;
}

static void watch_socket(struct http_multi *multi, curl_socket_t descriptor, int what,
                         struct http_socket *watched)
{
    if (!watched) {
        watched = socket_new(multi, descriptor);
        if (!watched) {
            note_breakage(multi);
            return;
        }
        (void)curl_multi_assign(multi->curl, descriptor, watched);
    }
    watched->events = 0;
    if (what & CURL_POLL_IN)
        watched->events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        watched->events |= UV_WRITABLE;
    if (start_watching(watched) != 0)
        note_breakage(multi);
}

static int on_socket_wanted(CURL *easy, curl_socket_t descriptor, int what, void *context,
                            void *socket_context)
{
    struct http_multi *multi = context;
    struct http_socket *watched = socket_context;

    (void)easy;
    if (what != CURL_POLL_REMOVE) {
        watch_socket(multi, descriptor, what, watched);
    } else if (watched) {
        (void)curl_multi_assign(multi->curl, descriptor,
                                NULL); /* a failure during cleanup does not matter */
        close_socket(watched);
    }
    return 0;
}

/* --- transfers --- */

int http_multi_add(struct http_multi *multi, CURL *easy, struct err *err)
{
    const CURLMcode result = curl_multi_add_handle(multi->curl, easy);

    if (result != CURLM_OK)
        return err_set(err, -EIO, "libcurl cannot start a request: %s",
                       curl_multi_strerror(result));
    if (multi->transfers++ == 0)
        timer_set_delay(&multi->nudge, NUDGE_EVERY);
    return 0;
}

void http_multi_remove(struct http_multi *multi, CURL *easy)
{
    (void)curl_multi_remove_handle(multi->curl, easy);
    multi->transfers--;
}

unsigned http_multi_transfers(const struct http_multi *multi)
{
    return multi->transfers;
}

/* --- beginning --- */

static bool set_options(struct http_multi *multi)
{
    CURLM *const curl = multi->curl;

    return curl_multi_setopt(curl, CURLMOPT_SOCKETFUNCTION, on_socket_wanted) == CURLM_OK &&
           curl_multi_setopt(curl, CURLMOPT_SOCKETDATA, multi) == CURLM_OK &&
           curl_multi_setopt(curl, CURLMOPT_TIMERFUNCTION, on_timer_wanted) == CURLM_OK &&
           curl_multi_setopt(curl, CURLMOPT_TIMERDATA, multi) == CURLM_OK &&
           curl_multi_setopt(curl, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) == CURLM_OK &&
           curl_multi_setopt(curl, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_MAX) ==
               CURLM_OK &&
           curl_multi_setopt(curl, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS_MAX) ==
               CURLM_OK &&
           curl_multi_setopt(curl, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS_MAX) == CURLM_OK;
}

struct http_multi *http_multi_new(struct loop *loop, const struct http_multi_events *events,
                                  void *owner, struct err *err)
{
    struct http_multi *multi = must_alloc(sizeof(*multi));

    multi->curl = curl_multi_init();
    if (!multi->curl || !set_options(multi)) {
        (void)curl_multi_cleanup(multi->curl);
        free(multi);
        (void)err_set(err, -EIO, "libcurl cannot be set up");
        return NULL;
    }
    multi->loop = loop;
    multi->events = events;
    multi->owner = owner;
    list_init(&multi->sockets);
    deferred_init(&multi->breakage, run_breakage);
    deferred_init(&multi->closing, run_closing);
    timer_init(loop, &multi->timer, on_timer);
    timer_init(loop, &multi->nudge, on_nudge);
    multi->open_handles = 2; /* the timers */
    return multi;
}

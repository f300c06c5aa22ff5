#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <json-c/json_object.h>

#include "proto/remedy.h"

/* Longer than the daemon's own limit for a command: the daemon's answer about that comes first. */
enum { CONNECT_TIMEOUT_MS = 5000, TOTAL_TIMEOUT_MS = 150000 };
enum { QUEUE_PAUSE_MS = 50, QUEUE_TRIES = 100 };

const char *ctl_socket_path(const struct ctl_options *options, char storage[CTL_PATH_MAX])
{
    const char *directories =
        getenv("RUNTIME_DIRECTORY"); /* a list with colons; the first counts */
    int length;

    if (options->socket)
        return options->socket;
    if (!directories || directories[0] != '/')
        return CONTROL_SOCKET_DEFAULT;
    length = snprintf(storage, CTL_PATH_MAX, "%.*s/control.sock", (int)strcspn(directories, ":"),
                      directories);
    return length < CTL_PATH_MAX ? storage : directories;
}

static size_t take_reply(char *data, size_t size, size_t count, void *context)
{
    return buf_append(context, data, size * count) == 0 ? size * count : 0;
}

static bool (*is_ended)(void); /* NULL: nothing ends a request */

void ctl_end_requests_when(bool (*ended)(void))
{
    is_ended = ended;
}

/* As CURLOPT_XFERINFOFUNCTION has it: whether to give up. */
static int on_progress(void *context, curl_off_t to_come, curl_off_t came, curl_off_t to_go,
                       curl_off_t gone)
{
    (void)context;
    (void)to_come;
    (void)came;
    (void)to_go;
    (void)gone;
    return is_ended && is_ended();
}

static bool prepare(CURL *curl, const char *socket, const char *url, const char *body,
                    struct curl_slist *headers, struct buf *reply)
{
    bool fine = true;

    fine &= curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket) == CURLE_OK;
    fine &= curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK;
    fine &= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK;
    fine &= curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK;
    fine &= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    fine &= curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK;
    fine &= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) == CURLE_OK;
    fine &= curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TOTAL_TIMEOUT_MS) == CURLE_OK;
    fine &= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_reply) == CURLE_OK;
    fine &= curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply) == CURLE_OK;
    fine &= curl_easy_setopt(curl, CURLOPT_NOPROGRESS, is_ended ? 0L : 1L) == CURLE_OK;
    fine &= curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK;
    if (!body)
        return fine;
    fine &= curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) == CURLE_OK;
    fine &= headers && curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
    return fine;
}

static enum ctl_exit explain(CURL *curl, CURLcode result, const char *socket)
{
    char unit[REMEDY_UNIT_MAX];
    long system_errno = 0;

    remedy_unit(socket, unit);
    (void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &system_errno);
    if (result != CURLE_COULDNT_CONNECT)
        return ctl_complain(CTL_UNREACHABLE, "talking to the daemon at %s: %s", socket,
                            curl_easy_strerror(result));
    if (system_errno == EACCES || system_errno == EPERM)
        return ctl_complain(CTL_NOT_PERMITTED,
                            "not permitted to use %s: be root, or join the group keyrotated-admin "
                            "(sudo usermod -aG keyrotated-admin $USER) and log in again",
                            socket);
    return ctl_complain(
        CTL_UNREACHABLE,
        "the daemon cannot be reached at %s: %s; is it running? (systemctl status "
        "%s)",
        socket, system_errno != 0 ? strerrordesc_np((int)system_errno) : curl_easy_strerror(result),
        unit);
}

/*
 * connect(2) to a unix socket fails at once while the listener's queue is full, and libcurl reports
 * that without an errno. A busy daemon takes the next clients soon.
 */
static bool queue_was_full(CURL *curl, CURLcode result)
{
    long system_errno = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &system_errno);
    return result == CURLE_COULDNT_CONNECT && (system_errno == 0 || system_errno == EAGAIN);
}

static CURLcode perform(CURL *curl)
{
    const struct timespec pause = {.tv_nsec = QUEUE_PAUSE_MS * 1000000L};
    CURLcode result = curl_easy_perform(curl);

    for (int i = 0; i < QUEUE_TRIES && queue_was_full(curl, result); i++) {
        (void)nanosleep(&pause, NULL);
        result = curl_easy_perform(curl);
    }
    return result;
}

enum ctl_exit ctl_request(const struct ctl_options *options, const struct buf *path,
                          const char *body, struct buf *reply, long *ret_status)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURL *curl = curl_easy_init();
    char storage[CTL_PATH_MAX];
    const char *socket = ctl_socket_path(options, storage);
    enum ctl_exit outcome;
    struct buf url;

    buf_init(&url, CONTROL_URI_MAX);
    (void)buf_append_format(&url, "http://localhost%s", buf_str(path));
    if (path->failed || url.failed) {
        outcome = ctl_complain(CTL_USAGE, "too many or too long names for one request");
    } else if (!curl || !prepare(curl, socket, buf_str(&url), body, headers, reply)) {
        outcome = ctl_complain(CTL_UNREACHABLE, "the request to %s could not be prepared", socket);
    } else {
        CURLcode result = perform(curl);

        if (result == CURLE_OK)
            result = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
        outcome = result == CURLE_OK ? CTL_DONE : explain(curl, result, socket);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    buf_done(&url);
    return outcome;
}

/* A reply that is no status document says why: 4xx, that the question was wrong. */
static enum ctl_exit explain_refusal(const struct buf *text, long http_status)
{
    struct control_answer answer;
    struct json_object *document;
    struct err err;
    enum ctl_exit result;

    if (control_answer_parse(buf_str(text), text->length, &answer, &document, &err) != 0)
        return ctl_complain(CTL_UNREACHABLE, "%s", err.text);
    result = ctl_complain_as(http_status >= 400 && http_status < 500 ? CTL_USAGE : CTL_UNREACHABLE,
                             control_outcome_name(answer.outcome), "%s", answer.message);
    json_object_put(document);
    return result;
}

enum ctl_exit ctl_fetch_path(const struct ctl_options *options, const struct buf *path,
                             struct buf *text)
{
    long http_status = 0;
    enum ctl_exit result;

    buf_clear(text);
    result = ctl_request(options, path, NULL, text, &http_status);
    if (result != CTL_DONE)
        return result;
    return http_status == 200 ? CTL_DONE : explain_refusal(text, http_status);
}

enum ctl_exit ctl_fetch(const struct ctl_options *options, const char *question, char *const *names,
                        size_t name_count, struct buf *text)
{
    enum ctl_exit result;
    struct buf path;

    buf_init(&path, CONTROL_URI_MAX);
    (void)control_question_path(question, names, name_count, &path);
    result = ctl_fetch_path(options, &path, text);
    buf_done(&path);
    return result;
}

enum ctl_exit ctl_fetch_status(const struct ctl_options *options, const char *question,
                               char *const *names, size_t name_count, struct control_status *status,
                               struct buf *text)
{
    enum ctl_exit result;
    struct buf path;

    buf_init(&path, CONTROL_URI_MAX);
    (void)control_question_path(question, names, name_count, &path);
    result = ctl_fetch_status_path(options, &path, status, text);
    buf_done(&path);
    return result;
}

enum ctl_exit ctl_fetch_status_path(const struct ctl_options *options, const struct buf *path,
                                    struct control_status *status, struct buf *text)
{
    enum ctl_exit result;
    struct buf own;
    struct err err;

    buf_init(&own, CONTROL_REPLY_MAX);
    if (!text)
        text = &own;
    result = ctl_fetch_path(options, path, text);
    if (result == CTL_DONE && control_status_parse(buf_str(text), text->length, status, &err) != 0)
        result = ctl_complain(CTL_UNREACHABLE, "%s", err.text);
    buf_done(&own);
    return result;
}

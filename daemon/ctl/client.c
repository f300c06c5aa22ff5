#include "ctl/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

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
    if (!body)
        return fine;
    fine &= curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) == CURLE_OK;
    fine &= headers && curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
    return fine;
}

static enum ctl_exit explain(CURL *curl, CURLcode result, const char *socket, struct err *err)
{
    char unit[REMEDY_UNIT_MAX];
    long system_errno = 0;

    remedy_unit(socket, unit);
    (void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &system_errno);
    if (result == CURLE_COULDNT_CONNECT && (system_errno == EACCES || system_errno == EPERM)) {
        (void)err_set(err, -EACCES,
                      "not permitted to use %s: be root, or join the group keyrotated-admin "
                      "(sudo usermod -aG keyrotated-admin $USER) and log in again",
                      socket);
        return CTL_NOT_PERMITTED;
    }
    if (result == CURLE_COULDNT_CONNECT)
        (void)err_set(err, -ECONNREFUSED,
                      "the daemon cannot be reached at %s: %s; is it running? (systemctl status "
                      "%s)",
                      socket,
                      system_errno != 0 ? strerrordesc_np((int)system_errno)
                                        : curl_easy_strerror(result),
                      unit);
    else
        (void)err_set(err, -EIO, "talking to the daemon at %s: %s", socket,
                      curl_easy_strerror(result));
    return CTL_UNREACHABLE;
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

enum ctl_exit ctl_request(const char *socket, const char *path, const char *body, struct buf *reply,
                          long *ret_status, struct err *err)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURL *curl = curl_easy_init();
    enum ctl_exit outcome = CTL_UNREACHABLE;
    struct buf url;

    buf_init(&url, CONTROL_URI_MAX);
    (void)buf_append_format(&url, "http://localhost%s", path);
    if (url.failed) {
        (void)err_set(err, url.failed, "too many or too long names for one request");
        outcome = CTL_USAGE;
    } else if (!curl || !prepare(curl, socket, buf_str(&url), body, headers, reply)) {
        (void)err_set(err, -ENOMEM, "the request to %s could not be prepared", socket);
    } else {
        CURLcode result = perform(curl);

        if (result == CURLE_OK)
            result = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
        outcome = result == CURLE_OK ? CTL_DONE : explain(curl, result, socket, err);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    buf_done(&url);
    return outcome;
}

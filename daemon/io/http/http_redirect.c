/*
 * Redirections that are followed: 307 and 308, once, to the same resource on the same server.
 *
 * libcurl itself would follow any redirection, and send the request with its token to an unchecked
 * URL.
 */
#include <string.h>

#include "base/str.h"
#include "io/http/http_private.h"

enum { LOCATION_MAX = HTTP_URL_MAX };

static bool is_same_part(CURLU *from, CURLU *to, CURLUPart part, unsigned flags, bool any_case)
{
    char *before = NULL, *after = NULL;
    bool same = curl_url_get(from, part, &before, flags) == CURLUE_OK &&
                curl_url_get(to, part, &after, flags) == CURLUE_OK &&
                (any_case ? str_equal_nocase(before, after) : str_equal(before, after));

    curl_free(before);
    curl_free(after);
    return same;
}

/* Resource ids are compared without regard to case, as Azure does. */
static bool is_same_resource(CURLU *from, CURLU *to)
{
    return is_same_part(from, to, CURLUPART_SCHEME, 0, true) &&
           is_same_part(from, to, CURLUPART_HOST, 0, true) &&
           is_same_part(from, to, CURLUPART_PORT, CURLU_DEFAULT_PORT, false) &&
           is_same_part(from, to, CURLUPART_PATH, 0, true);
}

/* Sets `url` to the target. Returns false when the redirection must not be followed. */
static bool find_target(const struct http_exchange *exchange, const char *location, struct buf *url)
{
    const unsigned flags = CURLU_DISALLOW_USER | CURLU_PATH_AS_IS;
    CURLU *from = curl_url(), *to = curl_url();
    char *text = NULL;
    bool found;

    found =
        from && to &&
        curl_url_set(from, CURLUPART_URL, buf_str(&exchange->request.url), flags) == CURLUE_OK &&
        curl_url_set(to, CURLUPART_URL, buf_str(&exchange->request.url), flags) == CURLUE_OK &&
        curl_url_set(to, CURLUPART_URL, location, flags) == CURLUE_OK &&
        curl_url_set(to, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK && is_same_resource(from, to) &&
        curl_url_get(to, CURLUPART_URL, &text, 0) == CURLUE_OK && buf_append_str(url, text) == 0;
    curl_free(text);
    curl_url_cleanup(from);
    curl_url_cleanup(to);
    return found;
}

bool http_exchange_redirect(struct http_exchange *exchange, CURLcode result)
{
    char location[LOCATION_MAX];
    struct buf url;
    long status = 0;

    if (result != CURLE_OK || !exchange->request.follows || exchange->redirected)
        return false;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    if ((status != 307 && status != 308) ||
        !http_reply_header(&exchange->reply, "Location", location, sizeof(location)))
        return false;
    buf_init(&url, HTTP_URL_MAX);
    if (!find_target(exchange, location, &url)) {
        buf_done(&url);
        return false;
    }
    buf_done(&exchange->request.url);
    exchange->request.url = url;
    http_exchange_rewind(exchange);
    exchange->redirected = true;
    return true;
}

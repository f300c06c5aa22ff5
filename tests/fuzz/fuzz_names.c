/*
 * URLs, resource ids and placeholders of the configuration (the first line of the input). What is
 * accepted as a URL means to libcurl, which is given it, the same: no user, no query, and without
 * TLS no host but this machine and the metadata service.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/str.h"
#include "conf/placeholder.h"
#include "conf/resource_id.h"
#include "conf/url.h"
#include "fuzz.h"

enum { ARENA_MAX = 1024 * 1024, PROBLEM_MAX = 256 };

/* What stays on this machine, by the words of RFC 6761 and RFC 4291, or is the metadata service. */
static bool is_near(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    char bare[256];

    if (host[0] == '[') {
        MUST(str_copy(bare, sizeof(bare), host + 1));
        bare[strcspn(bare, "]")] = '\0';
        return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
    }
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127 || str_equal(host, "169.254.169.254");
    return str_equal_nocase(host, "localhost") || str_ends_with(host, ".localhost") ||
           str_ends_with(host, ".LOCALHOST") || strcasestr(host, ".localhost");
}

static char *part(CURLU *handle, CURLUPart which)
{
    char *text = NULL;

    return curl_url_get(handle, which, &text, 0) == CURLUE_OK ? text : NULL;
}

static void read_url(const char *text)
{
    CURLU *handle;
    char *user, *query, *fragment, *host, *scheme;

    (void)url_proxy_problem(text);
    MUST(url_message_problem(text) || !url_problem(text));
    if (url_problem(text))
        return;
    handle = curl_url();
    MUST(handle && curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK);
    user = part(handle, CURLUPART_USER);
    query = part(handle, CURLUPART_QUERY);
    fragment = part(handle, CURLUPART_FRAGMENT);
    host = part(handle, CURLUPART_HOST);
    scheme = part(handle, CURLUPART_SCHEME);
    MUST(!user && !query && !fragment && host && scheme);
    MUST(str_equal(scheme, "https") || (str_equal(scheme, "http") && is_near(host)));
    curl_free(user);
    curl_free(query);
    curl_free(fragment);
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(handle);
}

static void read_id(const char *text)
{
    struct err err = {.code = 0};
    struct resource_id id;

    if (resource_id_parse(text, &id, &err) == 0) {
        const char *end = text + strlen(text);

        MUST(id.subscription_length == 36 && id.subscription > text);
        MUST(id.group > id.subscription && id.name > id.group);
        MUST(id.name + id.name_length == end && id.name_length >= 3 && id.name_length <= 24);
        MUST(!resource_group_problem(id.group, id.group_length));
        MUST(resource_name_check(two_key_resource_at(0), id.name, &err) == 0);
    }
    (void)resource_identity_problem(text);
}

static void expand(const char *text)
{
    const struct placeholder_values values = {
        .account = "acct", .resource_group = "{group}", .subscription_id = "sub"};
    char problem[PROBLEM_MAX];
    struct arena *arena;

    if (placeholder_problem(text, problem, sizeof(problem)))
        return;
    arena = arena_new(ARENA_MAX);
    MUST(arena);
    MUST(placeholder_expand(arena, text, &values));
    (void)placeholder_needs_location(text);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = (const char *)data, .left = size};
    char *text = fuzz_take_line(&input);

    read_url(text);
    read_id(text);
    expand(text);
    free(text);
    return 0;
}

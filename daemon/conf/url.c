#include "conf/url.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };
enum { HOST_MAX = 256, PORT_DIGITS_MAX = 5, PORT_MAX = 65535 };

struct url_parts {
    bool is_http; /* without TLS */
    bool is_ipv6; /* the host stood in brackets */
    char host[HOST_MAX];
    const char *path; /* after host and port: "" or "/…" */
};

static const char *split_port(const char *port, size_t length)
{
    long number = 0;

    if (length == 0 || length > PORT_DIGITS_MAX)
        return "has no valid port; write :1 to :65535 after the host, or nothing";
    for (size_t i = 0; i < length; i++) {
        if (port[i] < '0' || port[i] > '9')
            return "has no valid port; write :1 to :65535 after the host, or nothing";
        number = number * 10 + (port[i] - '0');
    }
    if (number < 1 || number > PORT_MAX)
        return "has no valid port; write :1 to :65535 after the host, or nothing";
    return NULL;
}

static bool host_is_valid(const struct url_parts *parts)
{
    struct in6_addr address;

    if (parts->is_ipv6)
        return inet_pton(AF_INET6, parts->host, &address) == 1;
    if (parts->host[0] == '\0')
        return false;
    for (const char *c = parts->host; *c != '\0'; c++) {
        bool alphanumeric = char_is_alphanumeric(*c);

        if (!alphanumeric && *c != '-' && *c != '.' && *c != '_')
            return false;
    }
    return true;
}

/* Splits "host", "host:port" or "[v6]:port" of the given length. */
static const char *split_authority(const char *authority, size_t length, struct url_parts *parts)
{
    const char *end = authority + length;
    const char *host_end;

    if (memchr(authority, '@', length))
        return "holds a user name or password; such things do not belong in this file";
    parts->is_ipv6 = length > 0 && authority[0] == '[';
    if (parts->is_ipv6) {
        authority++;
        host_end = memchr(authority, ']', (size_t)(end - authority));
        if (!host_end)
            return "has no valid host; close the bracket of the IPv6 address";
    } else {
        host_end = memchr(authority, ':', length);
        if (!host_end)
            host_end = end;
    }
    if ((size_t)(host_end - authority) >= sizeof(parts->host))
        return "has a host name that is too long";
    memcpy(parts->host, authority, (size_t)(host_end - authority));
    parts->host[host_end - authority] = '\0';
    if (!host_is_valid(parts))
        return "has no valid host; write https://HOST or https://HOST:PORT";
    if (parts->is_ipv6)
        host_end++;
    if (host_end == end)
        return NULL;
    if (*host_end != ':')
        return "has no valid host; write https://HOST or https://HOST:PORT";
    return split_port(host_end + 1, (size_t)(end - host_end - 1));
}

static const char *split(const char *url, struct url_parts *parts)
{
    const char *authority;

    if (str_starts_with_nocase(url, "https://"))
        parts->is_http = false;
    else if (str_starts_with_nocase(url, "http://"))
        parts->is_http = true;
    else
        return "is not a URL that can be used; write https://HOST";
    authority = strstr(url, "//") + 2;
    parts->path = authority + strcspn(authority, "/?#");
    if (strpbrk(parts->path, "?#"))
        return "holds a query or fragment; end the URL before it";
    for (const char *c = parts->path; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~')
            return "holds a character that a URL must not hold; percent-encode it";
    }
    return split_authority(authority, (size_t)(parts->path - authority), parts);
}

static bool is_loopback(const struct url_parts *parts)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (parts->is_ipv6)
        return inet_pton(AF_INET6, parts->host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
    if (inet_pton(AF_INET, parts->host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return str_equal_nocase(parts->host, "localhost") ||
           (strlen(parts->host) > strlen(".localhost") &&
            str_equal_nocase(parts->host + strlen(parts->host) - strlen(".localhost"),
                             ".localhost"));
}

const char *url_problem(const char *url)
{
    struct url_parts parts = {.is_http = false};
    const char *problem = split(url, &parts);

    if (problem)
        return problem;
    if (parts.is_http && !is_loopback(&parts) && !str_equal(parts.host, "169.254.169.254"))
        return "would send tokens unencrypted; write https:// (http:// is accepted for loopback "
               "hosts and 169.254.169.254 alone)";
    return NULL;
}

const char *url_platform_problem(const char *url)
{
    struct url_parts parts = {.is_http = false};
    const char *problem = split(url, &parts);
    struct in_addr v4;
    const bool is_link_local =
        inet_pton(AF_INET, parts.host, &v4) == 1 && ntohl(v4.s_addr) >> 16 == 0xA9FE;

    if (!problem && parts.is_http && !is_loopback(&parts) && !is_link_local)
        problem =
            "would send tokens unencrypted: http:// is accepted for loopback hosts and "
            "link-local addresses alone";
    return problem;
}

const char *url_message_problem(const char *url)
{
    struct url_parts parts = {.is_http = false};
    const char *problem = split(url, &parts);

    if (!problem && parts.is_http && !is_loopback(&parts))
        problem =
            "would send its messages unencrypted; write https:// (http:// is accepted for loopback "
            "hosts alone)";
    return problem;
}

const char *url_proxy_problem(const char *url)
{
    struct url_parts parts = {.is_http = false};
    const char *problem = split(url, &parts);

    if (!str_starts_with_nocase(url, "http://") && !str_starts_with_nocase(url, "https://"))
        return "is not the URL of a proxy that can be used; write http://HOST:PORT or "
               "https://HOST:PORT";
    if (problem)
        return problem;
    if (parts.path[0] != '\0' && !str_equal(parts.path, "/"))
        return "holds a path; a proxy is http://HOST:PORT or https://HOST:PORT";
    return NULL;
}

/* The same address always gives the same text; others than addresses stay. */
static void shorten_ipv6(struct arena *arena, char **host)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct in6_addr address;
    const size_t length = strlen(*host);

    if (length < 2 || length > sizeof(text) || (*host)[0] != '[')
        return;
    memcpy(text, *host + 1, length - 2);
    if (inet_pton(AF_INET6, text, &address) == 1 &&
        inet_ntop(AF_INET6, &address, text, sizeof(text)))
        *host = arena_format(arena, "[%s]", text);
}

char *url_normal(struct arena *arena, const char *url, bool is_base)
{
    const bool is_http = str_starts_with_nocase(url, "http:");
    const char *authority = strstr(url, "//") + 2;
    const size_t length = strcspn(authority, "/");
    const char *path = authority + length;
    const char *colon = memrchr(authority, ':', length);
    size_t path_length = strlen(path);
    long port = is_http ? HTTP_PORT : HTTPS_PORT;
    char *host;

    if (colon && memchr(colon, ']', (size_t)(path - colon)))
        colon = NULL; /* it is part of an IPv6 address */
    if (colon)
        port = strtol(colon + 1, NULL, 10);
    while (path_length > 0 && path[path_length - 1] == '/' && (is_base || path_length == 1))
        path_length--;
    host = arena_dup_n(arena, authority, colon ? (size_t)(colon - authority) : length);
    if (!host)
        return NULL;
    str_lower(host);
    shorten_ipv6(arena, &host);
    if (!host)
        return NULL;
    if (port == (is_http ? HTTP_PORT : HTTPS_PORT))
        return arena_format(arena, "%s://%s%.*s", is_http ? "http" : "https", host,
                            (int)path_length, path);
    return arena_format(arena, "%s://%s:%ld%.*s", is_http ? "http" : "https", host, port,
                        (int)path_length, path);
}

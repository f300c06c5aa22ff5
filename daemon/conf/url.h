/*
 * Checks which URLs the daemon may connect to, and writes those of one server in one way.
 */
#ifndef KEYROTATED_CONF_URL_H
#define KEYROTATED_CONF_URL_H

#include <stdbool.h>

#include "conf/arena.h"

/*
 * What is wrong with a service's URL, or NULL. https:// goes anywhere; http:// only to loopback
 * hosts and the link-local metadata service, because tokens and keys travel on it. No user, query
 * or fragment.
 */
const char *url_problem(const char *url);

/* The same for one that a platform puts into the environment: http:// to link-local addresses
 * (169.254.0.0/16), too, for packets to them do not leave the link. */
const char *url_platform_problem(const char *url);

/* The same for one to which messages are sent without a token: http:// only to loopback hosts. */
const char *url_message_problem(const char *url);

/* The same for a proxy: http:// or https:// to any host (secrets pass through it inside TLS),
 * without a path. */
const char *url_proxy_problem(const char *url);

/*
 * The way in which URLs of one server are the same text (RFC 3986, 6.2.2.1 and 6.2.3): scheme and
 * host in lower case, an IPv6 address in its shortest form, without the port that the scheme has
 * anyway. `is_base`: paths are appended to it, so that slashes at its end go, too; otherwise its
 * path counts, and only the path "/" goes. The URL was checked; its host may hold placeholders. In
 * the arena, or NULL when memory is out.
 */
char *url_normal(struct arena *arena, const char *url, bool is_base);

#endif

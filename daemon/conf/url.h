/*
 * Checks which URLs the daemon may connect to.
 */
#ifndef KEYROTATED_CONF_URL_H
#define KEYROTATED_CONF_URL_H

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

#endif

#include "proto/key_vault.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"

enum { SCOPE_SUFFIX_LENGTH = sizeof("/.default") - 1 };

static bool is_token_character(char c)
{
    return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static const char *skip_separators(const char *at)
{
    return at + strspn(at, " \t,");
}

/* Reads a value, quoted or not (RFC 9110, section 11.2), as far as it fits. Returns where it ends.
 */
static const char *read_value(const char *at, char out[KEY_VAULT_RESOURCE_MAX])
{
    const bool quoted = *at == '"';
    size_t length = 0;
    bool fits = true;

    at += quoted;
    while (*at != '\0' && *at != '\n' && (quoted ? *at != '"' : !strchr(" \t,", *at))) {
        if (quoted && *at == '\\' && at[1] != '\0' && at[1] != '\n')
            at++;
        fits = length + 1 < KEY_VAULT_RESOURCE_MAX;
        if (fits)
            out[length++] = *at;
        at++;
    }
    out[fits ? length : 0] = '\0';
    return at + (quoted && *at == '"');
}

/* The tenant of "https://login.microsoftonline.com/TENANT". It goes into messages, so other
 * characters than those of an id or a domain name are not taken. */
static void take_tenant(struct key_vault_challenge *challenge, const char *authorization)
{
    const char *slash = strrchr(authorization, '/');
    const char *tenant = slash ? slash + 1 : "";

    for (const char *c = tenant; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.')
            return;
    }
    if (strlen(tenant) < sizeof(challenge->tenant))
        str_copy(challenge->tenant, sizeof(challenge->tenant), tenant);
}

static void take_parameter(struct key_vault_challenge *challenge, const char *name, size_t length,
                           const char *value)
{
    char *const resource = challenge->resource;

    if (length == strlen("resource") && strncasecmp(name, "resource", length) == 0) {
        str_copy(resource, sizeof(challenge->resource), value);
    } else if (length == strlen("scope") && strncasecmp(name, "scope", length) == 0 &&
               *resource == '\0') {
        str_copy(resource, sizeof(challenge->resource), value);
        if (str_ends_with(resource, "/.default"))
            resource[strlen(resource) - SCOPE_SUFFIX_LENGTH] = '\0';
    } else if (length == strlen("authorization") &&
               strncasecmp(name, "authorization", length) == 0) {
        take_tenant(challenge, value);
    }
}

/* Reads the parameters of one header line. A word without '=' begins another scheme. */
static void read_line(struct key_vault_challenge *challenge, const char *at)
{
    bool bearer = false;

    for (at = skip_separators(at); *at != '\0' && *at != '\n'; at = skip_separators(at)) {
        char value[KEY_VAULT_RESOURCE_MAX];
        const char *name = at;
        size_t length;

        while (is_token_character(*at))
            at++;
        length = (size_t)(at - name);
        if (length == 0) {
            at++;
        } else if (*at == '=') {
            at = read_value(at + 1, value);
            if (bearer)
                take_parameter(challenge, name, length, value);
        } else {
            bearer = length == strlen("Bearer") && strncasecmp(name, "Bearer", length) == 0;
        }
    }
}

bool key_vault_challenge_read(struct key_vault_challenge *challenge, const struct http_reply *reply)
{
    static const char name[] = "WWW-Authenticate:";

    *challenge = (struct key_vault_challenge){.resource = ""};
    for (const char *line = buf_str(&reply->headers); *line != '\0';) {
        const char *end = strchrnul(line, '\n');

        if (challenge->resource[0] == '\0' && str_starts_with_nocase(line, name))
            read_line(challenge, line + sizeof(name) - 1);
        line = *end == '\0' ? end : end + 1;
    }
    return challenge->resource[0] != '\0';
}

/* The host of "https://HOST" or "https://HOST/": nothing else is accepted, neither user, port nor
 * path. NULL otherwise. */
static const char *plain_host(const char *url, size_t *ret_length)
{
    static const char scheme[] = "https://";
    const char *host = url + sizeof(scheme) - 1;
    size_t length;

    if (!str_starts_with_nocase(url, scheme))
        return NULL;
    length = strcspn(host, "/");
    for (size_t i = 0; i < length; i++) {
        if (!is_token_character(host[i]))
            return NULL;
    }
    if (length == 0 || (host[length] == '/' && host[length + 1] != '\0'))
        return NULL;
    *ret_length = length;
    return host;
}

/* The host of a URL, without port. */
static const char *host_of(const char *url, size_t *ret_length)
{
    const char *host = strstr(url, "://");

    host = host ? host + strlen("://") : url;
    *ret_length = strcspn(host, ":/");
    return host;
}

bool key_vault_is_below(const char *vault, const char *parent)
{
    size_t length, parent_length;
    const char *host = host_of(vault, &length);
    const char *parent_host = host_of(parent, &parent_length);

    return parent_length > 0 && length > parent_length + 1 &&
           host[length - parent_length - 1] == '.' &&
           strncasecmp(host + length - parent_length, parent_host, parent_length) == 0;
}

int key_vault_challenge_check(const struct key_vault_challenge *challenge, const char *vault,
                              const char *audience, struct err *err)
{
    size_t host_length, length = 0, expected_length = 0;
    const char *host = host_of(vault, &host_length);
    const char *resource = plain_host(challenge->resource, &length);
    const char *expected = plain_host(audience, &expected_length);

    if (!resource || !key_vault_is_below(vault, challenge->resource))
        return err_set(err, -EPERM,
                       "it asks for a token for %s, but its host %.*s does not belong to that",
                       challenge->resource, (int)host_length, host);
    if (!expected || length != expected_length || strncasecmp(resource, expected, length) != 0)
        return err_set(err, -EPERM,
                       "it asks for a token for %s, but the cloud's vaults take tokens for %s",
                       challenge->resource, audience);
    return 0;
}

#include "proto/key_vault.h"

#include <errno.h>
#include <json-c/json_object_iterator.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"

#define API_VERSION "7.4"
#define DEADLINE    (25 * MS_SECOND)

/* A value of 25 KB, of which each byte may be escaped, and 15 tags of two times 512 characters. */
enum { REPLY_MAX = 256 * 1024, OWN_TAGS = 4, TAG_TEXT_MAX = 600 };

/* --- requests --- */

static const struct {
    const char *method;
    const char *before, *after; /* the name */
} operations[] = {
    [KEY_VAULT_GET] = {"GET", "/secrets/", ""},
    [KEY_VAULT_SET] = {"PUT", "/secrets/", ""},
    [KEY_VAULT_UPDATE] = {"PATCH", "/secrets/", "/"},
    [KEY_VAULT_GET_DELETED] = {"GET", "/deletedsecrets/", ""},
    [KEY_VAULT_RECOVER] = {"POST", "/deletedsecrets/", "/recover"},
};

int key_vault_request_build(struct http_request *request, const struct key_vault_request *wanted,
                            struct err *err)
{
    const enum key_vault_operation operation = wanted->operation;
    int rc;

    http_request_init(request, operations[operation].method, DEADLINE);
    request->service = HTTP_TO_KEY_VAULT;
    request->reply_maximum = REPLY_MAX;
    buf_append_format(&request->url, "%s%s%s%s%s?api-version=" API_VERSION, wanted->vault,
                      operations[operation].before, wanted->name, operations[operation].after,
                      operation == KEY_VAULT_UPDATE ? wanted->version : "");
    http_request_header(request, "Accept", "application/json");
    http_request_header(request, "x-ms-client-request-id", wanted->client_request_id);
    if (wanted->token)
        http_request_bearer(request, wanted->token);
    if (wanted->token && wanted->body) {
        http_request_header(request, "Content-Type", "application/json");
        buf_append(&request->body, wanted->body->data, wanted->body->length);
    }
    rc = http_request_check(request);
    return rc < 0 ? err_set(err, rc, "the request to %s does not fit: %s", wanted->vault,
                            strerror(-rc))
                  : 0;
}

/* --- answers --- */

/* The last part of "https://HOST/secrets/NAME/VERSION". */
static bool take_version(struct key_vault_secret *secret, const char *id)
{
    const char *slash = id ? strrchr(id, '/') : NULL;
    const char *version = slash ? slash + 1 : "";

    if (*version == '\0' || strspn(version,
                                   "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR"
                                   "STUVWXYZ-") != strlen(version))
        return false;
    return str_copy(secret->version, sizeof(secret->version), version);
}

int key_vault_secret_read(struct key_vault_secret *secret, const struct http_reply *reply,
                          struct err *err)
{
    struct json_object *attributes;
    int64_t expires = 0;
    bool enabled = true;

    *secret = (struct key_vault_secret){.answer = NULL};
    secret->answer = json_parse_foreign(buf_str(&reply->body), reply->body.length, err);
    if (!secret->answer)
        return err && err->code == -ENOMEM ? -ENOMEM : err_set(err, -EBADMSG, "it is no JSON");
    secret->value = json_string(secret->answer, "value");
    secret->content_type = json_string(secret->answer, "contentType");
    secret->tags = json_member(secret->answer, "tags");
    if (!json_object_is_type(secret->tags, json_type_object))
        secret->tags = NULL;
    attributes = json_member(secret->answer, "attributes");
    (void)json_boolean(attributes, "enabled", &enabled);
    (void)json_int64(attributes, "exp", &expires);
    secret->disabled = !enabled;
    if (expires > 0 && expires < TIME_NEVER / MS_SECOND)
        secret->expires = expires * MS_SECOND;
    if (secret->value && take_version(secret, json_string(secret->answer, "id")))
        return 0;
    key_vault_secret_done(secret);
    return err_set(err, -EBADMSG, "it has no `value`, or no `id` with a version");
}

void key_vault_secret_done(struct key_vault_secret *secret)
{
    json_free_wiped(secret->answer);
    *secret = (struct key_vault_secret){.answer = NULL};
}

/* --- content --- */

struct tag {
    const char *name;
    char value[TAG_TEXT_MAX];
};

static void list_tags(const struct key_vault_content *content, struct tag tags[OWN_TAGS])
{
    tags[0].name = "CredentialId";
    str_copy(tags[0].value, TAG_TEXT_MAX, content->slot == SLOT_PRIMARY ? "Primary" : "Secondary");
    tags[1].name = "ProviderAddress";
    str_copy(tags[1].value, TAG_TEXT_MAX, content->resource_id);
    tags[2].name = "ValidityPeriodDays";
    (void)snprintf(tags[2].value, TAG_TEXT_MAX, "%u", content->validity_days);
    tags[3].name = "Cycle";
    (void)snprintf(tags[3].value, TAG_TEXT_MAX, "%llu", (unsigned long long)content->cycle);
}

bool key_vault_holds_key(const struct key_vault_secret *secret, const struct secret *key)
{
    return secret->value && strlen(secret->value) == secret_length(key) &&
           memcmp(secret->value, secret_bytes(key), secret_length(key)) == 0;
}

bool key_vault_is_marked(const struct key_vault_secret *secret,
                         const struct key_vault_content *content)
{
    struct tag tags[OWN_TAGS];

    list_tags(content, tags);
    for (size_t i = 0; i < OWN_TAGS; i++) {
        if (!str_equal(json_string(secret->tags, tags[i].name), tags[i].value))
            return false;
    }
    return !content->content_type || str_equal(secret->content_type, content->content_type);
}

bool key_vault_expires_soon(const struct key_vault_secret *secret, time_ms now, duration_ms expires)
{
    return secret->expires == 0 || time_between(now, secret->expires) < expires / 2;
}

bool key_vault_is_of(const struct key_vault_secret *secret, const char *resource_id)
{
    return str_equal_nocase(json_string(secret->tags, "ProviderAddress"), resource_id);
}

uint64_t key_vault_cycle(const struct key_vault_secret *secret, const char *resource_id)
{
    const char *text = json_string(secret->tags, "Cycle");
    int64_t cycle = 0;

    if (!key_vault_is_of(secret, resource_id))
        return 0;
    return text && str_to_int64(text, &cycle) && cycle > 0 ? (uint64_t)cycle : 0;
}

static bool is_own_tag(const struct tag tags[OWN_TAGS], const char *name)
{
    for (size_t i = 0; i < OWN_TAGS; i++) {
        if (str_equal_nocase(tags[i].name, name))
            return true;
    }
    return false;
}

/* Returns 0 or -E2BIG. */
static int write_tags(struct buf *out, const struct key_vault_content *content,
                      const struct key_vault_secret *secret)
{
    struct json_object_iterator at, end;
    struct tag tags[OWN_TAGS];
    size_t count = OWN_TAGS;

    list_tags(content, tags);
    json_write_open(out, "tags", '{');
    for (size_t i = 0; i < OWN_TAGS; i++)
        json_write_text(out, tags[i].name, tags[i].value);
    if (secret && secret->tags) {
        at = json_object_iter_begin(secret->tags);
        end = json_object_iter_end(secret->tags);
        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
            const char *name = json_object_iter_peek_name(&at);
            const char *value = json_string(secret->tags, name);

            if (!value || is_own_tag(tags, name))
                continue;
            json_write_text(out, name, value);
            count++;
        }
    }
    json_write_close(out, '}');
    return count <= KEY_VAULT_TAGS_MAX ? 0 : -E2BIG;
}

static void write_expiry(struct buf *out, time_ms expires, bool enable)
{
    if (expires == 0 && !enable)
        return;
    json_write_open(out, "attributes", '{');
    if (enable)
        json_write_bool(out, "enabled", true);
    if (expires != 0)
        json_write_integer(out, "exp", expires / MS_SECOND);
    json_write_close(out, '}');
}

int key_vault_set_body(struct buf *out, const struct key_vault_content *content,
                       const struct key_vault_secret *secret)
{
    const char *content_type = content->content_type;
    int rc;

    if (!content_type && secret)
        content_type = secret->content_type;
    json_write_open(out, NULL, '{');
    json_write_text(out, "value", secret_bytes(content->key));
    if (content_type)
        json_write_text(out, "contentType", content_type);
    rc = write_tags(out, content, secret);
    write_expiry(out, content->expires, true);
    json_write_close(out, '}');
    return out->failed ? out->failed : rc;
}

int key_vault_update_body(struct buf *out, const struct key_vault_content *content,
                          const struct key_vault_secret *secret)
{
    int rc;

    json_write_open(out, NULL, '{');
    if (content->content_type)
        json_write_text(out, "contentType", content->content_type);
    rc = write_tags(out, content, secret);
    write_expiry(out, content->expires, false);
    json_write_close(out, '}');
    return out->failed ? out->failed : rc;
}

int key_vault_expiry_body(struct buf *out, time_ms expires)
{
    json_write_open(out, NULL, '{');
    write_expiry(out, expires, false);
    json_write_close(out, '}');
    return out->failed;
}

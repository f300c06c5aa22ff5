#include "proto/key_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/date.h"
#include "base/json.h"
#include "proto/template.h"
#include "proto/two_key/two_key.h"

/* Does the text consist of characters that are literal, without quotes, for a shell, systemd and a
 * container runtime? */
static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              strchr("+/=._:@-", c)) ||
            c == '\0')
            return false;
    }
    return length > 0;
}

const struct two_key_resource *key_file_type(const struct key_file *file)
{
    const struct two_key_resource *type = two_key_resource_find(file->resource_id);

    return type && file->pair ? two_key_pair_named(type, file->pair) : type;
}

int key_file_raw(const struct key_file *file, struct buf *out)
{
    if (!is_plain(secret_bytes(file->key), secret_length(file->key)))
        return -EINVAL;
    buf_append(out, secret_bytes(file->key), secret_length(file->key));
    return buf_append_char(out, '\n');
}

static void append_key(struct buf *out, const char *name, const struct secret *key)
{
    buf_append_format(out, "%s=", name);
    buf_append(out, secret_bytes(key), secret_length(key));
    buf_append_char(out, '\n');
}

static void append_endpoint(struct buf *out, const char *name, const struct two_key_resource *type,
                            const char *endpoint)
{
    buf_append_format(out, "%s=%s%s\n", name, type->env_host ? "" : "https://", endpoint);
}

int key_file_env(const struct key_file *file, struct buf *out)
{
    const struct two_key_resource *type = key_file_type(file);
    char name[TWO_KEY_ACCOUNT_NAME_MAX];

    (void)two_key_resource_name(file->resource_id, name, sizeof(name));
    if (!type || !is_plain(name, strlen(name)) ||
        (type->env_endpoint && !is_plain(file->account_endpoint, strlen(file->account_endpoint))) ||
        (type->env_key_id && (!file->key_id || !is_plain(file->key_id, strlen(file->key_id)))) ||
        !is_plain(secret_bytes(file->key), secret_length(file->key)))
        return -EINVAL;
    buf_append_format(out, "%s=%s\n", type->env_name, name);
    append_key(out, type->env_key, file->key);
    if (type->env_key_id)
        buf_append_format(out, "%s=%s\n", type->env_key_id, file->key_id);
    if (type->env_endpoint)
        append_endpoint(out, type->env_endpoint, type, file->account_endpoint);
    if (type->env_other_key)
        append_key(out, type->env_other_key, file->key);
    if (type->env_other_endpoint)
        append_endpoint(out, type->env_other_endpoint, type, file->account_endpoint);
    return out->failed;
}

int key_file_env_connection(const struct key_file *file, struct buf *out)
{
    const struct two_key_resource *type = key_file_type(file);
    int rc = key_file_env(file, out);

    if (rc != 0)
        return rc;
    if (!type->env_connection_string || !type->connection_string)
        return -EINVAL;
    buf_append_format(out, "%s='", type->env_connection_string);
    rc = template_expand(type->connection_string, type, file, out);
    return rc == 0 ? buf_append_str(out, "'\n") : rc;
}

static void append_member(struct buf *out, const char *name, const char *value, size_t length)
{
    buf_append_format(out, "\"%s\":", name);
    json_append_string(out, value, length);
    buf_append_char(out, ',');
}

/* What clients of its type take in one piece. */
static void append_connection_string(struct buf *out, const struct key_file *file)
{
    const struct two_key_resource *type = key_file_type(file);
    struct buf text;

    if (file->without_key || !type || !type->connection_string)
        return;
    buf_init(&text, KEY_FILE_MAX);
    if (template_expand(type->connection_string, type, file, &text) == 0)
        append_member(out, "connection_string", buf_str(&text), text.length);
    else if (out->failed == 0)
        out->failed = text.failed != 0 ? text.failed : -EINVAL;
    buf_done(&text);
}

int key_file_json(const struct key_file *file, struct buf *out)
{
    char delivered_at[DATE_TEXT_MAX];

    buf_append_char(out, '{');
    append_member(out, "account", file->account, strlen(file->account));
    append_member(out, "resource_id", file->resource_id, strlen(file->resource_id));
    if (file->pair)
        append_member(out, "pair", file->pair, strlen(file->pair));
    append_member(out, "account_endpoint", file->account_endpoint, strlen(file->account_endpoint));
    append_member(out, "slot", slot_name(file->slot), strlen(slot_name(file->slot)));
    if (!file->without_key)
        append_member(out, "key", secret_bytes(file->key), secret_length(file->key));
    if (file->key_id)
        append_member(out, "key_id", file->key_id, strlen(file->key_id));
    append_connection_string(out, file);
    buf_append_format(out, "\"cycle\":%" PRIu64 ",", file->cycle);
    return buf_append_format(out, "\"delivered_at\":\"%s\"}\n",
                             date_to_rfc3339(file->delivered_at, delivered_at));
}

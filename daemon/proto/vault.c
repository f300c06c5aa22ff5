#include "proto/vault.h"

#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "base/date.h"
#include "base/json_writer.h"
#include "base/str.h"

/* --- requests --- */

void vault_request_init(struct http_request *request, const char *method, const char *address,
                        const char *name_space, const struct secret *token)
{
    http_request_init(request, method, VAULT_DEADLINE);
    request->service = HTTP_TO_HASHICORP_VAULT;
    buf_append_format(&request->url, "%s/v1/", address);
    http_request_header(request, "Accept", "application/json");
    http_request_header(request, "X-Vault-Request", "true");
    if (name_space)
        http_request_header(request, "X-Vault-Namespace", name_space);
    if (token)
        http_request_header(request, "X-Vault-Token", secret_bytes(token));
}

static int append_object(struct buf *url, const struct vault_object *object)
{
    int rc = percent_encode_path(url, object->mount);

    buf_append_str(url, object->engine == VAULT_KV2 ? "/data/" : "/");
    return rc == 0 ? percent_encode_path(url, object->path) : rc;
}

int vault_append_api_path(struct buf *out, const struct vault_object *object)
{
    return buf_append_format(out, "%s/%s%s", object->mount,
                             object->engine == VAULT_KV2 ? "data/" : "", object->path);
}

int vault_read_request(struct http_request *request, const struct vault_object *object,
                       const struct secret *token)
{
    int rc;

    vault_request_init(request, "GET", object->address, object->name_space, token);
    rc = append_object(&request->url, object);
    return rc < 0 ? rc : http_request_check(request);
}

int vault_write_request(struct http_request *request, const struct vault_object *object,
                        const struct secret *token, const struct buf *data, uint64_t version)
{
    struct buf *body = &request->body;
    int rc;

    vault_request_init(request, "POST", object->address, object->name_space, token);
    rc = append_object(&request->url, object);
    http_request_header(request, "Content-Type", "application/json");
    if (object->engine == VAULT_KV1) {
        buf_append(body, data->data, data->length);
    } else {
        json_write_open(body, NULL, '{');
        json_write_open(body, "options", '{');
        json_write_number(body, "cas", version);
        json_write_close(body, '}');
        buf_append_str(body, ",\"data\":");
        buf_append(body, data->data, data->length);
        json_write_close(body, '}');
    }
    return rc < 0 ? rc : http_request_check(request);
}

int vault_mount_request(struct http_request *request, const struct vault_object *object,
                        const struct secret *token)
{
    int rc;

    vault_request_init(request, "GET", object->address, object->name_space, token);
    buf_append_str(&request->url, "sys/internal/ui/mounts/");
    rc = percent_encode_path(&request->url, object->mount);
    buf_append_char(&request->url, '/');
    if (rc == 0)
        rc = percent_encode_path(&request->url, object->path);
    return rc < 0 ? rc : http_request_check(request);
}

int vault_capabilities_request(struct http_request *request, const struct vault_object *object,
                               const struct secret *token)
{
    struct buf path;
    int rc;

    vault_request_init(request, "POST", object->address, object->name_space, token);
    request->repeatable = true; /* it changes nothing */
    buf_append_str(&request->url, "sys/capabilities-self");
    http_request_header(request, "Content-Type", "application/json");
    buf_init(&path, HTTP_URL_MAX);
    (void)vault_append_api_path(&path, object);
    json_write_open(&request->body, NULL, '{');
    json_write_open(&request->body, "paths", '[');
    json_write_text(&request->body, NULL, buf_str(&path));
    json_write_close(&request->body, ']');
    json_write_close(&request->body, '}');
    rc = path.failed;
    buf_done(&path);
    return rc < 0 ? rc : http_request_check(request);
}

/* --- answers --- */

/* Sets *ret_document (NULL: it is no JSON). Returns 0, -EBADMSG or -ENOMEM. */
static int parse(const struct http_reply *reply, struct json_object **ret_document)
{
    struct err err = {.code = 0};

    *ret_document = json_parse_foreign(buf_str(&reply->body), reply->body.length, &err);
    if (*ret_document)
        return 0;
    return err.code == -ENOMEM ? -ENOMEM : -EBADMSG;
}

static bool is_object(struct json_object *value)
{
    return json_object_is_type(value, json_type_object);
}

/* The time of a member, or `otherwise` where it is missing or empty. */
static time_ms time_of(struct json_object *metadata, const char *name, time_ms otherwise)
{
    const char *text = json_string(metadata, name);
    time_ms at;

    return text && date_from_rfc3339(text, &at) ? at : otherwise;
}

/* A version that will delete itself has a time of deletion, too, and is alive until then: only the
 * missing data shows a deletion. */
static int read_version_2(struct vault_content *content, int status)
{
    struct json_object *body = json_member(content->document, "data");
    struct json_object *metadata = json_member(body, "metadata");
    int64_t version = 0;

    if (!is_object(metadata) || !json_int64(metadata, "version", &version) || version < 1)
        return -EBADMSG;
    content->version = (uint64_t)version;
    content->created_at = time_of(metadata, "created_time", 0);
    content->deletes_at = time_of(metadata, "deletion_time", TIME_NEVER);
    content->data = json_member(body, "data");
    if (status == 200 && is_object(content->data))
        content->presence = VAULT_PRESENT;
    else if (!content->data)
        content->presence = VAULT_DELETED;
    else
        return -EBADMSG;
    return 0;
}

/* Nothing stands at the path: no errors, no warnings. */
static bool says_nothing(struct json_object *document)
{
    struct json_object *errors = json_member(document, "errors");

    return is_object(document) && json_object_is_type(errors, json_type_array) &&
           json_object_array_length(errors) == 0 && !json_member(document, "warnings");
}

int vault_read_answer(struct vault_content *content, const struct http_reply *reply,
                      enum vault_engine engine)
{
    int rc;

    *content = (struct vault_content){.deletes_at = TIME_NEVER};
    if (reply->outcome != HTTP_ANSWERED || (reply->status != 200 && reply->status != 404))
        return -EBADMSG;
    rc = parse(reply, &content->document);
    if (rc < 0)
        return rc;
    if (reply->status == 404 && says_nothing(content->document))
        return 0;
    if (engine == VAULT_KV2)
        return read_version_2(content, reply->status);
    content->data = json_member(content->document, "data");
    if (reply->status != 200 || !is_object(content->data))
        return -EBADMSG;
    content->presence = VAULT_PRESENT;
    return 0;
}

static void append_strings(struct buf *out, struct json_object *value)
{
    if (json_object_is_type(value, json_type_string)) {
        buf_append(out, json_object_get_string(value), (size_t)json_object_get_string_len(value));
        buf_append_char(out, '\n');
    } else if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, member)
        {
            (void)name;
            append_strings(out, member);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            append_strings(out, json_object_array_get_idx(value, i));
    }
}

int vault_content_text(const struct vault_content *content, struct buf *out)
{
    append_strings(out, content->data);
    return out->failed;
}

void vault_content_done(struct vault_content *content)
{
    json_free_wiped(content->document);
    *content = (struct vault_content){.deletes_at = TIME_NEVER};
}

int vault_write_answer(const struct http_reply *reply, enum vault_engine engine)
{
    struct json_object *document;
    int64_t version = 0;
    bool good;
    int rc;

    if (reply->outcome != HTTP_ANSWERED)
        return -EBADMSG;
    if (engine == VAULT_KV1 && reply->status == 204)
        return 0;
    if (reply->status != 200)
        return -EBADMSG;
    rc = parse(reply, &document);
    if (rc < 0)
        return rc;
    if (engine == VAULT_KV1) /* 200 in place of 204 brings warnings */
        good = !!json_member(document, "warnings");
    else
        good = json_int64(json_member(document, "data"), "version", &version) && version > 0;
    json_free_wiped(document);
    return good ? 0 : -EBADMSG;
}

int vault_mount_answer(const struct http_reply *reply, char *ret_type, size_t size)
{
    struct json_object *document, *mount;
    const char *type, *text;
    int version = 0;
    int rc;

    ret_type[0] = '\0';
    if (reply->outcome != HTTP_ANSWERED || reply->status != 200)
        return 0;
    rc = parse(reply, &document);
    if (rc < 0)
        return rc == -ENOMEM ? rc : 0;
    mount = json_member(document, "data");
    type = json_string(mount, "type");
    text = json_string(json_member(mount, "options"), "version");
    if (str_equal(type, "kv") || str_equal(type, "generic"))
        version = str_equal(text, "2") ? 2 : 1;
    else if (type)
        (void)str_copy(ret_type, size, type);
    json_object_put(document);
    return version;
}

static void note_capability(struct vault_capabilities *may, const char *word)
{
    bool is_root = str_equal(word, "root");

    may->read = may->read || is_root || str_equal(word, "read");
    may->create = may->create || is_root || str_equal(word, "create");
    may->update = may->update || is_root || str_equal(word, "update");
}

/* Servers put the list into `data`, beside it, or both. */
static struct json_object *capabilities_of(struct json_object *document, const char *path)
{
    struct json_object *list = json_member(json_member(document, "data"), path);

    return list ? list : json_member(document, path);
}

int vault_capabilities_answer(struct vault_capabilities *may, const struct http_reply *reply,
                              const struct vault_object *object)
{
    struct json_object *document, *list;
    struct buf path;
    int rc;

    *may = (struct vault_capabilities){.read = false};
    if (reply->outcome != HTTP_ANSWERED || reply->status != 200)
        return -EBADMSG;
    rc = parse(reply, &document);
    if (rc < 0)
        return rc;
    buf_init(&path, HTTP_URL_MAX);
    rc = vault_append_api_path(&path, object);
    list = capabilities_of(document, buf_str(&path));
    buf_done(&path);
    if (rc == 0 && !json_object_is_type(list, json_type_array))
        rc = -EBADMSG;
    for (size_t i = 0; rc == 0 && i < json_object_array_length(list); i++) {
        struct json_object *word = json_object_array_get_idx(list, i);

        if (json_object_is_type(word, json_type_string))
            note_capability(may, json_object_get_string(word));
    }
    json_object_put(document);
    return rc;
}

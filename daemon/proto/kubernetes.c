#include "proto/kubernetes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_object_iterator.h>

#include "base/encoding.h"
#include "base/json.h"
#include "base/str.h"

/* The API server ends an apply by itself after 34 s. */
#define GET_DEADLINE   (20 * MS_SECOND)
#define APPLY_DEADLINE (37 * MS_SECOND)

enum {
    BODY_MAX = 3 * 1024 * 1024 / 2, /* KUBERNETES_DATA_MAX in base64, and the rest */
    REPLY_MAX = 3 * 1024 * 1024,    /* the same, with the keys of others and their managers */
    PAIRS_GROWTH = 4,
    CYCLE_DIGITS_MAX = 20
};

static const char preflight[] = "preflight";

/* --- what is to stand in the Secret --- */

struct buf *kubernetes_add(struct kubernetes_pairs *pairs, const char *name, size_t maximum)
{
    struct kubernetes_pair *pair;

    if (pairs->count == pairs->capacity) {
        struct kubernetes_pair *more =
            realloc(pairs->items, (pairs->capacity + PAIRS_GROWTH) * sizeof(*more));

        if (!more)
            return NULL;
        pairs->items = more;
        pairs->capacity += PAIRS_GROWTH;
    }
    pair = &pairs->items[pairs->count];
    pair->name = str_dup(name);
    if (!pair->name)
        return NULL;
    buf_init(&pair->value, maximum);
    pairs->count++;
    return &pair->value;
}

static void pairs_done(struct kubernetes_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].name);
        buf_done(&pairs->items[i].value);
    }
    free(pairs->items);
}

void kubernetes_secret_done(struct kubernetes_secret *secret)
{
    free(secret->space);
    free(secret->name);
    free(secret->manager);
    pairs_done(&secret->data);
    pairs_done(&secret->labels);
    pairs_done(&secret->annotations);
    *secret = (struct kubernetes_secret){0};
}

/* --- requests --- */

/* Names consist of characters that stand in a URL as they are. */
static void start_request(struct http_request *request, const char *method, duration_ms deadline,
                          const struct kubernetes_access *access,
                          const struct kubernetes_secret *secret)
{
    size_t length = strlen(access->url);

    while (length > 0 && access->url[length - 1] == '/')
        length--;
    http_request_init(request, method, deadline);
    request->service = HTTP_TO_KUBERNETES;
    request->reply_maximum = REPLY_MAX;
    (void)buf_append(&request->url, access->url, length);
    (void)buf_append_format(&request->url, "/api/v1/namespaces/%s/secrets/%s", secret->space,
                            secret->name);
    if (access->token)
        http_request_bearer(request, access->token);
}

static int finish_request(const struct http_request *request, int rc, struct err *err)
{
    if (rc == 0)
        rc = http_request_check(request);
    if (rc == -ENOMEM)
        return err_set(err, rc, "out of memory");
    if (rc != 0)
        return err_set(err, rc,
                       "the URL of the API server or its token is too long, or has a character "
                       "that HTTP does not allow");
    return 0;
}

int kubernetes_get_build(struct http_request *request, const struct kubernetes_access *access,
                         const struct kubernetes_secret *secret, struct err *err)
{
    start_request(request, "GET", GET_DEADLINE, access, secret);
    http_request_header(request, "Accept", "application/json");
    return finish_request(request, 0, err);
}

static void append_name(struct buf *out, bool first, const char *name)
{
    if (!first)
        (void)buf_append_char(out, ',');
    (void)json_append_string(out, name, strlen(name));
    (void)buf_append_char(out, ':');
}

static int append_texts(struct buf *out, const char *name, const struct kubernetes_pairs *pairs)
{
    append_name(out, false, name);
    (void)buf_append_char(out, '{');
    for (size_t i = 0; i < pairs->count; i++) {
        append_name(out, i == 0, pairs->items[i].name);
        (void)json_append_string(out, buf_str(&pairs->items[i].value),
                                 pairs->items[i].value.length);
    }
    return buf_append_char(out, '}');
}

static int append_data(struct buf *out, const struct kubernetes_pairs *pairs, bool dry_run)
{
    (void)buf_append_str(out, ",\"data\":{");
    for (size_t i = 0; i < pairs->count; i++) {
        const struct buf *value = &pairs->items[i].value;
        char *encoded = dry_run ? base64_encode(preflight, strlen(preflight))
                                : base64_encode(buf_str(value), value->length);

        if (!encoded)
            return -ENOMEM;
        append_name(out, i == 0, pairs->items[i].name);
        (void)buf_append_format(out, "\"%s\"", encoded);
        wiping_free(encoded);
    }
    return buf_append_char(out, '}');
}

/* JSON is YAML, and takes no escapes that a key could need. */
static int append_body(struct buf *out, const struct kubernetes_secret *secret, bool dry_run)
{
    int rc;

    (void)buf_append_format(out,
                            "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{"
                            "\"name\":\"%s\",\"namespace\":\"%s\"",
                            secret->name, secret->space);
    if (secret->labels.count > 0)
        (void)append_texts(out, "labels", &secret->labels);
    if (secret->annotations.count > 0)
        (void)append_texts(out, "annotations", &secret->annotations);
    (void)buf_append_str(out, "},\"type\":\"Opaque\"");
    rc = append_data(out, &secret->data, dry_run);
    (void)buf_append_char(out, '}');
    return rc != 0 ? rc : out->failed;
}

/* The server sends metadata only where it can, for the whole Secret holds the keys of others. */
int kubernetes_apply_build(struct http_request *request, const struct kubernetes_access *access,
                           const struct kubernetes_secret *secret, bool dry_run, struct err *err)
{
    int rc;

    start_request(request, "PATCH", APPLY_DEADLINE, access, secret);
    (void)buf_append_str(&request->url, "?fieldManager=");
    (void)percent_encode(&request->url, secret->manager, strlen(secret->manager));
    (void)buf_append_format(&request->url, "&force=false%s", dry_run ? "&dryRun=All" : "");
    http_request_header(request, "Content-Type", "application/apply-patch+yaml");
    http_request_header(request, "Accept",
                        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
                        "application/json");
    request->repeatable = true; /* the same apply twice is the same as once */
    request->body.maximum = BODY_MAX;
    rc = append_body(&request->body, secret, dry_run);
    return finish_request(request, rc, err);
}

/* --- answers --- */

void kubernetes_sight_done(struct kubernetes_sight *sight)
{
    buf_done(&sight->values);
}

static const struct buf *find(const struct kubernetes_pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (str_equal(pairs->items[i].name, name))
            return &pairs->items[i].value;
    }
    return NULL;
}

static bool holds_texts(struct json_object *map, const struct kubernetes_pairs *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (!str_equal(json_string(map, wanted->items[i].name), buf_str(&wanted->items[i].value)))
            return false;
    }
    return true;
}

/* Appends the value that the base64 text stands for, and a line end. `same`: it is the wanted one.
 * A text that is no base64 stays as it is: it holds no key. */
static int take_value(struct buf *values, const char *text, const struct buf *wanted, bool *same)
{
    const size_t length = strlen(text);
    const size_t size = length / 4 * 3;
    uint8_t *bytes = malloc(size + 1);
    long decoded;

    if (!bytes)
        return -ENOMEM;
    decoded = base64_decode(text, length, bytes, size);
    *same = decoded >= 0 && (size_t)decoded == wanted->length &&
            memcmp(bytes, buf_str(wanted), wanted->length) == 0;
    if (decoded >= 0)
        (void)buf_append(values, bytes, (size_t)decoded);
    else
        (void)buf_append(values, text, length);
    wiping_free(bytes);
    return buf_append_char(values, '\n');
}

static int take_data(struct kubernetes_sight *sight, struct json_object *data,
                     const struct kubernetes_pairs *wanted)
{
    int rc = 0;

    sight->holds_data = true;
    for (size_t i = 0; i < wanted->count && rc == 0; i++) {
        const char *text = json_string(data, wanted->items[i].name);
        bool same = false;

        if (text)
            rc = take_value(&sight->values, text, &wanted->items[i].value, &same);
        sight->holds_data = sight->holds_data && same;
    }
    return rc;
}

/* Are the fields below `f:NAME` those of `pairs`? The member "." stands for the map itself. */
static bool owns_exactly(struct json_object *fields, const struct kubernetes_pairs *pairs)
{
    struct json_object_iterator at, end;
    size_t count = 0;

    if (!json_object_is_type(fields, json_type_object))
        return pairs->count == 0;
    at = json_object_iter_begin(fields);
    end = json_object_iter_end(fields);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        const char *name = json_object_iter_peek_name(&at);

        if (!str_starts_with(name, "f:"))
            continue;
        if (!find(pairs, name + 2))
            return false;
        count++;
    }
    return count == pairs->count;
}

static bool is_ours(struct json_object *entry, const struct kubernetes_secret *secret)
{
    struct json_object *fields = json_member(entry, "fieldsV1");
    struct json_object *metadata = json_member(fields, "f:metadata");

    return str_equal(json_string(entry, "manager"), secret->manager) &&
           str_equal(json_string(entry, "operation"), "Apply") &&
           owns_exactly(json_member(fields, "f:data"), &secret->data) &&
           owns_exactly(json_member(metadata, "f:labels"), &secret->labels) &&
           owns_exactly(json_member(metadata, "f:annotations"), &secret->annotations);
}

/* Otherwise an apply has to hand over fields to us, or delete one that was taken out of the
 * configuration. */
static bool is_managed(struct json_object *metadata, const struct kubernetes_secret *secret)
{
    struct json_object *managers = json_member(metadata, "managedFields");

    if (!json_object_is_type(managers, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(managers); i++) {
        if (is_ours(json_object_array_get_idx(managers, i), secret))
            return true;
    }
    return false;
}

static void take_cycle(struct kubernetes_sight *sight, struct json_object *annotations)
{
    const char *text = json_string(annotations, KUBERNETES_ANNOTATION_CYCLE);
    int64_t cycle;

    if (text && strlen(text) <= CYCLE_DIGITS_MAX && str_to_int64(text, &cycle) && cycle > 0)
        sight->cycle = (uint64_t)cycle;
}

static bool is_object_of(struct json_object *object, const struct kubernetes_secret *secret)
{
    struct json_object *metadata = json_member(object, "metadata");
    const char *kind = json_string(object, "kind");

    return (str_equal(kind, "Secret") || str_equal(kind, "PartialObjectMetadata")) &&
           str_equal(json_string(metadata, "name"), secret->name) &&
           str_equal(json_string(metadata, "namespace"), secret->space);
}

static int take_secret(struct kubernetes_sight *sight, struct json_object *object,
                       const struct kubernetes_secret *secret)
{
    struct json_object *metadata = json_member(object, "metadata");
    struct json_object *annotations = json_member(metadata, "annotations");

    sight->exists = true;
    take_cycle(sight, annotations);
    if (take_data(sight, json_member(object, "data"), &secret->data) != 0)
        return -ENOMEM;
    sight->holds_all =
        sight->holds_data && holds_texts(json_member(metadata, "labels"), &secret->labels) &&
        holds_texts(annotations, &secret->annotations) && is_managed(metadata, secret);
    return 0;
}

/* NULL with *failure filled where the body is not that object. */
static struct json_object *parse_object(const struct http_reply *reply,
                                        const struct kubernetes_subject *subject,
                                        struct failure *failure)
{
    struct err err = {.code = 0};
    struct json_object *object =
        json_parse_foreign(reply->body.data ? reply->body.data : "", reply->body.length, &err);

    if (object && is_object_of(object, subject->secret))
        return object;
    kubernetes_unreadable(reply, subject,
                          reply->body.length == 0 ? "an empty body"
                          : object                ? "something else than that Secret"
                                                  : err.text,
                          failure);
    json_free_wiped(object);
    return NULL;
}

enum kubernetes_verdict kubernetes_get_read(struct kubernetes_sight *sight,
                                            const struct http_reply *reply,
                                            const struct kubernetes_subject *subject, time_ms now,
                                            struct failure *failure)
{
    struct json_object *object;
    int rc;

    *sight = (struct kubernetes_sight){.exists = false};
    buf_init(&sight->values, REPLY_MAX);
    if (reply->outcome != HTTP_ANSWERED || reply->status != 200)
        return kubernetes_failure(reply, subject, now, failure);
    object = parse_object(reply, subject, failure);
    if (!object)
        return KUBERNETES_FAILED;
    rc = take_secret(sight, object, subject->secret);
    json_free_wiped(object);
    if (rc == 0)
        return KUBERNETES_DONE;
    kubernetes_unreadable(reply, subject, "more than there is memory for", failure);
    return KUBERNETES_FAILED;
}

enum kubernetes_verdict kubernetes_apply_read(const struct http_reply *reply,
                                              const struct kubernetes_subject *subject, time_ms now,
                                              struct failure *failure)
{
    struct json_object *object;

    if (reply->outcome != HTTP_ANSWERED || (reply->status != 200 && reply->status != 201))
        return kubernetes_failure(reply, subject, now, failure);
    object = parse_object(reply, subject, failure);
    json_free_wiped(object);
    return object ? KUBERNETES_DONE : KUBERNETES_FAILED;
}

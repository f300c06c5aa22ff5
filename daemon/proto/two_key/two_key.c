#include "proto/two_key/two_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/encoding.h"
#include "base/json_path.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "proto/arm_list.h"

enum { HOST_MAX = 253, PORT_MAX = 65535, KEY_ID_MAX = 256, PATH_MAX_BYTES = 4096 };

void resource_facts_done(struct resource_facts *facts)
{
    free(facts->endpoint);
    free(facts->location);
    free(facts->etag);
    *facts = (struct resource_facts){.endpoint = NULL};
}

static bool is_host_character(char c)
{
    return char_is_alphanumeric(c) || c == '-' || c == '.';
}

bool two_key_endpoint_ok(const char *endpoint)
{
    size_t length = 0;
    int64_t port;

    while (is_host_character(endpoint[length]))
        length++;
    if (length == 0 || length > HOST_MAX || endpoint[0] == '.' || endpoint[0] == '-')
        return false;
    if (endpoint[length] == '\0')
        return true;
    return endpoint[length] == ':' && str_to_int64(endpoint + length + 1, &port) && port >= 1 &&
           port <= PORT_MAX;
}

bool two_key_is_among(const char *words, const char *name, size_t length)
{
    while (*words != '\0') {
        const size_t word = strcspn(words, " ");

        if (word == length && strncasecmp(words, name, length) == 0)
            return true;
        words += word + (words[word] == ' ');
    }
    return false;
}

bool two_key_name_ok(const struct two_key_resource *resource, const char *name, size_t length)
{
    const struct two_key_name *rule = &resource->name;
    bool ok = length >= rule->shortest && length <= rule->longest &&
              (!rule->only || two_key_is_among(rule->only, name, length));

    for (size_t i = 0; i < length && ok; i++)
        ok = char_is_alphanumeric(name[i]) ||
             (i > 0 && i + 1 < length && name[i] != '\0' && strchr(rule->marks, name[i]));
    return ok;
}

bool two_key_above_name_ok(const char *name, size_t length)
{
    bool ok = length > 0 && !two_key_is_among(". ..", name, length);

    for (size_t i = 0; i < length && ok; i++)
        ok = char_is_alphanumeric(name[i]) || (name[i] != '\0' && strchr("-._~", name[i]));
    return ok;
}

bool two_key_above_ok(const struct two_key_resource *resource, const char *resource_id)
{
    const struct two_key_names names = two_key_names_of(resource_id);

    for (size_t i = 0; i + 1 < names.count; i++)
        if (!two_key_above_name_ok(names.at[i].text, names.at[i].length))
            return false;
    return !resource->above || names.count < 2 ||
           two_key_is_among(resource->above, names.at[names.count - 2].text,
                            names.at[names.count - 2].length);
}

int two_key_body(const struct two_key_operation *operation, const char *resource_id,
                 const char *key_id, struct buf *out, struct err *err)
{
    const struct two_key_names names = two_key_names_of(resource_id);
    const char *open = operation->in_list ? "[" : "", *close = operation->in_list ? "]" : "";
    const char *word = operation->word ? operation->word : key_id;

    if (operation->member && !word)
        return err_set(err, -ENODATA, "the id of the key is not known");
    if (operation->member)
        (void)buf_append_char(out, '{');
    if (operation->member && operation->owner && names.count > 0) {
        (void)buf_append_format(out, "\"%s\":", operation->owner);
        (void)json_append_string(out, names.at[names.count - 1].text,
                                 names.at[names.count - 1].length);
        (void)buf_append_char(out, ',');
    }
    if (operation->member) {
        (void)buf_append_format(out, "\"%s\":%s", operation->member, open);
        (void)json_append_string(out, word, strlen(word));
        (void)buf_append_format(out, "%s}", close);
    }
    return out->failed == 0 ? 0 : err_set(err, out->failed, "the body does not fit");
}

/* The path in an answer, with the names in the id for "{1}" to "{4}". */
static void expand_path(char out[JSON_PATH_MAX], const char *path, const char *resource_id)
{
    const struct two_key_names names = two_key_names_of(resource_id);
    size_t length = 0;

    while (*path != '\0' && length + 1 < JSON_PATH_MAX) {
        const size_t number = path[0] == '{' ? (size_t)(path[1] - '1') : TWO_KEY_NAMES_MAX;

        if (number >= TWO_KEY_NAMES_MAX) {
            out[length++] = *path++;
            continue;
        }
        if (number < names.count)
            length += (size_t)snprintf(out + length, JSON_PATH_MAX - length, "%.*s",
                                       (int)names.at[number].length, names.at[number].text);
        path += strlen("{1}");
    }
    out[length < JSON_PATH_MAX ? length : JSON_PATH_MAX - 1] = '\0';
}

static int read_key(const struct two_key_resource *resource, const char *resource_id,
                    struct json_object *document, enum slot slot, struct secret **ret_key,
                    struct err *err)
{
    char path[JSON_PATH_MAX];
    const char *text;

    expand_path(path, resource->key_paths[slot], resource_id);
    if (json_text_at(document, path, &text, err) < 0)
        return -EINVAL;
    if (!text)
        return err_set(err, -ENODATA, "the member \"%s\" is missing or not a string", path);
    *ret_key = secret_new(text, strlen(text));
    if (!*ret_key)
        return err_set(err, -ENOMEM, "there is no memory for the keys");
    if (!key_text_fits(*ret_key, resource->key_shape))
        return err_set(err, -EINVAL, "the member \"%s\" is not %s", path,
                       resource->key_shape->noun);
    return 0;
}

static int check_name(const struct two_key_resource *resource, const char *resource_id,
                      struct json_object *document, struct err *err)
{
    const struct two_key_names names = two_key_names_of(resource_id);
    const char *answered = NULL;

    if (resource->name_path && json_text_at(document, resource->name_path, &answered, err) < 0)
        return -EINVAL;
    if (answered && names.count > 0 &&
        (strlen(answered) != names.at[names.count - 1].length ||
         strncasecmp(answered, names.at[names.count - 1].text, strlen(answered)) != 0))
        return err_set(err, -EINVAL, "it describes another resource than %.*s",
                       (int)names.at[names.count - 1].length, names.at[names.count - 1].text);
    return 0;
}

static int read_document(const struct two_key_resource *resource, const char *resource_id,
                         struct json_object *document, struct secret *keys[SLOT_COUNT],
                         struct err *err)
{
    int rc = check_name(resource, resource_id, document, err);

    for (unsigned slot = 0; slot < SLOT_COUNT && rc == 0; slot++)
        rc = read_key(resource, resource_id, document, (enum slot)slot, &keys[slot], err);
    if (rc < 0)
        return rc;
    if (secret_equal(keys[SLOT_PRIMARY], keys[SLOT_SECONDARY]))
        return err_set(err, -EINVAL, "both keys are the same");
    return 0;
}

int two_key_read(const struct two_key_resource *resource, const char *resource_id, const char *body,
                 size_t length, struct secret *keys[SLOT_COUNT], struct err *err)
{
    struct json_object *document = json_parse_foreign(body, length, err);
    int rc;

    keys[SLOT_PRIMARY] = NULL;
    keys[SLOT_SECONDARY] = NULL;
    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EINVAL;
    rc = read_document(resource, resource_id, document, keys, err);
    json_free_wiped(document);
    if (rc < 0) {
        secret_clear(&keys[SLOT_PRIMARY]);
        secret_clear(&keys[SLOT_SECONDARY]);
    }
    return rc;
}

/* --- ids of keys --- */

static bool is_key_id(const char *text)
{
    size_t length = 0;

    while (char_is_alphanumeric(text[length]) ||
           (text[length] != '\0' && strchr("+/=._:@-", text[length])))
        length++;
    return length > 0 && length <= KEY_ID_MAX && text[length] == '\0';
}

static int read_id(const char *path, struct json_object *document, char **ret_id, struct err *err)
{
    const char *text;

    if (json_text_at(document, path, &text, err) < 0)
        return -EINVAL;
    if (!text || !is_key_id(text))
        return err_set(err, -EINVAL, "the member \"%s\" is missing or not the id of a key", path);
    *ret_id = str_dup(text);
    return *ret_id ? 0 : err_set(err, -ENOMEM, "there is no memory for the ids of the keys");
}

int two_key_read_ids(const struct two_key_resource *resource, const char *body, size_t length,
                     char *ids[SLOT_COUNT], struct err *err)
{
    struct json_object *document;
    int rc = 0;

    ids[SLOT_PRIMARY] = NULL;
    ids[SLOT_SECONDARY] = NULL;
    if (!resource->id_paths[SLOT_PRIMARY])
        return 0;
    document = json_parse_foreign(body, length, err);
    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EINVAL;
    for (unsigned slot = 0; slot < SLOT_COUNT && rc == 0; slot++)
        rc = read_id(resource->id_paths[slot], document, &ids[slot], err);
    json_free_wiped(document);
    for (unsigned slot = 0; slot < SLOT_COUNT && rc < 0; slot++) {
        free(ids[slot]);
        ids[slot] = NULL;
    }
    return rc;
}

/* --- pages --- */

void two_key_pages_done(struct two_key_pages *pages)
{
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        secret_clear(&pages->keys[slot]);
        free(pages->ids[slot]);
    }
    *pages = (struct two_key_pages){.made = {0}};
}

/* 0 also where this page does not hold it. */
static int add_key(const struct two_key_resource *resource, const char *resource_id,
                   struct json_object *document, enum slot slot, time_ms made,
                   struct two_key_pages *pages, struct err *err)
{
    int rc = pages->keys[slot]
                 ? -ENODATA
                 : read_key(resource, resource_id, document, slot, &pages->keys[slot], err);

    if (rc == 0 && resource->id_paths[slot])
        rc = read_id(resource->id_paths[slot], document, &pages->ids[slot], err);
    if (rc == 0)
        pages->made[slot] = made;
    return rc == -ENODATA ? 0 : rc;
}

static int read_link(struct json_object *document, char *link, size_t size, struct err *err)
{
    const char *text;
    struct json_object *value;

    if (json_at(document, "nextLink", &value, err) < 0 ||
        json_text_at(document, "nextLink", &text, err) < 0)
        return -EINVAL;
    if (!value || (text && *text == '\0'))
        return err_set(err, -ENODATA, "the list ends without both keys");
    if (!text || !str_copy(link, size, text))
        return err_set(err, -EINVAL, "its nextLink is no text, or too long");
    return 1;
}

static int read_page(const struct two_key_resource *resource, const char *resource_id,
                     struct json_object *document, const time_ms made[SLOT_COUNT],
                     struct two_key_pages *pages, char *link, size_t size, struct err *err)
{
    int rc = check_name(resource, resource_id, document, err);

    for (unsigned slot = 0; slot < SLOT_COUNT && rc == 0; slot++)
        rc = add_key(resource, resource_id, document, (enum slot)slot, made[slot], pages, err);
    if (rc < 0)
        return rc;
    if (!pages->keys[SLOT_PRIMARY] || !pages->keys[SLOT_SECONDARY])
        return read_link(document, link, size, err);
    if (secret_equal(pages->keys[SLOT_PRIMARY], pages->keys[SLOT_SECONDARY]))
        return err_set(err, -EINVAL, "both keys are the same");
    return 0;
}

int two_key_read_page(const struct two_key_resource *resource, const char *resource_id,
                      const char *body, size_t length, struct two_key_pages *pages, char *link,
                      size_t size, struct err *err)
{
    struct json_object *document = json_parse_foreign(body, length, err);
    time_ms made[SLOT_COUNT] = {0};
    int rc;

    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EINVAL;
    two_key_read_made(resource, TOLD_BY_LIST, body, length, made);
    rc = read_page(resource, resource_id, document, made, pages, link, size, err);
    json_free_wiped(document);
    return rc;
}

int two_key_link_check(const struct two_key_resource *resource, const char *resource_id,
                       const char *link, const char *resource_manager, struct err *err)
{
    const char *host, *path;
    char id[PATH_MAX_BYTES];
    struct buf expected;
    int rc = arm_link_check(link, resource_manager, err);

    if (rc < 0)
        return rc;
    host = strstr(link, "://") + strlen("://");
    path = host + strcspn(host, "/?");
    buf_init(&expected, PATH_MAX_BYTES);
    (void)snprintf(id, sizeof(id), "%.*s", (int)two_key_changed_length(resource_id), resource_id);
    (void)percent_encode_path(&expected, id);
    (void)buf_append_format(&expected, "/%s", resource->list.name);
    if (expected.failed != 0)
        rc = err_set(err, expected.failed, "the id does not fit");
    else if (strcspn(path, "?") != expected.length ||
             strncasecmp(path, buf_str(&expected), expected.length) != 0)
        rc = err_set(err, -EPERM,
                     "the list goes on at another place than the list of this resource: it gets no "
                     "token");
    buf_done(&expected);
    return rc;
}

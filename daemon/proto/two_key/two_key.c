#include "proto/two_key/two_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_path.h"
#include "base/str.h"

enum { HOST_MAX = 253, PORT_MAX = 65535 };

void resource_facts_done(struct resource_facts *facts)
{
    free(facts->endpoint);
    free(facts->location);
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

int two_key_body(const struct two_key_operation *operation, struct buf *out)
{
    const char *open = operation->in_list ? "[" : "", *close = operation->in_list ? "]" : "";

    if (!operation->member)
        return out->failed;
    return buf_append_format(out, "{\"%s\":%s\"%s\"%s}", operation->member, open, operation->word,
                             close);
}

static int read_key(const struct two_key_resource *resource, struct json_object *document,
                    enum slot slot, struct secret **ret_key, struct err *err)
{
    const char *path = resource->key_paths[slot];
    const char *text;

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

static int read_document(const struct two_key_resource *resource, const char *name,
                         struct json_object *document, struct secret *keys[SLOT_COUNT],
                         struct err *err)
{
    const char *answered = NULL;
    int rc = 0;

    if (resource->name_path && json_text_at(document, resource->name_path, &answered, err) < 0)
        return -EINVAL;
    if (answered && !str_equal_nocase(answered, name))
        return err_set(err, -EINVAL, "it describes another resource than %s", name);
    for (unsigned slot = 0; slot < SLOT_COUNT && rc == 0; slot++)
        rc = read_key(resource, document, (enum slot)slot, &keys[slot], err);
    if (rc < 0)
        return rc;
    if (secret_equal(keys[SLOT_PRIMARY], keys[SLOT_SECONDARY]))
        return err_set(err, -EINVAL, "both keys are the same");
    return 0;
}

int two_key_read(const struct two_key_resource *resource, const char *name, const char *body,
                 size_t length, struct secret *keys[SLOT_COUNT], struct err *err)
{
    struct json_object *document = json_parse_foreign(body, length, err);
    int rc;

    keys[SLOT_PRIMARY] = NULL;
    keys[SLOT_SECONDARY] = NULL;
    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EINVAL;
    rc = read_document(resource, name, document, keys, err);
    json_free_wiped(document);
    if (rc < 0) {
        secret_clear(&keys[SLOT_PRIMARY]);
        secret_clear(&keys[SLOT_SECONDARY]);
    }
    return rc;
}

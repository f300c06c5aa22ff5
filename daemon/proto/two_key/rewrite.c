#include "proto/two_key/rewrite.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <json-c/linkhash.h>

#include "base/str.h"
#include "proto/two_key/neighbours.h"

enum { ELEMENTS_MAX = 512, KEY_SHORTEST = 16 };

/* --- the resource --- */

/* Strictly: what could not be read as it stands could not be written back. One byte order mark says
 * nothing. */
static struct json_object *parse(const char *text, size_t length, struct err *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    const size_t skipped = length >= sizeof(mark) - 1 && memcmp(text, mark, sizeof(mark) - 1) == 0
                               ? sizeof(mark) - 1
                               : 0;

    return json_parse(text + skipped, length - skipped, err);
}

int two_key_whole_read(struct two_key_whole *whole, const char *body, size_t length,
                       struct err *err)
{
    const char *etag;
    int rc = 0;

    *whole = (struct two_key_whole){.document = parse(body, length, err)};
    if (!whole->document)
        return err->code == -ENOMEM ? -ENOMEM : -EBADMSG;
    etag = json_string(whole->document, "etag");
    if (!json_object_is_type(json_member(whole->document, "properties"), json_type_object))
        rc = err_set(err, -EBADMSG, "the member \"properties\" is missing or no object");
    else
        rc = two_key_etag_check(etag, err);
    if (rc == 0)
        (void)str_copy(whole->etag, sizeof(whole->etag), etag);
    if (rc < 0)
        two_key_whole_done(whole);
    return rc;
}

void two_key_whole_done(struct two_key_whole *whole)
{
    if (whole->document)
        json_free_wiped(whole->document);
    *whole = (struct two_key_whole){.document = NULL};
}

/* --- what has to be there --- */

/* What is written, and with what. */
struct rewriting {
    const struct two_key_rewrite *by;
    struct json_object *properties; /* of the resource */
    struct json_object *listed;     /* all elements with their keys */
    struct json_object *described;  /* of the resource, usually without keys; NULL: not shown */
    struct json_object *chosen;     /* of `listed`: the account's */
    enum slot slot;
    size_t keys_written;
    const char *odd_name; /* of a member that Azure could take for a key; NULL: there is none */
};

/* Base64 by its looks, and no mask. Those of others may have been chosen by hand, and be short. */
static bool is_key(const char *text)
{
    const size_t length = text ? strlen(text) : 0;

    for (size_t i = 0; i < length; i++)
        if (!char_is_alphanumeric(text[i]) && !strchr("+/=", text[i]))
            return false;
    return length >= KEY_SHORTEST;
}

static int check_element(const struct two_key_rewrite *by, struct json_object *element,
                         struct err *err)
{
    const char *name = json_string(element, by->name), *rights = json_string(element, by->rights);

    if (!name || *name == '\0')
        return err_set(err, -EBADMSG, "a %s in the list has no \"%s\"", by->noun, by->name);
    if (!rights || *rights == '\0')
        return err_set(err, -EBADMSG, "the %s \"%.64s\" in the list has no \"%s\"", by->noun, name,
                       by->rights);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (!is_key(json_string(element, by->keys[slot])))
            return err_set(err, -EBADMSG, "the %s \"%.64s\" in the list has no \"%s\"", by->noun,
                           name, by->keys[slot]);
    return 0;
}

/* The element of that name, in any case; NULL: there is none. *ret_count: how many there are. */
static struct json_object *find(struct json_object *list, const char *member, const char *name,
                                size_t length, size_t *ret_count)
{
    struct json_object *found = NULL;

    *ret_count = 0;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *element = json_object_array_get_idx(list, i);
        const char *text = json_string(element, member);

        if (!text || strlen(text) != length || strncasecmp(text, name, length) != 0)
            continue;
        found = element;
        ++*ret_count;
    }
    return found;
}

static int check_listed(const struct rewriting *rewriting, struct json_object *document,
                        struct err *err)
{
    const struct two_key_rewrite *by = rewriting->by;
    struct json_object *list = rewriting->listed;
    const size_t count =
        json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    size_t same;
    int rc = 0;

    if (count == 0 || count > ELEMENTS_MAX)
        return err_set(err, -EBADMSG, "\"%s\" is no list of 1 to %d entries", by->listed,
                       ELEMENTS_MAX);
    if (two_key_list_goes_on(document))
        return err_set(err, -EBADMSG, "the list of its keys goes on elsewhere");
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct json_object *element = json_object_array_get_idx(list, i);
        const char *name;

        rc = check_element(by, element, err);
        if (rc < 0)
            break;
        name = json_string(element, by->name);
        (void)find(list, by->name, name, strlen(name), &same);
        if (same != 1)
            rc = err_set(err, -EBADMSG, "the %s \"%.64s\" is in the list twice", by->noun, name);
    }
    return rc;
}

/* A key that the resource shows, too, is the one in the list; masked ones say nothing. */
static bool agrees(const struct two_key_rewrite *by, struct json_object *described,
                   struct json_object *listed)
{
    if (!json_object_equal(json_member(described, by->name), json_member(listed, by->name)) ||
        !json_object_equal(json_member(described, by->rights), json_member(listed, by->rights)))
        return false;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        const char *shown = json_string(described, by->keys[slot]);

        if (is_key(shown) && !str_equal(shown, json_string(listed, by->keys[slot])))
            return false;
    }
    return true;
}

/* Where the resource shows its elements, too, they are those of the list. */
static int check_described(const struct rewriting *rewriting, struct err *err)
{
    const struct two_key_rewrite *by = rewriting->by;
    struct json_object *list = rewriting->described;
    const size_t count = list ? json_object_array_length(list) : 0;
    bool same = !list || count == json_object_array_length(rewriting->listed);

    for (size_t i = 0; i < count && same; i++) {
        struct json_object *described = json_object_array_get_idx(list, i), *listed;
        const char *name = json_string(described, by->name);
        size_t found = 0;

        listed = name ? find(rewriting->listed, by->name, name, strlen(name), &found) : NULL;
        same = found == 1 && agrees(by, described, listed);
        if (same)
            (void)find(list, by->name, name, strlen(name), &found);
        same = same && found == 1;
    }
    return same ? 0
                : err_set(err, -EBADMSG,
                          "the description and the list of keys do not agree on each %s: one may "
                          "have changed in between",
                          by->noun);
}

/* The description's own list; NULL where it has none, null, or an empty one. */
static int take_described(struct rewriting *rewriting, struct err *err)
{
    struct json_object *list = json_member(rewriting->properties, rewriting->by->list);

    if (list && !json_object_is_type(list, json_type_array))
        return err_set(err, -EBADMSG, "the member \"%s\" is no list", rewriting->by->list);
    if (list && json_object_array_length(list) > 0)
        rewriting->described = list;
    return 0;
}

static int choose(struct rewriting *rewriting, const char *account_id, struct err *err)
{
    const struct two_key_names names = two_key_names_of(account_id);
    size_t found = 0;

    if (names.count > 0)
        rewriting->chosen =
            find(rewriting->listed, rewriting->by->name, names.at[names.count - 1].text,
                 names.at[names.count - 1].length, &found);
    return found == 1 ? 0 : err_set(err, -EBADMSG, "the list has no such %s", rewriting->by->noun);
}

/* --- the body --- */

static void append_member(struct buf *out, const char *name, struct json_object *value,
                          const char **separator)
{
    (void)buf_append_str(out, *separator);
    (void)json_append_string(out, name, strlen(name));
    (void)buf_append_char(out, ':');
    (void)json_append_value(out, value);
    *separator = ",";
}

static bool is_key_member(const struct two_key_rewrite *by, const char *name)
{
    return str_equal(name, by->keys[SLOT_PRIMARY]) || str_equal(name, by->keys[SLOT_SECONDARY]);
}

/* Azure takes names in any case, so that such a one would be the key that is left out. */
static void note_odd_name(struct rewriting *rewriting, const char *name)
{
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (str_equal_nocase(name, rewriting->by->keys[slot]) &&
            !str_equal(name, rewriting->by->keys[slot]))
            rewriting->odd_name = name;
}

/* An element as it was listed, without the key to renew, and with what else the resource shows. */
static void append_element(struct rewriting *rewriting, struct json_object *element,
                           struct buf *out)
{
    const struct two_key_rewrite *by = rewriting->by;
    const char *name = json_string(element, by->name), *separator = "";
    size_t found = 0;
    struct json_object *described =
        rewriting->described ? find(rewriting->described, by->name, name, strlen(name), &found)
                             : NULL;

    (void)buf_append_char(out, '{');
    json_object_object_foreach(element, member, value)
    {
        note_odd_name(rewriting, member);
        if (element == rewriting->chosen && str_equal(member, by->keys[rewriting->slot]))
            continue;
        append_member(out, member, value, &separator);
        rewriting->keys_written += is_key_member(by, member);
    }
    if (described) {
        json_object_object_foreach(described, other, its_value)
        {
            note_odd_name(rewriting, other);
            if (!json_object_object_get_ex(element, other, NULL))
                append_member(out, other, its_value, &separator);
        }
    }
    (void)buf_append_char(out, '}');
}

static void append_elements(struct rewriting *rewriting, struct buf *out)
{
    (void)json_append_string(out, rewriting->by->list, strlen(rewriting->by->list));
    (void)buf_append_str(out, ":[");
    for (size_t i = 0; i < json_object_array_length(rewriting->listed); i++) {
        (void)buf_append_str(out, i > 0 ? "," : "");
        append_element(rewriting, json_object_array_get_idx(rewriting->listed, i), out);
    }
    (void)buf_append_char(out, ']');
}

static void append_properties(struct rewriting *rewriting, struct buf *out)
{
    const char *separator = "";
    bool written = false;

    (void)buf_append_str(out, "\"properties\":{");
    json_object_object_foreach(rewriting->properties, name, value)
    {
        if (!str_equal(name, rewriting->by->list)) {
            append_member(out, name, value, &separator);
            continue;
        }
        (void)buf_append_str(out, separator);
        append_elements(rewriting, out);
        separator = ",";
        written = true;
    }
    if (!written) {
        (void)buf_append_str(out, separator);
        append_elements(rewriting, out);
    }
    (void)buf_append_char(out, '}');
}

/* Azure takes names in any case. */
static int check_names(const struct buf *body, struct err *err)
{
    struct json_object *document = json_parse(buf_str(body), body->length, err);
    int rc;

    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EBADMSG;
    rc = json_check_case(document, err);
    json_free_wiped(document);
    return rc;
}

static int append_body(struct rewriting *rewriting, const struct two_key_whole *whole,
                       struct buf *out, struct err *err)
{
    const size_t elements = json_object_array_length(rewriting->listed);
    const char *separator = "";

    (void)buf_append_char(out, '{');
    json_object_object_foreach(whole->document, name, value)
    {
        if (!str_equal(name, "properties")) {
            append_member(out, name, value, &separator);
            continue;
        }
        (void)buf_append_str(out, separator);
        append_properties(rewriting, out);
        separator = ",";
    }
    (void)buf_append_char(out, '}');
    if (out->failed != 0)
        return err_set(err, out->failed, "what has to be written back does not fit into %d KiB",
                       (int)(out->maximum / 1024));
    if (rewriting->odd_name)
        return err_set(err, -ENOTUNIQ,
                       "a %s has the member \"%.64s\", which differs from that of a key in nothing "
                       "but the case of their names",
                       rewriting->by->noun, rewriting->odd_name);
    /* Whatever the answers were like: one key is absent, and no other. */
    if (rewriting->keys_written != elements * SLOT_COUNT - 1)
        return err_set(err, -EBADMSG, "not all keys but one could be written back");
    return check_names(out, err);
}

int two_key_rewrite(const struct two_key_resource *resource, const char *account_id, enum slot slot,
                    const struct two_key_whole *whole, const char *listed, size_t length,
                    struct buf *out, struct err *err)
{
    struct json_object *document = parse(listed, length, err);
    struct rewriting rewriting = {.by = resource->rewrite, .slot = slot};
    int rc;

    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EBADMSG;
    rewriting.properties = json_member(whole->document, "properties");
    rewriting.listed = json_member(document, rewriting.by->listed);
    rc = check_listed(&rewriting, document, err);
    if (rc == 0)
        rc = choose(&rewriting, account_id, err);
    if (rc == 0)
        rc = take_described(&rewriting, err);
    if (rc == 0)
        rc = check_described(&rewriting, err);
    if (rc == 0)
        rc = append_body(&rewriting, whole, out, err);
    json_free_wiped(document);
    return rc;
}

#include "proto/two_key/neighbours.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

void two_key_neighbour_init(struct two_key_neighbour *neighbour, const char *account_id,
                            const struct record *record, bool watched)
{
    const char *slash = strrchr(account_id, '/');

    *neighbour = (struct two_key_neighbour){.name = ""};
    (void)str_copy(neighbour->name, sizeof(neighbour->name), slash ? slash + 1 : account_id);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        neighbour->live[slot] = record->live[slot];
        neighbour->known[slot] =
            watched && record->adopted && !(record->intent.open && record->intent.slot == slot);
    }
    memcpy(neighbour->replaced, record->replaced, sizeof(neighbour->replaced));
}

static bool is_replaced(const struct two_key_neighbour *neighbour, const struct fingerprint *key)
{
    for (size_t i = 0; i < REPLACED_MAX; i++)
        if (!fingerprint_is_none(&neighbour->replaced[i]) &&
            fingerprint_equal(&neighbour->replaced[i], key))
            return true;
    return false;
}

bool two_key_list_goes_on(struct json_object *document)
{
    const char *link = json_string(document, "nextLink");

    return json_member(document, "nextLink") && !(link && *link == '\0');
}

struct checking {
    const struct two_key_rewrite *by;
    const struct two_key_neighbour *neighbours;
    size_t count;
    two_key_fingerprint *fingerprint;
    void *context;
};

static int check_key(const struct checking *checking, const char *name, enum slot slot,
                     const char *text, struct err *err)
{
    const struct fingerprint key = checking->fingerprint(checking->context, text, strlen(text));

    for (size_t i = 0; i < checking->count; i++) {
        const struct two_key_neighbour *neighbour = &checking->neighbours[i];

        if (is_replaced(neighbour, &key))
            return err_set(err, -EAGAIN,
                           "the list shows a %s of the %s \"%.64s\" that was replaced: it may be "
                           "late",
                           checking->by->keys[slot], checking->by->noun, name);
        if (neighbour->known[slot] && str_equal_nocase(neighbour->name, name) &&
            !fingerprint_equal(&neighbour->live[slot], &key))
            return err_set(err, -EAGAIN,
                           "the list shows another %s of the %s \"%.64s\" than its own account has "
                           "seen: it may be late, or somebody else has made that key",
                           checking->by->keys[slot], checking->by->noun, name);
    }
    return 0;
}

static int check_element(const struct checking *checking, struct json_object *element,
                         struct err *err)
{
    const char *name = json_string(element, checking->by->name);
    int rc = 0;

    for (unsigned slot = 0; slot < SLOT_COUNT && rc == 0; slot++) {
        const char *text = json_string(element, checking->by->keys[slot]);

        if (name && text)
            rc = check_key(checking, name, (enum slot)slot, text, err);
    }
    return rc;
}

int two_key_neighbours_check(const struct two_key_resource *resource,
                             const struct two_key_neighbour *neighbours, size_t count,
                             const char *listed, size_t length, two_key_fingerprint *fingerprint,
                             void *context, struct err *err)
{
    const struct checking checking = {resource->rewrite, neighbours, count, fingerprint, context};
    struct json_object *document = json_parse_foreign(listed, length, err), *list;
    int rc = 0;

    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EBADMSG;
    list = json_member(document, checking.by->listed);
    if (!json_object_is_type(list, json_type_array))
        rc = err_set(err, -EBADMSG, "\"%s\" is no list", checking.by->listed);
    else if (two_key_list_goes_on(document))
        rc = err_set(err, -EMSGSIZE, "the list of its keys comes in pages");
    for (size_t i = 0; rc == 0 && i < json_object_array_length(list); i++)
        rc = check_element(&checking, json_object_array_get_idx(list, i), err);
    json_free_wiped(document);
    return rc;
}

#include "base/str.h"
#include "conf/resolve.h"
#include "conf/schema.h"
#include "conf/value.h"

enum { NAMES_SHOWN_MAX = 400 };

/* The nearest name of a section, or NULL. */
static const char *nearest_in(struct arena *arena, const struct tree_node *section,
                              const char *name)
{
    const char **names = arena_alloc_array(arena, section->count + 1, sizeof(*names));
    size_t count = 0;

    if (!names)
        return NULL;
    for (const struct tree_node *child = section->first; child; child = child->next)
        names[count++] = child->name;
    return str_nearest(name, names);
}

/* "a, b, c": as many names as fit. */
static void append_names(struct buf *out, const struct tree_node *section)
{
    for (const struct tree_node *child = section->first; child; child = child->next) {
        if (buf_append_format(out, "%s%s", child != section->first ? ", " : "", child->name) != 0)
            return;
    }
}

bool resolve_name(struct resolve *resolve, struct tree_node *name, const char *section,
                  const char *what)
{
    const struct tree_node *names = schema_get(resolve->root, section);
    char shown[VALUE_SHOWN_MAX];
    const char *nearest;

    if (name->invalid || !names || tree_child(names, name->text))
        return !name->invalid;
    name->invalid = true;
    nearest = nearest_in(resolve->arena, names, name->text);
    if (nearest) {
        report_error(resolve->report, name, "unknown %s \"%s\"; did you mean %s?", what,
                     value_shown(name->text, shown), nearest);
    } else {
        struct buf known;

        buf_init(&known, NAMES_SHOWN_MAX);
        append_names(&known, names);
        report_error(resolve->report, name, "unknown %s \"%s\"; %s holds: %s", what,
                     value_shown(name->text, shown), section, report_part(resolve->report, &known));
        buf_done(&known);
    }
    return false;
}

const struct tree_node *resolve_reference(struct resolve *resolve, const struct tree_node *account,
                                          const char *section, const char *key)
{
    const struct tree_node *names = schema_get(resolve->root, section);
    const struct tree_node *defaults = schema_get(resolve->root, "defaults");
    struct tree_node *name = tree_child(account, key);
    struct buf known;

    if (!name)
        name = tree_child(defaults, key);
    if (!names)
        return NULL;
    if (name)
        return resolve_name(resolve, name, section, key) ? tree_child(names, name->text) : NULL;
    if (names->count == 1)
        return names->first;
    buf_init(&known, NAMES_SHOWN_MAX);
    append_names(&known, names);
    if (names->count > 0 && !schema_is_misspelt(account, &schema_account, key) &&
        (!defaults || !schema_is_misspelt(defaults, &schema_defaults, key)))
        report_missing(resolve->report, account, key,
                       "is missing, and %s holds several; write one of %s here or in defaults",
                       section, report_part(resolve->report, &known));
    buf_done(&known);
    return NULL;
}

#include "base/list.h"
#include "base/str.h"
#include "conf/placeholder.h"
#include "conf/resolve.h"
#include "conf/schema.h"
#include "conf/target_exec.h"
#include "conf/target_socket.h"
#include "conf/target_unit.h"
#include "conf/target_value.h"
#include "conf/value.h"

/* --- what can be told --- */

static bool can_be_told(const struct tree_node *target)
{
    const struct schema_variant *variant = schema_variant_of(schema_target_types, target);

    return variant == &target_exec_type.variant || variant == &target_socket_type.variant;
}

static void check_target(struct resolve *resolve, const struct tree_node *owner,
                         struct tree_node *name)
{
    const struct tree_node *target;

    if (name->invalid || !resolve_name(resolve, name, "targets", "target"))
        return;
    target = tree_child(schema_get(resolve->root, "targets"), name->text);
    if (target == owner)
        report_error(resolve->report, name, "a target cannot tell itself; name another one");
    else if (target && !target->invalid && !can_be_told(target))
        report_error(resolve->report, name,
                     "target %s gets keys; name one of type exec or socket, which can be told "
                     "without the key",
                     name->text);
    else if (target && tree_child(target, "after"))
        report_error(resolve->report, name,
                     "target %s has an `after` of its own; name one without, and list here what "
                     "else is to be told",
                     name->text);
    else
        return;
    name->invalid = true;
}

void resolve_check_hooks(struct resolve *resolve, const struct tree_node *target)
{
    const struct tree_node *hooks = schema_get(target, "after");

    for (const struct tree_node *item = schema_first_item(hooks); item;
         item = schema_next_item(hooks, item)) {
        struct tree_node *unit = tree_child(item, "unit");
        struct tree_node *name = tree_child(item, "target");

        if (schema_is_misspelt(item, &schema_hook, "unit") ||
            schema_is_misspelt(item, &schema_hook, "target"))
            continue; /* the unknown key has been reported */
        if (!unit == !name) {
            report_error(resolve->report, item,
                         "must be {unit: NAME.service} or {target: NAME}; give %s of them",
                         unit ? "only one" : "one");
            ((struct tree_node *)item)->invalid = true;
        } else if (unit) {
            target_value_refuse_location(resolve, unit, "in the name of a unit");
        } else {
            check_target(resolve, target, name);
        }
    }
}

/* --- one account --- */

/* The restart would end the daemon before it has noted that the unit was told, so that it would
 * tell it again after each start. */
static bool is_own_unit(const char *name)
{
    return str_equal(name, "keyrotated.service") || str_starts_with(name, "keyrotated@");
}

bool resolve_fill_unit(struct resolve *resolve, struct tree_node *unit,
                       const struct placeholder_values *values, struct destination *destination)
{
    char shown[VALUE_SHOWN_MAX];
    const char *name =
        unit->invalid ? NULL : placeholder_expand(resolve->arena, unit->text, values);

    if (!name && (unit->invalid || arena_failed(resolve->arena)))
        return false;
    if (!name || !target_unit_is_name(name)) {
        report_invalid(resolve->report, unit,
                       "\"%s\" is not the name of a service; write one such as nginx.service",
                       value_shown(name ? name : unit->text, shown));
        return false;
    }
    if (is_own_unit(name)) {
        report_invalid(resolve->report, unit,
                       "%s is keyrotated itself, which would restart without end; name the service "
                       "that uses the key",
                       name);
        return false;
    }
    destination->name = name;
    destination->place = name;
    destination->type = &target_unit_type;
    return true;
}

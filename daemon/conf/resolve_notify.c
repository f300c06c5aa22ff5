#include <string.h>

#include "base/list.h"
#include "base/str.h"
#include "conf/notifier.h"
#include "conf/placeholder.h"
#include "conf/resolve.h"
#include "conf/schema.h"
#include "conf/target_exec.h"
#include "conf/target_socket.h"
#include "conf/target_webhook.h"

#define DEFAULT_EVENTS (NOTIFY_BLOCKED | NOTIFY_OVERDUE | NOTIFY_AT_RISK | NOTIFY_RECOVERED)

static unsigned events_of(const struct tree_node *item)
{
    const struct tree_node *list = schema_get(item, "events");
    unsigned found = 0;
    int value;

    if (!list)
        return DEFAULT_EVENTS;
    for (const struct tree_node *name = schema_first_item(list); name;
         name = schema_next_item(list, name)) {
        if (schema_choice_value(schema_key(&schema_notify, "events")->choices, name->text, &value))
            found |= (unsigned)value;
    }
    return found;
}

static void check_events(struct resolve *resolve, const struct tree_node *item)
{
    const struct tree_node *list = schema_get(item, "events");

    if (list && list->kind != TREE_SCALAR && !list->first)
        report_error(resolve->report, list,
                     "is empty; name one or more events, or leave it out for blocked, overdue, "
                     "at_risk and recovered");
}

static bool has_placeholder(const struct tree_node *node)
{
    static const char *const all[] = {"{account}", "{resource_group}", "{subscription_id}",
                                      "{location}"};

    for (size_t i = 0; node->kind == TREE_SCALAR && i < sizeof(all) / sizeof(all[0]); i++)
        if (strstr(node->text, all[i]))
            return true;
    for (const struct tree_node *child = node->kind == TREE_SCALAR ? NULL : node->first; child;
         child = child->next)
        if (has_placeholder(child))
            return true;
    return false;
}

/* The type where it can be told of troubles. */
static const struct target_type *type_of(const struct tree_node *target)
{
    static const struct target_type *const types[] = {&target_exec_type, &target_socket_type,
                                                      &target_webhook_type};
    const struct schema_variant *variant = schema_variant_of(schema_target_types, target);

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (variant == &types[i]->variant)
            return types[i];
    return NULL;
}

static const struct tree_node *find_target(struct resolve *resolve, struct tree_node *name)
{
    const struct tree_node *target;

    if (!name || name->invalid || !resolve_name(resolve, name, "targets", "target"))
        return NULL;
    target = tree_child(schema_get(resolve->root, "targets"), name->text);
    if (!target || target->invalid)
        return NULL;
    if (!type_of(target))
        report_error(resolve->report, name,
                     "target %s gets keys; name one of type webhook, exec or socket", name->text);
    else if (has_placeholder(target))
        report_error(resolve->report, name,
                     "target %s has placeholders of an account, and one notification is sent for "
                     "any account; name a target without",
                     name->text);
    else
        return target;
    name->invalid = true;
    return NULL;
}

static bool fill(struct resolve *resolve, const struct tree_node *item, struct notifier *notifier)
{
    static const struct account nobody;
    const struct placeholder_values values = {"", "", ""};
    struct tree_node *name = tree_child(item, "target");
    const struct tree_node *target = find_target(resolve, name);
    const struct target_type *type = target ? type_of(target) : NULL;

    for (const struct notifier *other = resolve->config->notifiers; target && other < notifier;
         other++) {
        if (!str_equal(other->destination.name, name->text))
            continue;
        report_error(resolve->report, name, "%s stands twice; keep one, with all its events",
                     name->text);
        return false;
    }
    check_events(resolve, item);
    if (!type || !type->fill(resolve, target, &nobody, &values, &notifier->destination))
        return false;
    notifier->destination.name = arena_dup(resolve->arena, name->text);
    notifier->destination.type = type;
    notifier->events = events_of(item);
    notifier->ahead = schema_duration(item, &schema_notify, "ahead");
    return true;
}

void resolve_notifiers(struct resolve *resolve)
{
    const struct tree_node *list = schema_get(resolve->root, "notify");
    struct notifier *notifiers;

    if (!list)
        return;
    notifiers = arena_alloc_array(resolve->arena, NOTIFIERS_MAX, sizeof(*notifiers));
    resolve->config->notifiers = notifiers;
    for (const struct tree_node *item = schema_first_item(list); notifiers && item;
         item = schema_next_item(list, item)) {
        if (resolve->config->notifier_count == NOTIFIERS_MAX) {
            report_error(resolve->report, item, "is one too many; %d are the most", NOTIFIERS_MAX);
            return;
        }
        notifiers[resolve->config->notifier_count] = (struct notifier){.events = 0};
        if (fill(resolve, item, &notifiers[resolve->config->notifier_count]))
            resolve->config->notifier_count++;
    }
}

#include "arm_target.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

static bool same_segment(const struct type *type, size_t index, const char *text)
{
    size_t length;
    const char *segment = type_segment(type, index, &length);

    return strlen(text) == length && strncasecmp(segment, text, length) == 0;
}

/* How well TYPE fits the segments after the provider; 0: not at all. What fits more of the path
 * fits better; of two that fit the same, the one whose resource it is. */
static size_t fit(const struct type *type, char *const *segments, size_t count,
                  enum arm_target_kind *kind)
{
    size_t names = type_name_count(type);
    size_t matched = 0;

    while (matched < names && matched * 2 < count &&
           same_segment(type, matched, segments[matched * 2]))
        matched++;
    if (matched == names && count >= 2 * names && count <= 2 * names + TYPE_MAX_ACTIONS) {
        *kind = TARGET_RESOURCE;
        return 2 * matched + 1;
    }
    if (matched == names && count == 2 * names - 1) {
        *kind = TARGET_LIST;
        return 2 * matched + 1;
    }
    if (matched > 0 && count == 2 * matched) {
        *kind = TARGET_PARENT;
        return 2 * matched;
    }
    return 0;
}

static bool is_provider(const struct type *type, const char *text)
{
    size_t length = type_provider_length(type);

    return strlen(text) == length && strncasecmp(type->name, text, length) == 0;
}

/* SEGMENTS begin with the provider. */
static bool find_type(char *const *segments, size_t count, struct arm_target *target)
{
    const struct type *type;
    size_t best = 0;

    for (size_t i = 0; (type = type_at(i)); i++) {
        enum arm_target_kind kind;
        size_t score =
            is_provider(type, segments[0]) ? fit(type, segments + 1, count - 1, &kind) : 0;

        if (score <= best)
            continue;
        best = score;
        target->type = type;
        target->kind = kind;
    }
    return best > 0;
}

/* SEGMENTS follow the provider: locations/REGION/WORD/ID, and BELOW/NAME where the poll has it. */
static bool is_poll(const struct type_poll *poll, char *const *segments, size_t count)
{
    if (!poll->word || count != (poll->below ? 6 : 4) || strcasecmp(segments[0], "locations") != 0)
        return false;
    return strcasecmp(segments[2], poll->word) == 0 &&
           (!poll->below || strcasecmp(segments[4], poll->below) == 0);
}

/* SEGMENTS begin with the provider. */
static bool is_operation(char *const *segments, size_t count, struct arm_target *target)
{
    const struct type *type;

    for (size_t i = 0; (type = type_at(i)); i++) {
        const struct type_operation *operation = &type->operation;

        if (!operation->is_long || !is_provider(type, segments[0]))
            continue;
        target->wants_result = is_poll(&operation->result, segments + 1, count - 1);
        if (!target->wants_result && !is_poll(&operation->status, segments + 1, count - 1))
            continue;
        target->kind = TARGET_OPERATION;
        target->poll = target->wants_result ? &operation->result : &operation->status;
        target->provider = segments[0];
        target->operation = segments[4];
        return true;
    }
    return false;
}

static void take_names(char *const *segments, size_t count, struct arm_target *target)
{
    size_t limit = type_name_count(target->type);

    while (target->name_count < limit && 2 * target->name_count + 1 < count) {
        target->names[target->name_count] = segments[2 * target->name_count + 1];
        target->name_count++;
    }
    if (target->kind == TARGET_RESOURCE) {
        target->actions = segments + 2 * limit;
        target->action_count = count - 2 * limit;
    }
}

bool arm_target_parse(const struct http_request *request, struct arm_target *target)
{
    char *const *segments = request->segments;
    size_t count = request->segment_count;
    size_t i = 2;

    *target = (struct arm_target){0};
    if (count < 2 || strcasecmp(segments[0], "subscriptions") != 0)
        return false;
    target->subscription_id = segments[1];
    if (count >= 4 && strcasecmp(segments[2], "resourceGroups") == 0) {
        target->group = segments[3];
        i = 4;
    }
    if (count < i + 3 || strcasecmp(segments[i], "providers") != 0)
        return false;
    if (is_operation(segments + i + 1, count - i - 1, target))
        return true;
    if (!find_type(segments + i + 1, count - i - 1, target))
        return false;
    take_names(segments + i + 2, count - i - 2, target);
    return target->name_count == 0 || target->group;
}

/* Is what follows the resource PATH, and, with IN_PATH, one segment more? */
static bool has_actions(const struct arm_target *target, const char *path, bool in_path)
{
    size_t i = 0;

    for (; *path != '\0'; i++) {
        size_t length = strcspn(path, "/");

        if (i >= target->action_count || strlen(target->actions[i]) != length ||
            strncasecmp(target->actions[i], path, length) != 0)
            return false;
        path += length + (path[length] == '/');
    }
    return target->action_count == i + in_path;
}

bool arm_target_slot(const struct arm_target *target, size_t *slot)
{
    for (*slot = 0; *slot < type_slot_count(target->type); (*slot)++) {
        if (strcasecmp(target->type->slots[*slot].sent,
                       target->actions[target->action_count - 1]) == 0)
            return true;
    }
    return false;
}

static const char *action_of(const char *method, const struct arm_target *target)
{
    const struct type *type = target->type;
    const char *list_method = !type->list.method ? "POST" : type->list.method;
    bool in_path = type->regenerate.body == BODY_NONE;
    size_t slot;

    if (strcmp(method, list_method) == 0 && has_actions(target, type->list.suffix, false))
        return "listKeys";
    if (strcmp(method, "POST") == 0 && type->regenerate.body != BODY_WHOLE &&
        has_actions(target, type->regenerate.suffix, in_path) &&
        (!in_path || arm_target_slot(target, &slot)))
        return "regenerateKeys";
    return "other";
}

const char *arm_target_op(const struct http_request *request, const struct arm_target *target)
{
    bool get = strcmp(request->method, "GET") == 0;

    switch (target->kind) {
    case TARGET_LIST:
        return get ? "list" : "other";
    case TARGET_PARENT:
        return get ? "getParent" : "other";
    case TARGET_OPERATION:
        return get ? "poll" : "other";
    case TARGET_RESOURCE:
        break;
    }
    if (target->action_count > 0)
        return action_of(request->method, target);
    if (strcmp(request->method, "PUT") == 0 && target->type->regenerate.body == BODY_WHOLE)
        return "regenerateKeys";
    return get ? "get" : "other";
}

char *arm_target_name(const struct arm_target *target)
{
    char *name = memory_text(target->names[0]);

    for (size_t i = 1; i < target->name_count; i++) {
        char *longer = memory_printf("%s/%s", name, target->names[i]);

        free(name);
        name = longer;
    }
    return name;
}

char *arm_target_scope(const struct arm_target *target)
{
    char *scope = !target->group ? memory_printf("/subscriptions/%s", target->subscription_id)
                                 : memory_printf("/subscriptions/%s/resourceGroups/%s",
                                                 target->subscription_id, target->group);

    for (size_t i = 0; i < target->name_count; i++) {
        const struct type *type = target->type;
        size_t length;
        const char *segment = type_segment(type, i, &length);
        char *longer =
            i == 0
                ? memory_printf("%s/providers/%.*s/%.*s/%s", scope, (int)type_provider_length(type),
                                type->name, (int)length, segment, target->names[i])
                : memory_printf("%s/%.*s/%s", scope, (int)length, segment, target->names[i]);

        free(scope);
        scope = longer;
    }
    return scope;
}

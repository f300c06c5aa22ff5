/* The resource that a path of Resource Manager is about. */
#ifndef AZURESIM_ARM_TARGET_H
#define AZURESIM_ARM_TARGET_H

#include "http.h"
#include "types.h"

enum arm_target_kind {
    TARGET_LIST,      /* the resources of a type */
    TARGET_RESOURCE,  /* one of them, or an action on it */
    TARGET_PARENT,    /* what a resource with keys is below */
    TARGET_OPERATION, /* a long-running operation */
};

/* The strings point into the request. */
struct arm_target {
    enum arm_target_kind kind;
    const char *subscription_id;
    const char *group; /* NULL: the whole subscription */
    const struct type *type;
    const char *names[TYPE_MAX_NAMES];
    size_t name_count;
    char *const *actions; /* what follows the resource */
    size_t action_count;
    const char *operation; /* its id */
    const char *provider;  /* of the operation */
    const struct type_poll *poll;
    bool wants_result; /* of the operation, as its Location does */
};

/* Reads /subscriptions/S[/resourceGroups/G]/providers/PROVIDER/TYPE/NAME..., and the path of an
 * operation. Returns false where it is of another form or a type that is not known. */
bool arm_target_parse(const struct http_request *request, struct arm_target *target);

/* What the request wants: "list", "get", "getParent", "listKeys", "regenerateKeys", "poll",
 * "other". */
const char *arm_target_op(const struct http_request *request, const struct arm_target *target);

/* The slot that the path of a regeneration names. Returns false where it names none. */
bool arm_target_slot(const struct arm_target *target, size_t *slot);

/* The names with slashes between, to be freed. */
char *arm_target_name(const struct arm_target *target);

/* The path of the resource or of what it is below, as it was asked for; to be freed. */
char *arm_target_scope(const struct arm_target *target);

#endif

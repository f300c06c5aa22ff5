/*
 * Resources of Azure Resource Manager as targets: an app, another account. What an answer means for
 * a delivery, in words about that resource.
 */
#ifndef KEYROTATED_PROTO_ARM_TARGET_H
#define KEYROTATED_PROTO_ARM_TARGET_H

#include <stdbool.h>

#include "core/look.h"
#include "proto/http_message.h"

/* The subject of a request, for the text of a failure. All borrowed. */
struct arm_target_subject {
    const char *id;          /* of the resource */
    const char *noun;        /* "the app" */
    const char *key;         /* of the target that names it: "app" */
    const char *operation;   /* for people: "listing the settings" */
    const char *action;      /* the permission: "Microsoft.Web/sites/config/write" */
    const char *role;        /* a built-in role that has it */
    const char *principal;   /* for people: `identity "ops" (client 2222…)` */
    const char *assignee;    /* its client or object id where known, else NULL */
    const char *when_in_use; /* what to do when another operation has it (409) for long */
    bool changes;            /* a lost answer leaves in doubt whether it took effect */
};

/* Returns true for an answer of 200, 201, 202 or 204; otherwise false with *failure filled:
 * REASON_TARGET_DENIED, REASON_TARGET_FAILED, REASON_THROTTLED or REASON_TOKEN_FAILED. */
bool arm_target_check(const struct http_reply *reply, const struct arm_target_subject *subject,
                      time_ms now, struct failure *failure);

/* Fills *failure for a success with an invalid body; `problem` says what is wrong. The outcome is
 * unknown when subject->changes. */
void arm_target_unreadable(const struct http_reply *reply, const struct arm_target_subject *subject,
                           const char *problem, struct failure *failure);

#endif

/*
 * One event on its way through the rotation machine, with its data and its effects.
 */
#ifndef KEYROTATED_APP_TRANSACTION_H
#define KEYROTATED_APP_TRANSACTION_H

#include "base/list.h"
#include "core/rotation.h"

struct command_group;

/* The result of an action. */
struct action_result {
    struct failure failure;
    struct failure undescribed;
    struct look look;
    char request_id[FAILURE_ID_MAX];
    char correlation_id[FAILURE_ID_MAX];
    char client_request_id[FAILURE_ID_MAX];
    duration_ms duration;
};

struct transaction {
    struct list link; /* in the queue of its account */
    struct event event;
    struct command command; /* EVENT_COMMAND */
    char uuid[CORRELATION_MAX];
    char actor[ACTOR_MAX];
    struct command_group *group;  /* the command to answer; NULL: none */
    struct hold *hold;            /* EVENT_HELD, else NULL */
    char *operation_url;          /* of event.operation; NULL: there is none */
    struct action_result *result; /* of the action that ended; NULL: the event is no completion */
    struct effects *effects;      /* NULL before the machine's step */
};

struct transaction *transaction_new(enum event_kind kind);
/* One that reports the end of an action. */
struct transaction *transaction_new_completion(enum event_kind kind);
void transaction_free(struct transaction *transaction);

/* The action has failed. `failure` is copied. */
void transaction_fail(struct transaction *transaction, const struct failure *failure);

#endif

#include "proto/azure_failure.h"

#include "proto/failure.h"
#include "proto/stranger.h"

void azure_failure_begin(struct failure *failure, enum reason reason,
                         const struct http_reply *reply, bool changes, time_ms now)
{
    failure_init(failure, reason);
    failure_note_status(failure, reply, now);
    failure_note_ids(failure, reply);
    failure->outcome_unknown = changes && !failure_had_no_effect(reply->status);
}

void azure_failure_set_error(struct failure *failure, const char *service, const char *operation,
                             const char *code, const char *message)
{
    failure_set_code(failure, code);
    failure_set_text(failure, "%s answered %s with %d%s%s%s%s", service, operation,
                     failure->http_status, code[0] == '\0' ? "" : " ", code,
                     message[0] == '\0' ? "" : ": ", message);
}

void azure_failure_set_stranger(struct failure *failure, const char *service, const char *operation,
                                const struct http_reply *reply)
{
    char stranger[STRANGER_TEXT_MAX];

    failure_set_text(failure, "%s answered %s with %d, without an error message of Azure's%s",
                     service, operation, failure->http_status, stranger_describe(reply, stranger));
}

void azure_failure_set_shortage(struct failure *failure, const char *service, const char *operation)
{
    failure_set_text(failure, "%s answered %s with %d, and there is no memory to read why", service,
                     operation, failure->http_status);
}

void azure_failure_unusable(struct failure *failure, enum reason reason,
                            const struct http_reply *reply, bool changes, const char *service,
                            const char *operation, const char *problem)
{
    char stranger[STRANGER_TEXT_MAX];

    failure_init(failure, reason);
    failure->http_status = reply->status;
    failure->outcome_unknown = changes;
    failure_note_ids(failure, reply);
    failure_set_text(failure, "%s answered %s with something unusable: %s%s", service, operation,
                     problem, stranger_describe(reply, stranger));
}

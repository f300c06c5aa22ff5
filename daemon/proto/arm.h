/*
 * Azure Resource Manager: its requests, and the meaning of every answer and of a missing one.
 */
#ifndef KEYROTATED_PROTO_ARM_H
#define KEYROTATED_PROTO_ARM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "core/look.h"
#include "proto/http_message.h"

/* What to send. */
struct arm_request {
    const char *method;           /* "GET", "POST" */
    const char *resource_manager; /* "https://management.azure.com" */
    const char *resource_id;      /* "/subscriptions/…" */
    const char *operation;        /* "listKeys"; NULL: the resource itself */
    const char *api_version;
    const char *query; /* besides the version, encoded; NULL: none */
    const char *link;  /* the whole URL instead of these five, as arm_link_check() has
                          accepted it; or NULL */
    const char *body;  /* JSON, or NULL */
    const char *etag;  /* only a resource that has it is changed (If-Match); NULL: any */
    const struct secret *token;
    const char *client_request_id; /* a UUID; names this request in Azure's activity log */
    const char *correlation_id;    /* a UUID; groups the requests of one undertaking, or NULL */
    bool repeatable;               /* may the server get it twice? */
};

/* 0, or -ENOMEM, -EMSGSIZE, -EINVAL with err set. http_request_done() in any case. */
int arm_request_build(struct http_request *request, const struct arm_request *wanted,
                      struct err *err);

/* The subject of a request, for the text of a failure. */
struct arm_subject {
    const char *operation; /* for people: "listKeys" */
    const char *action;    /* the permission: "PROVIDER/TYPE/listkeys/action" */
    const char *role;      /* the role that has it */
    const char *principal; /* for people: `identity "ops" (client 2222…)` */
    const char *assignee;  /* its client or object id where known, else NULL */
    bool changes;          /* a lost answer leaves in doubt whether it took effect */
};

/*
 * Returns true for a 200; otherwise false with *failure filled: reason, text, remedy, code, ids,
 * Retry-After, and whether the request may have taken effect.
 */
bool arm_reply_check(const struct http_reply *reply, const struct arm_subject *subject, time_ms now,
                     struct failure *failure);

/* Fills *failure for a 200 with an invalid body; `problem` says what is wrong. The outcome is
 * unknown when subject->changes. */
void arm_reply_unreadable(const struct http_reply *reply, const struct arm_subject *subject,
                          const char *problem, struct failure *failure);

/*
 * The number of requests of that kind that Azure still grants: the smallest of its
 * x-ms-ratelimit-remaining-* headers, or -1 when there is none. POST actions count as writes.
 */
int64_t arm_reply_remaining(const struct http_reply *reply, bool write);

/*
 * The same of the limit that the resource provider has for a subscription, which Resource Manager
 * tells where it is another than its own (x-ms-ratelimit-remaining-subscription-resource-requests).
 */
int64_t arm_reply_provider_remaining(const struct http_reply *reply);

/*
 * Whose limit a refusal (429) is about. The subscription's: Resource Manager's own codes, or a
 * count of remaining requests that is 0, show this. One provider's in the subscription: its own
 * count is 0. All others, such as those of Storage and Cosmos DB, which only have a Retry-After,
 * are about the one resource. Source: learn.microsoft.com, "Understand how Azure Resource Manager
 * throttles requests".
 */
enum arm_limit { ARM_LIMIT_OF_RESOURCE, ARM_LIMIT_OF_PROVIDER, ARM_LIMIT_OF_SUBSCRIPTION };
enum arm_limit arm_reply_limit(const struct http_reply *reply, bool write);

#endif

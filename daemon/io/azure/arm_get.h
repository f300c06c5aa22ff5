/*
 * One GET of Azure Resource Manager that belongs to no account, or a POST that only asks: a page of
 * a list, a query, or a resource that may be gone. It gets a token and a place among the requests,
 * is sent, and after a 401 sent once more with another token. Nothing else is repeated. It goes
 * before what is in turn, for a link to a further page grows old.
 */
#ifndef KEYROTATED_IO_AZURE_ARM_GET_H
#define KEYROTATED_IO_AZURE_ARM_GET_H

#include "conf/config.h"
#include "core/look.h"
#include "io/access/access.h"
#include "io/http/http.h"
#include "io/loop/loop.h"

/* All must outlive the requests. */
struct arm_get_parts {
    struct loop *loop;
    struct http *http;
    struct access *access;
};

/* Borrowed during arm_get(), but for `identity` and the three last texts: these live as long as the
 * configuration. */
struct arm_get_wish {
    const struct identity *identity;
    const char *subscription_id; /* whose limits it counts against; "": none's */
    const char *path;            /* "/subscriptions", or the id of a resource */
    const char *api_version;
    const char *link; /* the URL of a further page instead of these two, which arm_link_check() has
                         accepted; or NULL */
    const char *body; /* JSON of a query, which is sent by POST; NULL: a GET */
    size_t reply_maximum;  /* bytes */
    const char *operation; /* as in struct arm_subject */
    const char *action;
    const char *role;
};

/* failure NULL: `reply` is a 200. Otherwise `reply` is the answer that the failure explains, or
 * NULL. Both are valid during the call only. */
typedef void arm_get_done(void *context, const struct http_reply *reply,
                          const struct failure *failure);

struct arm_get;
/* done() follows once, from the loop, unless it is canceled. Takes a reference to `config`. */
struct arm_get *arm_get(const struct arm_get_parts *parts, struct config *config,
                        const struct arm_get_wish *wish, arm_get_done *done, void *context);
/* done() will not be called. NULL is fine. */
void arm_get_cancel(struct arm_get *get);

#endif

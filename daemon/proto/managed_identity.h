/*
 * Managed identities: access tokens from the machine or the platform that the daemon runs on.
 *
 *  - IMDS: the instance metadata service of an Azure virtual machine ("How to use managed
 *    identities on an Azure VM to acquire an access token").
 *  - App Service, Functions and Container Apps: an endpoint and a header that the platform puts
 *    into the environment ("How to use managed identities for App Service and Azure Functions").
 *  - Azure Arc: the agent of a machine elsewhere. It refuses the first request and names a file
 *    that only members of a group can read; the second request carries the file's content
 *    ("Authenticate against Azure resources with Azure Arc-enabled servers").
 */
#ifndef KEYROTATED_PROTO_MANAGED_IDENTITY_H
#define KEYROTATED_PROTO_MANAGED_IDENTITY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"
#include "proto/access_token.h"
#include "proto/http_message.h"

enum managed_source { MANAGED_IMDS, MANAGED_APP_SERVICE, MANAGED_ARC };

/* The directory of the files that Arc's challenges name, with a slash at its end, and the longest
 * name and content of such a file. */
#define ARC_DIRECTORY "/var/opt/azcmagent/tokens/"
enum { ARC_NAME_MAX = 128, ARC_KEY_MAX = 4096 };

/* At most one of client_id, object_id and resource_id selects a user-assigned identity; all NULL
 * means the system-assigned one. */
struct managed_identity {
    enum managed_source source;
    const char *endpoint; /* the URL; without a path, the source's usual one is added */
    const char *client_id;
    const char *object_id;
    const char *resource_id;
    const char *audience;
    const struct secret *proof; /* App Service: the value of its header. Arc: the content of the
                                 * file, NULL for the first request */
};

/* The variables of the environment by which platforms announce themselves; NULL: not set. */
struct managed_surroundings {
    const char *identity_endpoint;          /* IDENTITY_ENDPOINT */
    const char *identity_header;            /* IDENTITY_HEADER */
    const char *identity_server_thumbprint; /* IDENTITY_SERVER_THUMBPRINT */
    const char *imds_endpoint;              /* IMDS_ENDPOINT */
    bool has_arc_agent;                     /* its program is there */
};

/* The source of the machine that is like that. */
enum managed_source managed_identity_detect(const struct managed_surroundings *surroundings);

/* "the instance metadata service": for messages. */
const char *managed_identity_service(enum managed_source source);

/* The endpoint where the configuration names none; NULL: it has to come from the environment. */
const char *managed_identity_endpoint(enum managed_source source);

/* Builds the request. Returns 0, or -ENOMEM, -EMSGSIZE with err set. http_request_done() in any
 * case. */
int managed_identity_request(struct http_request *request, const struct managed_identity *identity,
                             struct err *err);

/*
 * True where the answer is Arc's challenge. *ret_name is then the name of a file in ARC_DIRECTORY,
 * "" where the challenge names anything else; in that case *failure is filled: whoever sits at the
 * agent's port might ask for any file of this machine.
 */
bool managed_identity_challenged(const struct http_reply *reply, char ret_name[ARC_NAME_MAX],
                                 struct failure *failure);

/*
 * Reads the answer: 0 and a token, or -EIO with a failure that names cause and remedy. An answer
 * that names another identity than the one that was asked for is a failure; so is Arc's answer when
 * it does not name the user-assigned one, because older agents answer with the machine's own.
 */
int managed_identity_reply(struct access_token *token, const struct http_reply *reply,
                           const struct managed_identity *identity, time_ms now,
                           struct failure *failure);

/*
 * How long to wait before the next request, or 0 when another request is pointless or the attempts
 * are used up. `attempts` have been made, the first one `elapsed` ago. IMDS asks its clients to
 * repeat on 404, 429 and 5xx, and on 410, which it sends while it is being updated, for 70 seconds.
 */
duration_ms managed_identity_retry_delay(enum managed_source source, const struct http_reply *reply,
                                         unsigned attempts, duration_ms elapsed, time_ms now);

#endif

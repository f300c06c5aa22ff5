#include "proto/managed_identity_failure.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "proto/cloud_error.h"
#include "proto/failure.h"
#include "proto/stranger.h"

static const char *const services[] = {
    [MANAGED_IMDS] = "the instance metadata service",
    [MANAGED_APP_SERVICE] = "the identity endpoint of App Service",
    [MANAGED_ARC] = "the Azure Arc agent",
};

const char *managed_identity_service(enum managed_source source)
{
    return services[source];
}

static const char *selector_of(const struct managed_identity *identity)
{
    return identity->client_id   ? identity->client_id
           : identity->object_id ? identity->object_id
                                 : identity->resource_id;
}

/* --- no answer --- */

static void set_remedy_for_silence(struct failure *failure, const struct managed_identity *identity)
{
    switch (identity->source) {
    case MANAGED_IMDS:
        failure_set_remedy(failure,
                           "run on an Azure virtual machine, or use an identity of another type; "
                           "if this is a virtual machine in Azure, let it reach %s",
                           identity->endpoint);
        break;
    case MANAGED_APP_SERVICE:
        failure_set_remedy(failure,
                           "start the daemon in the app itself, with the IDENTITY_ENDPOINT and "
                           "IDENTITY_HEADER that the platform gives it; nothing listens at %s",
                           identity->endpoint);
        break;
    case MANAGED_ARC:
        failure_set_remedy(failure,
                           "start the agent, `systemctl start himdsd`, and see `azcmagent show`; "
                           "on a virtual machine in Azure write `source: imds`");
        break;
    }
}

/* --- what holds for all sources --- */

void managed_identity_blame_stranger(struct failure *failure,
                                     const struct managed_identity *identity)
{
    failure_set_remedy(failure,
                       "let nothing stand between this machine and %s (a container network, a "
                       "proxy, a firewall), and see which program answers there",
                       identity->endpoint);
}

static void set_remedy_for_trouble(struct failure *failure, enum managed_source source)
{
    static const char *const last_resorts[] = {
        [MANAGED_IMDS] =
            "see Azure's status page, and the health of this virtual machine in the "
            "portal (Resource health)",
        [MANAGED_APP_SERVICE] = "restart the app, and see Azure's status page",
        [MANAGED_ARC] = "restart the agent, `systemctl restart himdsd`",
    };

    failure_set_remedy(failure, "wait, it is asked again by itself; if this persists, %s",
                       last_resorts[source]);
}

/* Returns false where the remedy depends on the source. */
static bool set_common_remedy(struct failure *failure, const struct managed_identity *identity,
                              const char *message)
{
    const int status = failure->http_status;

    if (status == 429)
        failure_set_remedy(failure,
                           "wait, it is asked again by itself; if this persists, look for other "
                           "programs here that ask for tokens again and again");
    else if (status == 408 || status >= 500)
        set_remedy_for_trouble(failure, identity->source);
    else if (status < 400)
        managed_identity_blame_stranger(failure, identity);
    else if (str_equal(failure->error_code, "invalid_resource") || strstr(message, "AADSTS500011"))
        failure_set_remedy(failure,
                           "check cloud.audience: %s is not known in the tenant of this identity",
                           identity->audience);
    else
        return false;
    return true;
}

/* --- answers other than 200 --- */

static void set_remedy_for_imds(struct failure *failure, const struct managed_identity *identity,
                                const char *message)
{
    const char *selector = selector_of(identity);

    if (failure->http_status == 400 && selector)
        failure_set_remedy(failure,
                           "assign the managed identity %s to this virtual machine, or "
                           "correct the identity's client_id, object_id or resource_id",
                           selector);
    else if (failure->http_status == 400 && strcasestr(message, "multiple user"))
        failure_set_remedy(failure,
                           "select one of the identities by client_id: `az vm identity show` lists "
                           "them");
    else if (failure->http_status == 400)
        failure_set_remedy(failure,
                           "turn on the system-assigned managed identity of this virtual machine "
                           "(az vm identity assign), or select a user-assigned one by client_id");
    else if (failure->http_status == 410)
        failure_set_remedy(failure, "wait: the service is being updated, and is asked again");
    else if (failure->http_status == 403 || failure->http_status == 404)
        failure_set_remedy(failure,
                           "let nothing stand between this machine and %s (a container network, a "
                           "firewall), or use an identity of another type",
                           identity->endpoint);
}

static void set_remedy_for_app_service(struct failure *failure,
                                       const struct managed_identity *identity)
{
    const char *selector = selector_of(identity);

    if (failure->http_status == 401 || failure->http_status == 403)
        failure_set_remedy(failure,
                           "restart the app, so that the daemon gets the IDENTITY_HEADER that is "
                           "valid now");
    else if (failure->http_status == 400 && selector)
        failure_set_remedy(failure,
                           "assign the managed identity %s to this app (az webapp identity assign, "
                           "az containerapp identity assign), or correct the identity's client_id, "
                           "object_id or resource_id",
                           selector);
    else if (failure->http_status == 400)
        failure_set_remedy(failure,
                           "turn on the system-assigned managed identity of this app (az webapp "
                           "identity assign, az containerapp identity assign), or select a "
                           "user-assigned one by client_id");
    else if (failure->http_status == 404)
        failure_set_remedy(failure,
                           "correct `endpoint`: the daemon's IDENTITY_ENDPOINT is the "
                           "platform's own");
}

static void set_remedy_for_arc(struct failure *failure, const struct managed_identity *identity)
{
    if (failure->http_status == 401 || failure->http_status == 403)
        failure_set_remedy(failure,
                           "restart the agent, `systemctl restart himdsd`: it did not accept the "
                           "key that it had written itself");
    else if (failure->http_status == 400 && selector_of(identity))
        failure_set_remedy(failure,
                           "take client_id, object_id and resource_id out: a machine of "
                           "Azure Arc has one identity, its own");
    else
        failure_set_remedy(failure,
                           "connect this machine, `azcmagent connect`, and see whether "
                           "`azcmagent show` says Connected");
}

static const char *read_error(struct failure *failure, const struct http_reply *reply,
                              const struct managed_identity *identity, struct cloud_error *error)
{
    char stranger[STRANGER_TEXT_MAX];
    bool readable = cloud_error_parse(error, buf_str(&reply->body), reply->body.length);
    const char *unexplained =
        error->out_of_memory ? "and there is no memory to read why" : "without an explanation";
    const char *message = cloud_error_message(error);

    failure_set_code(failure, cloud_error_code(error));
    failure_set_text(failure, "%s gave no token: %d %s%s%s%s",
                     managed_identity_service(identity->source), reply->status,
                     readable && cloud_error_code(error)[0] != '\0' ? cloud_error_code(error)
                                                                    : unexplained,
                     message[0] != '\0' ? ": " : "", message,
                     readable ? "" : stranger_describe(reply, stranger));
    return message;
}

void managed_identity_explain(struct failure *failure, const struct http_reply *reply,
                              const struct managed_identity *identity, time_ms now)
{
    struct cloud_error error;
    const char *message;

    if (failure_from_transport(failure, reply, managed_identity_service(identity->source), false)) {
        failure->reason = REASON_TOKEN_FAILED;
        if (reply->outcome == HTTP_UNSENT)
            set_remedy_for_silence(failure, identity);
        else if (reply->error.code == -EMSGSIZE)
            managed_identity_blame_stranger(failure, identity);
        else
            set_remedy_for_trouble(failure, identity->source);
        return;
    }
    failure_init(failure, reply->status == 429 ? REASON_THROTTLED : REASON_TOKEN_FAILED);
    failure_note_status(failure, reply, now);
    failure_note_id(failure->request_id, reply, "x-ms-request-id");
    message = read_error(failure, reply, identity, &error);
    if (set_common_remedy(failure, identity, message))
        return;
    switch (identity->source) {
    case MANAGED_IMDS:
        set_remedy_for_imds(failure, identity, message);
        break;
    case MANAGED_APP_SERVICE:
        set_remedy_for_app_service(failure, identity);
        break;
    case MANAGED_ARC:
        set_remedy_for_arc(failure, identity);
        break;
    }
}

/* --- answers that cannot be trusted --- */

void managed_identity_fail_selector(struct failure *failure, const char *problem,
                                    const struct managed_identity *identity)
{
    failure_init(failure, REASON_TOKEN_FAILED);
    failure->http_status = 200;
    failure_set_text(failure, "%s sent a token that is not used: it has to be for %s, and %s",
                     managed_identity_service(identity->source), selector_of(identity), problem);
    if (identity->source == MANAGED_ARC)
        failure_set_remedy(failure,
                           "take client_id, object_id and resource_id out: this agent "
                           "knows the machine's own identity only");
    else
        failure_set_remedy(failure,
                           "correct the identity's client_id, object_id or resource_id, "
                           "or assign %s here",
                           selector_of(identity));
}

void managed_identity_fail_challenge(struct failure *failure, const char *path)
{
    failure_init(failure, REASON_TOKEN_FAILED);
    failure->http_status = 401;
    if (path)
        failure_set_text(failure,
                         "%s asks for the content of %.200s, which is not a key in %s: it is not "
                         "sent",
                         managed_identity_service(MANAGED_ARC), path, ARC_DIRECTORY);
    else
        failure_set_text(failure, "%s refused the request, and named no key in %s",
                         managed_identity_service(MANAGED_ARC), ARC_DIRECTORY);
    failure_set_remedy(failure,
                       "see which program listens at the agent's port, `ss -lptn`: it "
                       "should be himds, the agent's");
}

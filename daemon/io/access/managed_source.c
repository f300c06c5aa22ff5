#include "io/access/managed_source.h"

#include <stdlib.h>

#include "base/str.h"
#include "conf/url.h"
#include "proto/failure.h"

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value ? str_or_null(value) : NULL;
}

static struct managed_surroundings look_around(bool has_arc_agent)
{
    return (struct managed_surroundings){
        .identity_endpoint = variable("IDENTITY_ENDPOINT"),
        .identity_header = variable("IDENTITY_HEADER"),
        .identity_server_thumbprint = variable("IDENTITY_SERVER_THUMBPRINT"),
        .imds_endpoint = variable("IMDS_ENDPOINT"),
        .has_arc_agent = has_arc_agent,
    };
}

/* An endpoint in the configuration is that of a virtual machine, unless `source` says otherwise. */
static bool is_detected(const struct identity *identity)
{
    return str_equal(identity_setting(identity, "source"), "auto") &&
           !identity_setting(identity, "endpoint");
}

bool managed_source_needs_agent(const struct identity *identity)
{
    const struct managed_surroundings without = look_around(false), with = look_around(true);

    return is_detected(identity) &&
           managed_identity_detect(&without) != managed_identity_detect(&with);
}

static enum managed_source source_of(const struct identity *identity,
                                     const struct managed_surroundings *surroundings)
{
    const char *source = identity_setting(identity, "source");

    if (is_detected(identity))
        return managed_identity_detect(surroundings);
    return str_equal(source, "app_service") ? MANAGED_APP_SERVICE
           : str_equal(source, "arc")       ? MANAGED_ARC
                                            : MANAGED_IMDS;
}

static bool fail_to_find(struct failure *failure, const char *missing)
{
    failure_init(failure, REASON_TOKEN_FAILED);
    failure_set_text(failure,
                     "a managed identity of App Service or Container Apps needs %s in the daemon's "
                     "environment",
                     missing);
    failure_set_remedy(failure,
                       "start the daemon in the app itself, whose platform sets IDENTITY_ENDPOINT "
                       "and IDENTITY_HEADER, or set `source` to where it runs: imds, arc");
    return false;
}

static bool fail_with_endpoint(struct failure *failure, const char *endpoint, const char *problem)
{
    failure_init(failure, REASON_TOKEN_FAILED);
    failure_set_text(failure, "IDENTITY_ENDPOINT %.100s %s", endpoint, problem);
    failure_set_remedy(failure,
                       "leave IDENTITY_ENDPOINT as the platform sets it, or unset it and set "
                       "`source` and `endpoint` of the identity");
    return false;
}

static bool fail_in_service_fabric(struct failure *failure)
{
    failure_init(failure, REASON_TOKEN_FAILED);
    failure_set_text(failure,
                     "IDENTITY_SERVER_THUMBPRINT is set: this is Service Fabric, whose "
                     "managed identities are not supported");
    failure_set_remedy(failure,
                       "use an identity of type client_certificate or client_secret; on a virtual "
                       "machine with an identity of its own write `source: imds`");
    return false;
}

/* The endpoint: of the configuration, of the environment, or the source's usual one. */
static bool choose_endpoint(const struct identity *identity,
                            const struct managed_surroundings *surroundings,
                            struct managed_identity *ret, struct failure *failure)
{
    const char *from_environment =
        ret->source == MANAGED_APP_SERVICE ||
                (ret->source == MANAGED_ARC && surroundings->imds_endpoint)
            ? surroundings->identity_endpoint
            : NULL;
    const char *problem = from_environment ? url_platform_problem(from_environment) : NULL;

    ret->endpoint = identity_setting(identity, "endpoint");
    if (ret->endpoint)
        return true;
    if (problem)
        return fail_with_endpoint(failure, from_environment, problem);
    ret->endpoint = from_environment ? from_environment : managed_identity_endpoint(ret->source);
    return ret->endpoint || fail_to_find(failure, "IDENTITY_ENDPOINT");
}

bool managed_source_choose(const struct identity *identity, bool has_arc_agent,
                           struct managed_identity *ret, const char **ret_header,
                           struct failure *failure)
{
    const struct managed_surroundings surroundings = look_around(has_arc_agent);

    *ret = (struct managed_identity){
        .source = source_of(identity, &surroundings),
        .client_id = identity_setting(identity, "client_id"),
        .object_id = identity_setting(identity, "object_id"),
        .resource_id = identity_setting(identity, "resource_id"),
    };
    *ret_header = NULL;
    if (ret->source == MANAGED_APP_SERVICE && is_detected(identity) &&
        surroundings.identity_server_thumbprint)
        return fail_in_service_fabric(failure);
    if (!choose_endpoint(identity, &surroundings, ret, failure))
        return false;
    if (ret->source != MANAGED_APP_SERVICE)
        return true;
    *ret_header = surroundings.identity_header;
    return *ret_header || fail_to_find(failure, "IDENTITY_HEADER");
}

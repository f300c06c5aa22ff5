/*
 * Where a managed identity asks for its tokens on this machine. Private to access.
 */
#ifndef KEYROTATED_IO_ACCESS_MANAGED_SOURCE_H
#define KEYROTATED_IO_ACCESS_MANAGED_SOURCE_H

#include "conf/identity.h"
#include "core/look.h"
#include "proto/managed_identity.h"

/* The program of Azure Arc's agent; MSAL looks for it, too. */
#define ARC_AGENT "/opt/azcmagent/bin/himds"

/* Does the choice depend on whether ARC_AGENT is there? */
bool managed_source_needs_agent(const struct identity *identity);

/*
 * Fills source, endpoint, client_id, object_id and resource_id of *ret, borrowed from the identity
 * and the environment. *ret_header: the value of App Service's header, or NULL. Returns false, with
 * *failure filled, where the environment lacks what the source needs.
 */
bool managed_source_choose(const struct identity *identity, bool has_arc_agent,
                           struct managed_identity *ret, const char **ret_header,
                           struct failure *failure);

#endif

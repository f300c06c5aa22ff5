#include "proto/two_key/shapes.h"

/*
 * Azure Quantum (Microsoft.Quantum/workspaces). A regenerate takes a list of keys and renews all of
 * them; ours holds one. Its answer is empty (204). No request that proves a key is documented, so a
 * new key is not verified.
 */

static const struct two_key_switch switches[] = {
    {.path = "properties.apiKeyEnabled",
     .off = OFF_IF_FALSE,
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the workspace's apiKeyEnabled is false"},
    {.path = NULL},
};

static const struct two_key_switch list_switches[] = {
    {.path = "apiKeyEnabled",
     .off = OFF_IF_FALSE,
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the workspace's apiKeyEnabled is false: listKeys says so"},
    {.path = NULL},
};

const struct two_key_resource two_key_quantum_workspace = {
    .type = "Microsoft.Quantum/workspaces",
    .short_name = "quantum",
    .noun = "a Quantum workspace",
    .api_version = "2026-06-15-preview",
    .name = {2, 54, "-", "2 to 54 letters, digits and '-'"},
    .list = {.name = "listKeys"},
    TWO_KEY_REGENERATE_IN_LIST("regenerateKey", "keys", "Primary", "Secondary"),
    .regenerate_answers = ANSWERS_NOTHING,
    TWO_KEY_AT("primaryKey.key", "secondaryKey.key"),
    TWO_KEY_MADE_AT("primaryKey.createdAt", "secondaryKey.createdAt"),
    .key_shape = &key_shape_text,
    .endpoint_path = "properties.endpointUri",
    .state_path = "properties.provisioningState",
    .switches = switches,
    .list_switches = list_switches,
    .keys_on = "set the workspace's apiKeyEnabled to true",
    TWO_KEY_ACTIONS("Microsoft.Quantum/Workspaces", "listKeys", "regenerateKey"),
    .role = "Quantum Key Rotator",
    .grants = "submit jobs to the workspace, and read them",
    .env_name = "AZURE_QUANTUM_WORKSPACE_NAME",
    .env_key = "AZURE_QUANTUM_API_KEY",
    .env_endpoint = "AZURE_QUANTUM_ENDPOINT",
    .env_connection_string = "AZURE_QUANTUM_CONNECTION_STRING",
    .connection_string =
        "SubscriptionId={subscription_id};ResourceGroupName={resource_group};"
        "WorkspaceName={name};ApiKey={key};QuantumEndpoint=https://{endpoint}/;",
    .note = "this interface of Azure's is a preview, and may change",
};

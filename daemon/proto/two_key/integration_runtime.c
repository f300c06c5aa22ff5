#include "proto/two_key/shapes.h"

/*
 * Integration runtimes on machines of one's own: of Data Factory
 * (Microsoft.DataFactory/factories/integrationRuntimes), of Synapse
 * (Microsoft.Synapse/workspaces/integrationRuntimes), and that of a Database Migration Service
 * (Microsoft.DataMigration/sqlMigrationServices). The answer to a regenerate may hold the
 * regenerated key alone. A key registers a machine and does nothing else, so a new one is not
 * verified. A container of the runtime reads it from AUTH_KEY.
 */

/* Runtimes that Azure manages have no keys. */
#define RUNTIME                                                                                    \
    .name = {3, 63, "-", "3 to 63 letters, digits and '-'"}, .list = {.name = "listAuthKeys"},     \
    TWO_KEY_REGENERATE("regenerateAuthKey", "keyName", "authKey1", "authKey2"),                    \
    .regenerate_answers = ANSWERS_NOTHING, TWO_KEY_AT("authKey1", "authKey2"),                     \
    .key_shape = &key_shape_runtime,                                                               \
    .switches =                                                                                    \
        (const struct two_key_switch[]){                                                           \
            {.path = "properties.type",                                                            \
             .off = OFF_UNLESS_TEXT,                                                               \
             .text = "SelfHosted",                                                                 \
             .reason = REASON_SHARED_KEY_DISABLED,                                                 \
             .words = "the runtime's type is not SelfHosted, and others have no keys"},            \
            {.path = NULL}},                                                                       \
    .keys_on = "configure a self-hosted runtime", .env_key = "AUTH_KEY", .note = runtime_note

#define runtime_note                                                                               \
    "with these keys machines register with the runtime; whether a machine that has registered "   \
    "needs the new one is not documented"

const struct two_key_resource two_key_data_factory_runtime = {
    .type = "Microsoft.DataFactory/factories/integrationRuntimes",
    .short_name = "data_factory_runtime",
    .noun = "an integration runtime of Data Factory",
    .api_version = "2018-06-01",
    RUNTIME,
    TWO_KEY_ACTIONS("Microsoft.DataFactory/factories/integrationruntimes", "listauthkeys",
                    "regenerateauthkey"),
    .role = "Data Factory Runtime Key Rotator",
    .grants = "register nodes with the runtime",
    .env_name = "AZURE_DATA_FACTORY_RUNTIME",
};

const struct two_key_resource two_key_synapse_runtime = {
    .type = "Microsoft.Synapse/workspaces/integrationRuntimes",
    .short_name = "synapse_runtime",
    .noun = "an integration runtime of Synapse",
    .api_version = "2021-06-01",
    RUNTIME,
    TWO_KEY_ACTIONS("Microsoft.Synapse/workspaces/integrationRuntimes", "listAuthKeys",
                    "regenerateAuthKey"),
    .role = "Synapse Runtime Key Rotator",
    .grants = "register nodes with the runtime",
    .env_name = "AZURE_SYNAPSE_RUNTIME",
};

const struct two_key_resource two_key_data_migration_service = {
    .type = "Microsoft.DataMigration/sqlMigrationServices",
    .short_name = "data_migration",
    .noun = "a Database Migration Service",
    .api_version = "2025-06-30",
    .name = {2, 62, "-._", "2 to 62 letters, digits, '-', '.' and '_'"},
    .list = {.name = "listAuthKeys"},
    TWO_KEY_REGENERATE("regenerateAuthKeys", "keyName", "authKey1", "authKey2"),
    .regenerate_answers = ANSWERS_NOTHING,
    TWO_KEY_AT("authKey1", "authKey2"),
    .key_shape = &key_shape_runtime,
    .state_path = "properties.provisioningState",
    TWO_KEY_ACTIONS("Microsoft.DataMigration/sqlMigrationServices", "listAuthKeys",
                    "regenerateAuthKeys"),
    .role = "Database Migration Key Rotator",
    .grants = "register nodes with the service",
    .env_name = "AZURE_DATA_MIGRATION_SERVICE",
    .env_key = "AUTH_KEY",
    .note = runtime_note,
};

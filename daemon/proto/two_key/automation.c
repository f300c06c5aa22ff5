#include "proto/two_key/shapes.h"

/*
 * Azure Automation (Microsoft.Automation/automationAccounts): the keys by which machines register
 * with an account. A GET shows them, so that whoever may read the registration has them
 * (learn.microsoft.com, Automation REST API, "Agent Registration Information"). A key signs the
 * registration of a machine and nothing else, so a new one is not verified.
 */

const struct two_key_resource two_key_automation_account = {
    .type = "Microsoft.Automation/automationAccounts",
    .short_name = "automation",
    .noun = "an Automation account",
    .api_version = "2024-10-23",
    .name = {6, 50, "-", "6 to 50 letters, digits and '-'"},
    .list = {.name = "agentRegistrationInformation", .get = true},
    TWO_KEY_REGENERATE("agentRegistrationInformation/regenerateKey", "keyName", "primary",
                       "secondary"),
    .regenerate_answers = ANSWERS_BOTH,
    TWO_KEY_AT("keys.primary", "keys.secondary"),
    .key_shape = &key_shape_text,
    TWO_KEY_LOCAL_AUTH("the account's"),
    .read_action = "Microsoft.Automation/automationAccounts/read",
    .list_action = "Microsoft.Automation/automationAccounts/agentRegistrationInformation/read",
    .regenerate_action =
        "Microsoft.Automation/automationAccounts/agentRegistrationInformation/regenerateKey/action",
    .role = "Automation Key Rotator",
    .grants = "register nodes and hybrid workers with the account",
    .env_name = "AZURE_AUTOMATION_ACCOUNT",
    .env_key = "AZURE_AUTOMATION_REGISTRATION_KEY",
    .note =
        "with these keys machines register with the account; those that have registered go on "
        "with certificates of their own",
};

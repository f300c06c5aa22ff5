/*
 * Resource ids of Azure Batch accounts:
 * /subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.Batch/batchAccounts/NAME
 * (Azure Resource Manager compares them without regard to case).
 */
#ifndef KEYROTATED_CONF_RESOURCE_ID_H
#define KEYROTATED_CONF_RESOURCE_ID_H

#include <stdbool.h>
#include <stddef.h>

/* The variable parts, borrowed from the id that was parsed. */
struct resource_id {
    const char *subscription;
    size_t subscription_length;
    const char *group;
    size_t group_length;
    const char *name;
    size_t name_length;
};

/* Splits the id. Returns NULL, or what is wrong with it and what would be right. */
const char *resource_id_parse(const char *text, struct resource_id *ret_id);

/* What is wrong with an account name (3 to 24 letters and digits; Azure shows them in lower case),
 * or NULL. */
const char *resource_account_problem(const char *name, size_t length);

/* What is wrong with the name of a resource group (1 to 90 letters, digits, "_-.()", no final dot),
 * or NULL. */
const char *resource_group_problem(const char *group, size_t length);

/* What is wrong with the resource id of a user-assigned managed identity, or NULL. */
const char *resource_identity_problem(const char *text);

#endif

/*
 * The settings of a target of type `key_vault`: a secret of Azure Key Vault.
 */
#ifndef KEYROTATED_CONF_TARGET_KEY_VAULT_H
#define KEYROTATED_CONF_TARGET_KEY_VAULT_H

#include "conf/target_type.h"

/* What stands in a place between the URL of the vault and the name of the secret. */
#define KEY_VAULT_SECRETS "/secrets/"

/* The place is "https://HOST[:PORT]/secrets/NAME" in lower case, because Key Vault compares names
 * without regard to case. */
struct target_key_vault {
    const char *secret_name;  /* as written; it may still contain {location} */
    const char *content_type; /* NULL: stays as it is */
    const char *resource_id;  /* of the account: the tag ProviderAddress */
    const char *audience;     /* of tokens for the cloud's vaults; the vault's host is below its */
    duration_ms expires;      /* from a delivery to the secret's `exp`; 0: none is set */
    unsigned validity_days;   /* the tag ValidityPeriodDays */
    bool recover_deleted;     /* a soft-deleted secret is recovered */
};

extern const struct target_type target_key_vault_type;

/* The settings of a destination of this type. */
static inline const struct target_key_vault *target_key_vault_of(
    const struct destination *destination)
{
    return destination->settings;
}

#endif

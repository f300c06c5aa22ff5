/*
 * Targets of type `key_vault`: secrets of Azure Key Vault.
 */
#ifndef KEYROTATED_IO_TARGET_KEY_VAULT_H
#define KEYROTATED_IO_TARGET_KEY_VAULT_H

#include "io/target/target_type.h"

extern const struct target_operations target_key_vault_operations;

#endif

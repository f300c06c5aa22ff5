/*
 * Targets of type `hashicorp_vault`: an object in a KV engine of HashiCorp Vault or OpenBao.
 */
#ifndef KEYROTATED_IO_TARGET_HASHICORP_VAULT_H
#define KEYROTATED_IO_TARGET_HASHICORP_VAULT_H

#include "io/target/target_type.h"

extern const struct target_operations target_hashicorp_vault_operations;

#endif

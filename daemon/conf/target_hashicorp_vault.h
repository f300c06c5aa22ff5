/*
 * The settings of a target of type `hashicorp_vault`.
 */
#ifndef KEYROTATED_CONF_TARGET_HASHICORP_VAULT_H
#define KEYROTATED_CONF_TARGET_HASHICORP_VAULT_H

#include "conf/target_type.h"
#include "proto/vault.h"
#include "proto/vault_login.h"

/* A field of the object. */
struct vault_field {
    const char *name;
    const char *template; /* see proto/template.h */
};

/* The place is "ADDRESS/NAMESPACE/MOUNT/PATH". */
struct target_hashicorp_vault {
    struct vault_object object; /* without its path, which begins at place + path_offset */
    size_t path_offset;
    const struct vault_field *fields;
    size_t field_count;
    struct vault_login login; /* `file` may be relative: below the credentials directory */
    const char *ca_file;      /* NULL: that of the daemon */
    duration_ms period; /* a version has to live so long: until the next one is written; 0: not
                         * known */
};

extern const struct target_type target_hashicorp_vault_type;

/* The settings of a destination of this type. */
static inline const struct target_hashicorp_vault *target_hashicorp_vault_of(
    const struct destination *destination)
{
    return destination->settings;
}

#endif

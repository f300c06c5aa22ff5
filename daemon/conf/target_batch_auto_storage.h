/*
 * The settings of a target of type `batch_auto_storage`: a Batch account that is told to read the
 * keys of its storage account again.
 */
#ifndef KEYROTATED_CONF_TARGET_BATCH_AUTO_STORAGE_H
#define KEYROTATED_CONF_TARGET_BATCH_AUTO_STORAGE_H

#include "conf/target_type.h"

/* The place is the Batch account's resource id in lower case. */
struct target_batch_auto_storage {
    const char *batch_account; /* the same, as written */
    const char *api_version;
    const char *resource_manager; /* URL */
    const char *audience;         /* of its tokens */
};

extern const struct target_type target_batch_auto_storage_type;

/* The settings of a destination of this type. */
static inline const struct target_batch_auto_storage *target_batch_auto_storage_of(
    const struct destination *destination)
{
    return destination->settings;
}

#endif

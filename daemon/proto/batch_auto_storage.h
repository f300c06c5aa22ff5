/*
 * The auto-storage of a Batch account: a storage account whose keys Batch keeps a copy of. After a
 * rotation it has to be told to read them again.
 *
 * Source: learn.microsoft.com/rest/api/batchmanagement, "Batch Account - Synchronize Auto Storage
 * Keys" (POST …/syncAutoStorageKeys: 204; only where authenticationMode is StorageKeys), and "Batch
 * Account - Get" (properties.autoStorage).
 */
#ifndef KEYROTATED_PROTO_BATCH_AUTO_STORAGE_H
#define KEYROTATED_PROTO_BATCH_AUTO_STORAGE_H

#include <stddef.h>

#include "base/err.h"

/* The permissions, as Azure writes them. */
#define BATCH_AUTO_STORAGE_READ "Microsoft.Batch/batchAccounts/read"
#define BATCH_AUTO_STORAGE_SYNC "Microsoft.Batch/batchAccounts/syncAutoStorageKeys/action"

enum batch_auto_storage {
    BATCH_AUTO_STORAGE_KEYS,     /* with keys of the storage account */
    BATCH_AUTO_STORAGE_IDENTITY, /* with the Batch account's managed identity: it needs no keys */
    BATCH_AUTO_STORAGE_NONE
};

/* Reads the answer to a GET of a Batch account. 0; -EBADMSG or -ENOMEM with err set. */
int batch_auto_storage_read(const char *body, size_t length, enum batch_auto_storage *ret_storage,
                            struct err *err);

#endif

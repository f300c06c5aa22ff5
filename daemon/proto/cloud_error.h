/*
 * Error bodies: converts the formats of Azure's services into one.
 *
 * Azure Resource Manager sends {"error":{"code","message","target","details":[…]}} with details
 * that nest (Azure Resource Manager RPC, common API details), some providers leave the outer
 * "error" out, Key Vault adds "innererror", and data planes send their OData form
 * {"code","message":{"lang","value"},"values":[{"key","value"}]}. Names are read in any case, a
 * list of errors ([{…}]) and "details" as one object or a list; "error" may be a string, as OAuth
 * has it, with error_description or message beside it. Unreadable parts are left out.
 */
#ifndef KEYROTATED_PROTO_CLOUD_ERROR_H
#define KEYROTATED_PROTO_CLOUD_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/look.h"

enum { CLOUD_ERROR_ITEMS_MAX = 8, CLOUD_ERROR_MESSAGE_MAX = 768, CLOUD_ERROR_TARGET_MAX = 128 };

/* One level. Strings are "" where the member is absent and cut where it is too long. */
struct cloud_error_item {
    char code[FAILURE_CODE_MAX];
    char target[CLOUD_ERROR_TARGET_MAX];
    char message[CLOUD_ERROR_MESSAGE_MAX];
};

/* The error itself is items[0]; its inner error and its details follow, depth first, as many as
 * there is room for. */
struct cloud_error {
    struct cloud_error_item items[CLOUD_ERROR_ITEMS_MAX];
    size_t count;
    bool out_of_memory; /* memory ran out while the body was read */
};

/* Returns false, with *error empty, when the body is no such error (a proxy's page, an empty body),
 * or when memory is out. */
bool cloud_error_parse(struct cloud_error *error, const char *body, size_t length);

/* The first level with that code (any case), or NULL. */
const struct cloud_error_item *cloud_error_find(const struct cloud_error *error, const char *code);

/* The outermost code and message; "" where there is none. */
const char *cloud_error_code(const struct cloud_error *error);
const char *cloud_error_message(const struct cloud_error *error);

#endif

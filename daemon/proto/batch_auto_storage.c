#include "proto/batch_auto_storage.h"

#include <errno.h>

#include "base/json.h"
#include "base/str.h"

/* An authenticationMode that is absent is StorageKeys: older versions had no other. */
static enum batch_auto_storage judge(struct json_object *storage)
{
    const char *mode = json_string(storage, "authenticationMode");

    if (!json_object_is_type(storage, json_type_object))
        return BATCH_AUTO_STORAGE_NONE;
    return mode && !str_equal_nocase(mode, "StorageKeys") ? BATCH_AUTO_STORAGE_IDENTITY
                                                          : BATCH_AUTO_STORAGE_KEYS;
}

int batch_auto_storage_read(const char *body, size_t length, enum batch_auto_storage *ret_storage,
                            struct err *err)
{
    struct json_object *document = json_parse_foreign(body, length, err);
    struct json_object *properties = json_member(document, "properties");
    int rc = 0;

    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EBADMSG;
    if (json_object_is_type(properties, json_type_object))
        *ret_storage = judge(json_member(properties, "autoStorage"));
    else
        rc = err_set(err, -EBADMSG, "the member \"properties\" is missing or no object");
    json_object_put(document);
    return rc;
}

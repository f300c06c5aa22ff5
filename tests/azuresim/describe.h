/* What Resource Manager says of a resource: the JSON in the rows of types, filled in. */
#ifndef AZURESIM_DESCRIBE_H
#define AZURESIM_DESCRIBE_H

#include <json-c/json.h>
#include <stdint.h>

#include "sim.h"

/* No slot was regenerated. */
#define DESCRIBE_NO_SLOT SIZE_MAX

/* TEXT of the account's type, filled in with keys as they were at WALL_US; SLOT is the one that was
 * regenerated. */
struct json_object *describe_answer(const struct sim *sim, const struct account *account,
                                    const char *text, size_t slot, int64_t wall_us);

/* The answer to a listing and to a regeneration of SLOT; NULL: the answer has no body. */
struct json_object *describe_keys(const struct sim *sim, const struct account *account, bool expand,
                                  int64_t wall_us);
struct json_object *describe_regenerated(const struct sim *sim, const struct account *account,
                                         size_t slot);

/* The resource, as GET and lists show it. */
struct json_object *describe_resource(const struct sim *sim, const struct account *account);

/* The resource that ACCOUNT is below, that of its first COUNT names. */
struct json_object *describe_parent(const struct sim *sim, const struct account *account,
                                    size_t count);

/* The id of the resource of its first COUNT names, to be freed. */
char *describe_id(const struct account *account, size_t count);

/* "Microsoft.ServiceBus/namespaces" for 1 name, to be freed. */
char *describe_type_name(const struct type *type, size_t count);

/* The id that a key has in App Configuration, to be freed. */
char *describe_key_id(const struct sim *sim, const struct account *account, size_t slot);

#endif

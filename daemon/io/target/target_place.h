/*
 * The place of a destination, once Azure has reported the account's location.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_PLACE_H
#define KEYROTATED_IO_TARGET_TARGET_PLACE_H

#include <stdbool.h>

#include "io/target/target_type.h"

/* The place with every {location} replaced by `location` in lower case without blanks, as Azure
 * writes it in resource ids ("Japan East" is japaneast). When `location` is unknown (NULL) or not
 * valid in a place, {location} stays unchanged. Fresh memory. */
char *target_place(const struct destination *destination, const char *location);

/* Is the location valid in a path or host name: only letters and digits, and not too long? */
bool target_place_takes(const char *location);

/* False, with *failure filled, when the place needs a location that is unknown or not valid in it.
 * `what`: where the location would stand ("a path"); `keys` of the configuration hold the place:
 * "`vault` and `secret_name`". */
bool target_place_check(const struct target_request *request, const char *what, const char *keys,
                        struct failure *failure);

/* Fills *failure for an operation that needs a fact about the account ("endpoint") before Azure has
 * told it. `type` may be NULL, where the place says enough. */
void target_fail_unknown(const char *type, const char *place, const char *fact,
                         struct failure *failure);

#endif

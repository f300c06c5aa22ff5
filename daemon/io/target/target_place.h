/*
 * Where a destination is, once Azure has said in which location the account lies.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_PLACE_H
#define KEYROTATED_IO_TARGET_TARGET_PLACE_H

#include <stdbool.h>

#include "conf/config.h"

/* The place with every {location} replaced by `location` in lower case without blanks, as Azure
 * writes it in resource ids ("Japan East" is japaneast). Where it is not known (NULL), or cannot
 * stand in a place, {location} stays as it is. Fresh memory. */
char *target_place(const struct destination *destination, const char *location);

/* Is it a name that can stand in a path or a host name: letters and digits only, not too many? */
bool target_place_takes(const char *location);

#endif

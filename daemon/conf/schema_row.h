/*
 * Macros for the rows of the schema's tables.
 */
#ifndef KEYROTATED_CONF_SCHEMA_ROW_H
#define KEYROTATED_CONF_SCHEMA_ROW_H

#include "conf/schema.h"

/* A key: its name, its type, and the members of struct schema_key that it needs besides. */
#define SCHEMA_ROW(key_name, ...)                                                                  \
    {                                                                                              \
        .name = (key_name), .type = __VA_ARGS__                                                    \
    }
#define SCHEMA_END                                                                                 \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* What every type of target has: what is told once a key has been delivered to it. */
#define SCHEMA_AFTER                                                                               \
    SCHEMA_ROW("after", SCHEMA_MAP, .shape = SHAPE_ONE_OR_LIST, .map = &schema_hook)

#define SCHEMA_LONGEST (3650 * MS_DAY)

#endif

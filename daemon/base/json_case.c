#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include <json-c/linkhash.h>

#include "base/json.h"

static int compare(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, names that differ in nothing but their case stand side by side. */
static int check_names(struct json_object *object, struct err *err)
{
    const size_t most = (size_t)json_object_object_length(object);
    const char **names = calloc(most + 1, sizeof(*names));
    size_t count = 0;
    int rc = 0;

    if (!names)
        return err_set(err, -ENOMEM, "out of memory while comparing names");
    json_object_object_foreach(object, name, value)
    {
        (void)value;
        names[count++] = name;
    }
    qsort(names, count, sizeof(*names), compare);
    for (size_t i = 1; i < count && rc == 0; i++)
        if (strcasecmp(names[i - 1], names[i]) == 0)
            rc = err_set(err, -ENOTUNIQ,
                         "the members \"%.64s\" and \"%.64s\" differ in nothing but the case of "
                         "their names",
                         names[i - 1], names[i]);
    free(names);
    return rc;
}

int json_check_case(struct json_object *value, struct err *err)
{
    int rc = 0;

    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value) && rc == 0; i++)
            rc = json_check_case(json_object_array_get_idx(value, i), err);
    } else if (json_object_is_type(value, json_type_object)) {
        rc = check_names(value, err);
        json_object_object_foreach(value, name, member)
        {
            (void)name;
            if (rc == 0)
                rc = json_check_case(member, err);
        }
    }
    return rc;
}

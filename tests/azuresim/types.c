#include "types.h"

#include <string.h>
#include <strings.h>

static const struct type *const *const families[] = {
    types_of_data, types_of_messaging, types_of_intelligence, types_of_platforms, types_of_devices,
};

const struct type *type_at(size_t index)
{
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        for (const struct type *const *row = families[i]; *row; row++) {
            if (index-- == 0)
                return *row;
        }
    }
    return NULL;
}

const struct type *type_find(const char *name)
{
    const struct type *type;

    for (size_t i = 0; (type = type_at(i)); i++) {
        if (strcasecmp(type->name, name) == 0 || strcasecmp(type->word, name) == 0)
            return type;
    }
    return NULL;
}

size_t type_provider_length(const struct type *type)
{
    return strcspn(type->name, "/");
}

size_t type_name_count(const struct type *type)
{
    size_t count = 0;

    for (const char *c = type->name; *c != '\0'; c++)
        count += *c == '/';
    return count;
}

bool type_has_parts(const struct type *type)
{
    return type->regenerate.body == BODY_SITE || type->regenerate.body == BODY_WHOLE;
}

size_t type_world_name_count(const struct type *type)
{
    return type_name_count(type) + type_has_parts(type);
}

const char *type_segment(const struct type *type, size_t index, size_t *ret_length)
{
    const char *segment = type->name + type_provider_length(type) + 1;

    for (; index > 0; index--)
        segment += strcspn(segment, "/") + 1;
    *ret_length = strcspn(segment, "/");
    return segment;
}

bool type_same_path(const struct type *a, const struct type *b, size_t count)
{
    size_t length = type_provider_length(a);

    if (type_name_count(a) < count)
        return false;
    for (size_t i = 0; i < count; i++)
        length += 1 + strcspn(a->name + length + 1, "/");
    return strncasecmp(a->name, b->name, length) == 0 &&
           (b->name[length] == '/' || b->name[length] == '\0');
}

size_t type_slot_count(const struct type *type)
{
    return type->pairs[1] ? TYPE_MAX_SLOTS : TYPE_PAIR;
}

int type_pair(const struct type *type, const char *name)
{
    if (!name)
        return 0;
    for (int i = 0; i < 2; i++) {
        if (type->pairs[i] && strcmp(type->pairs[i], name) == 0)
            return i;
    }
    return -1;
}

/* The word of VERSIONS at the end. */
const char *type_newest_version(const struct type *type)
{
    const char *blank = strrchr(type->versions, ' ');

    return !blank ? type->versions : blank + 1;
}

bool type_has_version(const struct type *type, const char *version)
{
    size_t length = strlen(version);

    for (const char *word = type->versions; *word != '\0';) {
        size_t word_length = strcspn(word, " ");

        if (word_length == length && strncasecmp(word, version, length) == 0)
            return true;
        word += word_length;
        word += strspn(word, " ");
    }
    return false;
}

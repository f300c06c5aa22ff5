#include "conf/placeholder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

enum { NAME_MAX_SHOWN = 40, EXPANDED_MAX = 8192 };

#define LOCATION "location"

static const char *const names[] = {"account", "resource_group", "subscription_id", LOCATION, NULL};

static const char *value_of(const struct placeholder_values *values, const char *name)
{
    if (str_equal(name, "account"))
        return values->account;
    if (str_equal(name, "resource_group"))
        return values->resource_group;
    if (str_equal(name, "subscription_id"))
        return values->subscription_id;
    return NULL;
}

static bool is_known(const char *name)
{
    for (size_t i = 0; names[i]; i++) {
        if (str_equal(names[i], name))
            return true;
    }
    return false;
}

/* Copies the name between the braces, cut to the size of `name`. */
static void copy_name(const char *open, const char *close, char name[NAME_MAX_SHOWN])
{
    size_t length = (size_t)(close - open - 1);

    if (length >= NAME_MAX_SHOWN)
        length = NAME_MAX_SHOWN - 1;
    memcpy(name, open + 1, length);
    name[length] = '\0';
}

const char *placeholder_problem(const char *text, char *out, size_t size)
{
    const char *brace = text + strcspn(text, "{}");

    while (*brace != '\0') {
        const char *close = brace + 1 + strcspn(brace + 1, "{}");
        char name[NAME_MAX_SHOWN];
        const char *nearest;

        if (*brace == '{' && brace[1] == '{') {
            (void)snprintf(out, size,
                           "holds \"{{\"; placeholders stand in single braces, such as {account}");
            return out;
        }
        if (*brace == '}' || *close != '}') {
            (void)snprintf(out, size,
                           "holds a '%c' without its partner; braces enclose placeholders such as "
                           "{account}",
                           *brace);
            return out;
        }
        copy_name(brace, close, name);
        nearest = str_nearest(name, names);
        if (!is_known(name) && nearest) {
            (void)snprintf(out, size, "unknown placeholder {%s}; did you mean {%s}?", name,
                           nearest);
            return out;
        }
        if (!is_known(name)) {
            (void)snprintf(out, size,
                           "unknown placeholder {%s}; known are {account}, {resource_group}, "
                           "{subscription_id} and {location}",
                           name);
            return out;
        }
        brace = close + 1 + strcspn(close + 1, "{}");
    }
    return NULL;
}

bool placeholder_needs_location(const char *text)
{
    return !!strstr(text, "{" LOCATION "}");
}

char *placeholder_expand(struct arena *arena, const char *text,
                         const struct placeholder_values *values)
{
    struct buf expanded;
    char *copy;

    buf_init(&expanded, EXPANDED_MAX);
    while (*text != '\0') {
        size_t literal = strcspn(text, "{");
        const char *close = strchr(text + literal, '}');
        char name[NAME_MAX_SHOWN];
        const char *value;

        (void)buf_append(&expanded, text, literal);
        text += literal;
        if (!close)
            break;
        copy_name(text, close, name);
        value = value_of(values, name);
        if (value)
            (void)buf_append_lower(&expanded, value, strlen(value));
        else
            (void)buf_append(&expanded, text, (size_t)(close - text) + 1);
        text = close + 1;
    }
    if (expanded.failed == -ENOMEM)
        arena_fail(arena);
    copy = expanded.failed ? NULL : arena_dup(arena, buf_str(&expanded));
    buf_done(&expanded);
    return copy;
}

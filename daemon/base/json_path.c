#include "base/json_path.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* One step of a path, cut in place: "keys[keyName=key1]" is all three. */
struct step {
    const char *member;
    const char *selector; /* NULL: the member's value itself */
    const char *wanted;
};

/* Cuts the first step off; what follows it is at *rest ("" after the last). */
static struct step cut_step(char *path, char **rest)
{
    struct step step = {.member = path};
    size_t length = strcspn(path, ".[");
    char *equals;

    if (path[length] == '[') {
        path[length] = '\0';
        path += length + 1;
        length = strcspn(path, "]");
        equals = strchr(path, '=');
        step.selector = path;
        *equals = '\0';
        step.wanted = equals + 1;
        path[length] = '\0';
        path += length + 1;
        *rest = path + (*path == '.');
    } else {
        *rest = path + length + (path[length] == '.');
        path[length] = '\0';
    }
    return step;
}

/* The object of the list that has the member `selector` with that text; NULL: there is none. */
static int choose(struct json_object *list, const struct step *step, struct json_object **ret_value,
                  struct err *err)
{
    *ret_value = NULL;
    if (!json_object_is_type(list, json_type_array))
        return 0;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        const char *text = json_string(item, step->selector);

        if (json_check_members(item, &step->selector, 1, err) < 0)
            return -EBADMSG;
        if (!text || !str_equal_nocase(text, step->wanted))
            continue;
        if (*ret_value)
            return err_set(err, -EBADMSG, "the list \"%s\" holds %s twice", step->member,
                           step->wanted);
        *ret_value = item;
    }
    return 0;
}

int json_at(struct json_object *document, const char *path, struct json_object **ret_value,
            struct err *err)
{
    char steps[JSON_PATH_MAX];
    char *rest = steps;
    int rc = 0;

    *ret_value = NULL;
    (void)str_copy(steps, sizeof(steps), path);
    while (rc == 0 && document && *rest != '\0') {
        struct step step = cut_step(rest, &rest);

        if (json_check_members(document, &step.member, 1, err) < 0)
            return -EBADMSG;
        document = json_member(document, step.member);
        if (step.selector)
            rc = choose(document, &step, &document, err);
    }
    if (rc == 0)
        *ret_value = document;
    return rc;
}

int json_text_at(struct json_object *document, const char *path, const char **ret_text,
                 struct err *err)
{
    struct json_object *value;
    int rc = json_at(document, path, &value, err);
    const char *text =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

    /* A text with a NUL inside is none: json_string() judges so, too. */
    if (text && strlen(text) != (size_t)json_object_get_string_len(value))
        text = NULL;
    *ret_text = text;
    return rc;
}

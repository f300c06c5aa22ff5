#include "conf/type_hint.h"

#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "base/str.h"
#include "proto/two_key/two_key.h"

/* LETTERS: of a name or of the beginning of a sentence. With more than NEAR_MAX types nothing is
 * said by a word such as "service". */
enum { LETTERS_MAX = 128, LETTERS_MIN = 4, NEAR_MAX = 5, TYPES_MAX = 256 };

/* The letters and digits of the text, in lower case: "An App Configuration store" and
 * "app_configuration" have the same ones in common. */
static const char *letters_of(const char *text, char out[LETTERS_MAX])
{
    size_t length = 0;

    for (; *text != '\0' && length < LETTERS_MAX - 1; text++)
        if (char_is_alphanumeric(*text))
            out[length++] = *text;
    out[length] = '\0';
    str_lower(out);
    return out;
}

static bool is_slip(const char *word)
{
    const char *names[TYPES_MAX + 1] = {NULL};
    const struct two_key_resource *type;

    for (size_t i = 0; i < TYPES_MAX && (type = two_key_resource_at(i)); i++)
        names[i] = type->short_name;
    return !!str_nearest(word, names);
}

static bool is_near(const struct two_key_resource *type, const char *letters)
{
    char name[LETTERS_MAX], noun[LETTERS_MAX];

    (void)letters_of(type->short_name, name);
    return strstr(name, letters) || str_starts_with(letters, name) ||
           strstr(letters_of(type->noun, noun), letters);
}

static const char *without_article(const char *sentence)
{
    if (str_starts_with_nocase(sentence, "a "))
        return sentence + 2;
    return str_starts_with_nocase(sentence, "an ") ? sentence + 3 : sentence;
}

/* The reasons begin with what cannot be rotated: "Log Analytics renews both keys at once". */
static const struct two_key_refused *refused_as(const char *letters)
{
    const struct two_key_refused *refused;
    char why[LETTERS_MAX];

    for (size_t i = 0; (refused = two_key_refused_at(i)); i++)
        if (str_starts_with(letters_of(without_article(refused->why), why), letters))
            return refused;
    return NULL;
}

static size_t find_near(const char *letters, const struct two_key_resource *near[NEAR_MAX])
{
    const struct two_key_resource *type;
    size_t count = 0;

    for (size_t i = 0; (type = two_key_resource_at(i)); i++) {
        if (!is_near(type, letters))
            continue;
        if (count < NEAR_MAX)
            near[count] = type;
        count++;
    }
    return count;
}

static void write_near(const struct two_key_resource *const near[NEAR_MAX], size_t count, char *out,
                       size_t size)
{
    size_t length = 0;

    (void)snprintf(out, size, "is no type; did you mean ");
    for (size_t i = 0; i < count; i++) {
        const char *separator = i + 1 == count ? "?" : i + 2 == count ? " or " : ", ";

        length = strlen(out);
        (void)snprintf(out + length, size - length, "%s%s", near[i]->short_name, separator);
    }
}

const char *type_hint(const char *word, char *out, size_t size)
{
    const struct two_key_resource *near[NEAR_MAX];
    const struct two_key_refused *refused;
    char letters[LETTERS_MAX];
    size_t count;

    if (strlen(letters_of(word, letters)) < LETTERS_MIN || is_slip(word))
        return NULL;
    count = find_near(letters, near);
    refused = count == 0 ? refused_as(letters) : NULL;
    if (refused)
        (void)snprintf(out, size, "cannot be rotated: %s", refused->why);
    else if (count > 0 && count <= NEAR_MAX)
        write_near(near, count, out, size);
    return refused || (count > 0 && count <= NEAR_MAX) ? out : NULL;
}

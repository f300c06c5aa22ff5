#include "proto/remedy.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/encoding.h"
#include "base/str.h"
#include "proto/two_key/two_key.h"

/* A character that systemd allows in the name of an instance and that is literal for a shell. */
#define UNIT_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.-"

#define PLACE_BEGINNINGS "{`" /* what append_place() fills begins with one of them */

static bool is_plain(char c)
{
    return char_is_alphanumeric(c) || (c != '\0' && strchr("/._-:@%+=,", c));
}

/* As one word for a shell. */
static void append_word(struct buf *out, const char *word)
{
    bool plain = *word != '\0';

    for (const char *c = word; *c != '\0'; c++)
        plain = plain && is_plain(*c);
    if (plain) {
        (void)buf_append_str(out, word);
        return;
    }
    (void)buf_append_char(out, '\'');
    for (const char *c = word; *c != '\0'; c++) {
        if (*c == '\'')
            (void)buf_append_str(out, "'\\''");
        else
            (void)buf_append_char(out, *c);
    }
    (void)buf_append_char(out, '\'');
}

static void append_role(struct buf *out, const struct remedy_words *words)
{
    const char *actions[TWO_KEY_ACTIONS_MAX];
    const size_t count = two_key_actions(words->type, actions);

    (void)buf_append_format(out,
                            "az role definition create --role-definition '{\"Name\": \"%s\", "
                            "\"Description\": \"Lists and regenerates keys.\", \"Actions\": [",
                            words->type->role);
    for (size_t i = 0; i < count; i++)
        (void)buf_append_format(out, "%s\"%s\"", i > 0 ? ", " : "", actions[i]);
    (void)buf_append_format(out, "], \"AssignableScopes\": [\"/subscriptions/%s\"]}'",
                            words->subscription_id ? words->subscription_id : "SUBSCRIPTION");
}

void remedy_unit(const char *socket, char out[REMEDY_UNIT_MAX])
{
    static const char instance[] = "/run/keyrotated@";
    const char *name = socket && str_starts_with(socket, instance) ? socket + strlen(instance) : "";
    const size_t length = strspn(name, UNIT_CHARACTERS);

    if (length > 0 && length < REMEDY_UNIT_MAX / 2 && name[length] == '/')
        (void)snprintf(out, REMEDY_UNIT_MAX, "keyrotated@%.*s", (int)length, name);
    else
        (void)str_copy(out, REMEDY_UNIT_MAX, "keyrotated");
}

static void append_socket(struct buf *out, const struct remedy_words *words)
{
    (void)buf_append_str(out, "`keyrotatectl ");
    if (!words->socket || str_equal(words->socket, CONTROL_SOCKET_DEFAULT))
        return;
    (void)buf_append_str(out, "--socket ");
    append_word(out, words->socket);
    (void)buf_append_char(out, ' ');
}

/* Fills the placeholder that `text` begins with; returns its length, or 0. */
static size_t append_place(struct buf *out, const char *text, const struct remedy_words *words)
{
    const struct two_key_resource *type = words->type;
    char unit[REMEDY_UNIT_MAX], name[TWO_KEY_ACCOUNT_NAME_MAX];
    const struct {
        const char *text;
        const char *value; /* NULL: not known */
        bool is_word;
    } places[] = {
        {"{account}", words->account, true},
        {"{resource}", words->resource_id, true},
        {"{resource_name}", words->resource_id ? name : NULL, true},
        {"{rule}", words->rule, true},
        {"{active}", words->active, false},
        {"{role_name}", type ? type->role : NULL, false},
        {"{keys_on}", type ? type->keys_on : NULL, false},
        {"{unit}", unit, false},
    };

    if (type && str_starts_with(text, "{role}")) {
        append_role(out, words);
        return strlen("{role}");
    }
    if (str_starts_with(text, "`keyrotatectl ") &&
        !str_starts_with(text, "`keyrotatectl --socket ")) {
        append_socket(out, words);
        return strlen("`keyrotatectl ");
    }
    remedy_unit(words->socket, unit);
    (void)two_key_resource_name(words->resource_id ? words->resource_id : "", name, sizeof(name));
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (!places[i].value || !str_starts_with(text, places[i].text))
            continue;
        if (places[i].is_word)
            append_word(out, places[i].value);
        else
            (void)buf_append_str(out, places[i].value);
        return strlen(places[i].text);
    }
    return 0;
}

void remedy_expand(const char *text, const struct remedy_words *words, char *out, size_t size)
{
    struct buf expanded;
    size_t length;

    buf_init(&expanded, 64 * REMEDY_MAX);
    while (*text != '\0') {
        const size_t plain = strcspn(text, PLACE_BEGINNINGS);
        const size_t taken = plain == 0 ? append_place(&expanded, text, words) : 0;
        const size_t copied = plain == 0 && taken == 0 ? 1 : plain;

        (void)buf_append(&expanded, text, copied);
        text += taken + copied;
    }
    length = utf8_whole(buf_str(&expanded), expanded.length < size ? expanded.length : size - 1);
    memcpy(out, buf_str(&expanded), length);
    out[length] = '\0';
    buf_done(&expanded);
}

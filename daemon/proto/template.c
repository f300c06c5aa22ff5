#include "proto/template.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum { NAME_MAX_SHOWN = 40 };

enum name {
    NAME_KEY,
    NAME_NAME,
    NAME_ENDPOINT,
    NAME_KEY_ID,
    NAME_SLOT,
    NAME_CYCLE,
    NAME_CONNECTION_STRING,
    NAME_ACCOUNT,
    NAME_RESOURCE_GROUP,
    NAME_SUBSCRIPTION_ID,
    NAME_FIRST, /* of the names in the resource id; the next two follow it */
    NAME_SECOND,
    NAME_THIRD,
    NAME_COUNT
};

static const char *const names[NAME_COUNT + 1] = {
    [NAME_KEY] = "key",
    [NAME_NAME] = "name",
    [NAME_ENDPOINT] = "endpoint",
    [NAME_KEY_ID] = "key_id",
    [NAME_SLOT] = "slot",
    [NAME_CYCLE] = "cycle",
    [NAME_CONNECTION_STRING] = "connection_string",
    [NAME_ACCOUNT] = "account",
    [NAME_RESOURCE_GROUP] = "resource_group",
    [NAME_SUBSCRIPTION_ID] = "subscription_id",
    [NAME_FIRST] = "name_1",
    [NAME_SECOND] = "name_2",
    [NAME_THIRD] = "name_3",
};

static const char known[] =
    "known are {key}, {name}, {endpoint}, {key_id}, {slot}, {cycle}, "
    "{connection_string}, {account}, {resource_group}, "
    "{subscription_id} and {name_1} to {name_3}";

/* --- the pieces of a text --- */

enum piece_kind { PIECE_END, PIECE_TEXT, PIECE_NAME, PIECE_LONELY_BRACE };

struct piece {
    enum piece_kind kind;
    const char *start; /* of the text, the name between braces, or the brace */
    size_t length;
    const char *next; /* the rest of the text */
};

static struct piece take_piece(const char *at)
{
    size_t length = strcspn(at, "{}");
    size_t name_length;

    if (length > 0)
        return (struct piece){PIECE_TEXT, at, length, at + length};
    if (*at == '\0')
        return (struct piece){PIECE_END, at, 0, at};
    if (at[0] == at[1])
        return (struct piece){PIECE_TEXT, at, 1, at + 2};
    name_length = strcspn(at + 1, "{}");
    if (at[0] == '{' && at[1 + name_length] == '}')
        return (struct piece){PIECE_NAME, at + 1, name_length, at + 2 + name_length};
    return (struct piece){PIECE_LONELY_BRACE, at, 1, at + 1};
}

/* NAME_COUNT: unknown. */
static enum name name_of(const struct piece *piece)
{
    enum name name = 0;

    while (name < NAME_COUNT && (strlen(names[name]) != piece->length ||
                                 memcmp(names[name], piece->start, piece->length) != 0))
        name++;
    return name;
}

static bool is_key(const struct piece *piece)
{
    enum name name = piece->kind == PIECE_NAME ? name_of(piece) : NAME_COUNT;

    return name == NAME_KEY || name == NAME_CONNECTION_STRING;
}

/* --- problems --- */

static const char *unknown_name(const struct piece *piece, char *out, size_t size)
{
    char name[NAME_MAX_SHOWN];
    const char *nearest;

    (void)snprintf(name, sizeof(name), "%.*s", (int)piece->length, piece->start);
    name[utf8_whole(name, strlen(name))] = '\0';
    nearest = str_nearest(name, names);
    if (nearest)
        (void)snprintf(out, size, "unknown placeholder {%s}; did you mean {%s}?", name, nearest);
    else
        (void)snprintf(out, size, "unknown placeholder {%s}; %s", name, known);
    return out;
}

/* Is it {name_2} or {name_3}, and the type's ids hold fewer names? */
static bool is_beyond(enum name name, const struct two_key_resource *type)
{
    return name >= NAME_FIRST && name < NAME_COUNT && type &&
           (size_t)(name - NAME_FIRST) >= two_key_depth(type);
}

static const char *no_such_name(const struct piece *piece, const struct two_key_resource *type,
                                char *out, size_t size)
{
    (void)snprintf(out, size, "{%.*s}: the id of %s holds %s", (int)piece->length, piece->start,
                   type->noun,
                   two_key_depth(type) == 1 ? "one name; write {name_1}"
                                            : "two names; write {name_1} or {name_2}");
    return out;
}

static bool joins_key_in_front(char c)
{
    return isalnum((unsigned char)c) || c == '+' || c == '/';
}

/* Would the key and what stands beside it be read as one? */
static bool touches(const struct piece *left, const struct piece *right,
                    const struct two_key_resource *type)
{
    const char *marks = type ? type->key_shape->marks : "";

    if (left->kind == PIECE_NAME && right->kind == PIECE_NAME)
        return is_key(left) || is_key(right);
    if (is_key(right))
        return left->kind == PIECE_TEXT &&
               (joins_key_in_front(left->start[left->length - 1]) ||
                (type && !type->key_shape->begins && strchr(marks, left->start[left->length - 1])));
    if (is_key(left))
        return right->kind == PIECE_TEXT &&
               (joins_key_in_front(right->start[0]) || right->start[0] == '=' ||
                strchr(marks, right->start[0]));
    return false;
}

static const char *piece_problem(const struct piece *piece, const struct piece *before,
                                 const struct two_key_resource *type, char *out, size_t size)
{
    enum name name = piece->kind == PIECE_NAME ? name_of(piece) : NAME_COUNT;

    if (piece->kind == PIECE_LONELY_BRACE) {
        (void)snprintf(out, size,
                       "holds a '%c' without its partner; braces enclose placeholders such as "
                       "{key}, and a brace that is to stay is doubled, \"%c%c\"",
                       *piece->start, *piece->start, *piece->start);
        return out;
    }
    if (piece->kind == PIECE_NAME && name == NAME_COUNT)
        return unknown_name(piece, out, size);
    if (name == NAME_CONNECTION_STRING && type && !type->connection_string) {
        (void)snprintf(out, size,
                       "{connection_string}: clients of %s take none; write {name}, {key} and "
                       "{endpoint} in the form that they read",
                       type->noun);
        return out;
    }
    if (name == NAME_ENDPOINT && type && !type->endpoint_path) {
        (void)snprintf(out, size, "{endpoint}: %s names none; leave it out", type->noun);
        return out;
    }
    if (name == NAME_KEY_ID && type && !type->id_paths[SLOT_PRIMARY]) {
        (void)snprintf(out, size, "{key_id}: keys of %s have none; leave it out", type->noun);
        return out;
    }
    if (is_beyond(name, type))
        return no_such_name(piece, type, out, size);
    if (touches(before, piece, type)) {
        const struct piece *key = is_key(piece) ? piece : before;

        (void)snprintf(out, size,
                       "{%.*s} touches what stands %s it, so that the key could not be found "
                       "again; put a blank, a quote or the end of a line between them",
                       (int)key->length, key->start, key == piece ? "before" : "behind");
        return out;
    }
    return NULL;
}

const char *template_problem(const char *text, const struct two_key_resource *type, char *out,
                             size_t size)
{
    struct piece before = {.kind = PIECE_END};

    if (strlen(text) > TEMPLATE_MAX) {
        (void)snprintf(out, size, "is longer than %d bytes; shorten it", TEMPLATE_MAX);
        return out;
    }
    for (struct piece piece = take_piece(text); piece.kind != PIECE_END;
         piece = take_piece(piece.next)) {
        const char *problem = piece_problem(&piece, &before, type, out, size);

        if (problem)
            return problem;
        before = piece;
    }
    return NULL;
}

/* --- what is in it --- */

static bool holds(const char *text, enum name name)
{
    for (struct piece piece = take_piece(text); piece.kind != PIECE_END;
         piece = take_piece(piece.next)) {
        if (piece.kind == PIECE_NAME && name_of(&piece) == name)
            return true;
    }
    return false;
}

bool template_holds_key(const char *text)
{
    return holds(text, NAME_KEY) || holds(text, NAME_CONNECTION_STRING);
}

bool template_doubles_key(const char *text)
{
    for (const char *at = strstr(text, "{{"); at; at = strstr(at + 1, "{{")) {
        const char *name = at + 2 + strspn(at + 2, " ");
        struct piece piece = {PIECE_NAME, name, strcspn(name, " {}"), NULL};
        const char *end = name + piece.length + strspn(name + piece.length, " ");

        if (is_key(&piece) && str_starts_with(end, "}}"))
            return true;
    }
    return false;
}

const char *template_keyless_problem(const char *text)
{
    return template_doubles_key(text)
               ? "holds no {key} but \"{{\", which stands for a brace; write {key} in single braces"
               : "holds neither {key} nor {connection_string}, so nobody would get the key; add "
                 "{key}";
}

bool template_needs_endpoint(const char *text, const struct two_key_resource *type)
{
    return holds(text, NAME_ENDPOINT) ||
           (holds(text, NAME_CONNECTION_STRING) && holds(type->connection_string, NAME_ENDPOINT));
}

/* --- values --- */

/* The segment of a resource id that follows `before`: "/subscriptions/". */
static void append_segment(struct buf *out, const char *resource_id, const char *before)
{
    const char *found = strcasestr(resource_id, before);

    if (!found)
        return;
    found += strlen(before);
    (void)buf_append_lower(out, found, strcspn(found, "/"));
}

static void append_name(struct buf *out, const char *resource_id, size_t index)
{
    const struct two_key_names all = two_key_names_of(resource_id);

    if (index < all.count)
        (void)buf_append(out, all.at[index].text, all.at[index].length);
}

static int append_value(enum name name, const struct key_file *file, struct buf *out)
{
    char azure_name[TWO_KEY_ACCOUNT_NAME_MAX];

    switch (name) {
    case NAME_KEY:
        (void)buf_append(out, secret_bytes(file->key), secret_length(file->key));
        break;
    case NAME_NAME:
        (void)buf_append_str(
            out, two_key_resource_name(file->resource_id, azure_name, sizeof(azure_name)));
        break;
    case NAME_ENDPOINT:
        (void)buf_append_str(out, file->account_endpoint);
        break;
    case NAME_KEY_ID:
        if (!file->key_id)
            return -EINVAL;
        (void)buf_append_str(out, file->key_id);
        break;
    case NAME_SLOT:
        (void)buf_append_str(out, slot_name(file->slot));
        break;
    case NAME_CYCLE:
        (void)buf_append_format(out, "%" PRIu64, file->cycle);
        break;
    case NAME_ACCOUNT:
        (void)buf_append_lower(out, file->account, strlen(file->account));
        break;
    case NAME_RESOURCE_GROUP:
        append_segment(out, file->resource_id, "/resourceGroups/");
        break;
    case NAME_SUBSCRIPTION_ID:
        append_segment(out, file->resource_id, "/subscriptions/");
        break;
    case NAME_FIRST:
    case NAME_SECOND:
    case NAME_THIRD:
        append_name(out, file->resource_id, (size_t)(name - NAME_FIRST));
        break;
    case NAME_CONNECTION_STRING: /* template_expand() has put the type's own template in its place
                                  */
    case NAME_COUNT:
        return -EINVAL;
    }
    return out->failed;
}

/* `connection_string`: what stands for that placeholder; NULL inside of it, and where there is
 * none. */
static int expand(const char *text, const char *connection_string, const struct key_file *file,
                  struct buf *out)
{
    int rc = out->failed;

    for (struct piece piece = take_piece(text); rc == 0 && piece.kind != PIECE_END;
         piece = take_piece(piece.next)) {
        enum name name = piece.kind == PIECE_NAME ? name_of(&piece) : NAME_COUNT;

        if (piece.kind == PIECE_TEXT)
            rc = buf_append(out, piece.start, piece.length);
        else if (name == NAME_CONNECTION_STRING && connection_string)
            rc = expand(connection_string, NULL, file, out);
        else
            rc = append_value(name, file, out);
    }
    return rc;
}

int template_expand(const char *text, const struct two_key_resource *type,
                    const struct key_file *file, struct buf *out)
{
    return expand(text, type->connection_string, file, out);
}

#include "proto/control_protocol.h"

#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "base/date.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "core/rotation.h"

/* --- the commands --- */

#define MACHINE(NAME) COMMAND_##NAME
#define HOLDS(NAME)   CONTROL_NOT_OF_MACHINE
#define DAEMON(NAME)  CONTROL_NOT_OF_MACHINE
#define ROW(NAME, name, CARRIER, ABOUT, MEMBERS, REQUIRED, OPTIONS, run, TYPED, SYNOPSIS, SUMMARY, \
            SEVERAL)                                                                               \
    [CONTROL_##NAME] = {#name, CARRIER(NAME), ABOUT, MEMBERS, REQUIRED, SEVERAL},
static const struct control_command_row commands[] = {COMMAND_LIST(ROW)};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

const struct control_command_row *control_command_row(enum control_command_kind kind)
{
    return &commands[kind];
}

bool control_command_from_name(const char *name, unsigned about,
                               enum control_command_kind *ret_kind)
{
    for (unsigned kind = 0; kind < COMMAND_COUNT; kind++) {
        if (!(commands[kind].about & about) || !str_equal(commands[kind].name, name))
            continue;
        *ret_kind = (enum control_command_kind)kind;
        return true;
    }
    return false;
}

const char *control_slot_from_name(const char *name)
{
    static const char *const slots[] = {"primary", "secondary"};

    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
        if (str_equal_nocase(name, slots[i]))
            return slots[i];
    return NULL;
}

/* --- the members of a request --- */

_Static_assert(CONTROL_TEXT_MAX == 120, "the text about the reason names this size");

enum member_kind { MEMBER_FLAG, MEMBER_LINE, MEMBER_SLOT, MEMBER_INSTANT, MEMBER_ID };

#define MEMBER(kind, name) MEMBER_##kind, #name, offsetof(struct control_command, name)

static const struct member {
    unsigned bit;
    enum member_kind kind;
    const char *name;
    size_t offset; /* in struct control_command */
    const char *expected;
    const char *needed; /* where it is required: "adopt needs …" */
} members[] = {
    {PARAMETER_DRY_RUN, MEMBER(FLAG, dry_run), "true or false", "dry_run"},
    {PARAMETER_TARGET, MEMBER(LINE, target), "the name of a target", "a target"},
    {PARAMETER_ACTIVE, MEMBER(SLOT, active), "primary or secondary",
     "active: primary or secondary"},
    {PARAMETER_UNTIL, MEMBER(INSTANT, until), "an instant such as 2026-11-22T12:00:00Z",
     "until: when it ends"},
    {PARAMETER_REASON, MEMBER(LINE, reason), "one line of at most 119 bytes", "a reason"},
    {PARAMETER_HOLD, MEMBER(ID, hold), "the id of a hold, such as 3", "the id of a hold"},
    {PARAMETER_LEVEL, MEMBER(LINE, level), "a word such as debug", "a level"},
};
enum { MEMBER_COUNT = sizeof(members) / sizeof(members[0]) };

/* What was not given is left out. */
static void write_member(struct buf *out, const struct member *member,
                         const struct control_command *command)
{
    const void *place = (const char *)command + member->offset;

    if (member->kind == MEMBER_FLAG && *(const bool *)place)
        json_write_bool(out, member->name, true);
    else if ((member->kind == MEMBER_LINE || member->kind == MEMBER_SLOT) &&
             *(const char *const *)place)
        json_write_text(out, member->name, *(const char *const *)place);
    else if (member->kind == MEMBER_INSTANT && *(const time_ms *)place != TIME_NEVER)
        json_write_time(out, member->name, *(const time_ms *)place);
    else if (member->kind == MEMBER_ID && *(const uint64_t *)place != 0)
        json_write_number(out, member->name, *(const uint64_t *)place);
}

/* One line that is not empty; NULL: it is none. */
static const char *read_line(struct json_object *document, const char *name)
{
    const char *text = json_string(document, name);

    if (!text || *text == '\0' || strlen(text) >= CONTROL_TEXT_MAX)
        return NULL;
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return NULL;
    return text;
}

/* Returns false when the value is of another type. */
static bool read_member(struct json_object *document, const struct member *member,
                        struct control_command *command)
{
    void *place = (char *)command + member->offset;
    const char *text = json_string(document, member->name);
    int64_t id;

    switch (member->kind) {
    case MEMBER_FLAG:
        return json_boolean(document, member->name, place);
    case MEMBER_LINE:
        return (*(const char **)place = read_line(document, member->name));
    case MEMBER_SLOT:
        return (*(const char **)place = control_slot_from_name(text));
    case MEMBER_INSTANT:
        /* One before 1970 has passed long ago, and json_write_time() could not repeat it. */
        return text && date_from_rfc3339(text, place) && *(const time_ms *)place > 0;
    case MEMBER_ID:
        if (!json_int64(document, member->name, &id) || id <= 0)
            return false;
        *(uint64_t *)place = (uint64_t)id;
        return true;
    }
    return false;
}

int control_command_body(const struct control_command *command, struct buf *out)
{
    json_write_open(out, NULL, '{');
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        if (commands[command->kind].members & members[i].bit)
            write_member(out, &members[i], command);
    json_write_close(out, '}');
    return out->failed;
}

/* Takes a member of the document, and notes in *given that it was there. */
static int take_member(struct json_object *document, const char *name,
                       struct control_command *command, unsigned *given, struct err *err)
{
    const struct control_command_row *row = &commands[command->kind];

    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (!(row->members & members[i].bit) || !str_equal(name, members[i].name))
            continue;
        *given |= members[i].bit;
        return read_member(document, &members[i], command)
                   ? 0
                   : err_set(err, -EINVAL, "%s is %s", name, members[i].expected);
    }
    return err_set(err, -EINVAL, "%s has no member of that name: %.60s", row->name, name);
}

static int check_complete(const struct control_command_row *row, unsigned given, struct err *err)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        if (row->required & ~given & members[i].bit)
            return err_set(err, -EINVAL, "%s needs %s", row->name, members[i].needed);
    return 0;
}

int control_command_parse(enum control_command_kind kind, const char *body, size_t length,
                          struct control_command *command, struct json_object **ret_document,
                          struct err *err)
{
    struct json_object *document =
        length == 0 ? json_parse("{}", 2, err) : json_parse(body, length, err);
    unsigned given = 0;
    int rc = 0;

    *ret_document = document;
    *command = (struct control_command){
        .kind = kind, .account = command->account, .actor = command->actor, .until = TIME_NEVER};
    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EINVAL;
    if (!json_object_is_type(document, json_type_object))
        return err_set(err, -EINVAL, "a JSON object was expected");
    json_object_object_foreach(document, name, value)
    {
        (void)value;
        if (rc == 0)
            rc = take_member(document, name, command, &given, err);
    }
    return rc != 0 ? rc : check_complete(&commands[kind], given, err);
}

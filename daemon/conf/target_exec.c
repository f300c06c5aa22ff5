#include "conf/target_exec.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_writer.h"
#include "base/str.h"
#include "conf/here.h"
#include "conf/schema_row.h"
#include "conf/target_value.h"

enum { COMMAND_MAX = 16 * 1024 };

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("command", SCHEMA_TEMPLATE, .shape = SHAPE_LIST, .required = true),
    SCHEMA_ROW("timeout", SCHEMA_DURATION, .fallback = "60s", .maximum = MS_DAY),
    SCHEMA_AFTER,
    SCHEMA_END,
}};

static void refuse_location(struct resolve *resolve, struct tree_node *command)
{
    for (struct tree_node *item = command->first; item; item = item->next) {
        if (item->invalid || !placeholder_needs_location(item->text))
            continue;
        report_invalid(resolve->report, item,
                       "{location} cannot stand in a command; the program finds it in "
                       "$KEYROTATED_LOCATION");
        command->invalid = true;
    }
}

static void check(struct resolve *resolve, const struct tree_node *target)
{
    struct tree_node *command = tree_child(target, "command");

    if (!target_value_is_given(command))
        return;
    if (command->count == 0 || command->count > TARGET_EXEC_ARGUMENTS_MAX) {
        report_invalid(resolve->report, command,
                       "holds %zu items; write the path of a program and at most %d arguments",
                       command->count, TARGET_EXEC_ARGUMENTS_MAX - 1);
        return;
    }
    refuse_location(resolve, command);
    target_value_check_path(resolve, command->first);
    command->invalid = command->invalid || command->first->invalid;
}

/* --- the file of the program, on the machine that runs it --- */

/* The arguments may stand in the item of the program, as in a shell. A name with a blank of a file
 * that is there is meant. */
static void note_blank(struct resolve *resolve, const struct tree_node *program)
{
    report_warning(
        resolve->report, program,
        "holds a blank, and no program of that name is here; there is no shell, so write "
        "the program and each argument as an item of its own");
}

static void note_file(struct resolve *resolve, struct tree_node *command, const char *path)
{
    struct stat status;
    const bool is_there = stat(path, &status) == 0;

    if (command->noted)
        return;
    command->noted = true;
    if (!is_there && strpbrk(path, " \t"))
        note_blank(resolve, command->first);
    else if (!is_there)
        here_note_program(resolve, command->first, path, "install it, or correct the path");
    if (!is_there)
        return;
    if (!S_ISREG(status.st_mode))
        report_warning(resolve->report, command->first, "%s is not a file; name a program", path);
    else if ((status.st_mode & 0111) == 0)
        report_warning(resolve->report, command->first,
                       "nobody may execute %s (mode %04o); run chmod a+x %s", path,
                       (unsigned)status.st_mode & 07777, path);
    else if ((status.st_mode & S_IWOTH) != 0)
        report_warning(resolve->report, command->first,
                       "every user can write to %s (mode %04o) and so receive keys; run chmod o-w "
                       "%s",
                       path, (unsigned)status.st_mode & 07777, path);
}

/* --- one account --- */

static bool is_plain(const char *argument)
{
    return argument[0] != '\0' &&
           argument[strspn(argument,
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                           "0123456789%+,-./:=@_")] == '\0';
}

/* Different commands give different texts. */
static void append_quoted(struct buf *out, const char *argument)
{
    if (is_plain(argument)) {
        buf_append_str(out, argument);
        return;
    }
    buf_append_char(out, '\'');
    for (const char *c = argument; *c != '\0'; c++) {
        if (*c == '\'')
            buf_append_str(out, "'\\''");
        else
            buf_append_char(out, *c);
    }
    buf_append_char(out, '\'');
}

static char *quote(struct resolve *resolve, const char *const *arguments)
{
    struct buf text;
    char *command = NULL;

    buf_init(&text, COMMAND_MAX);
    for (size_t i = 0; arguments[i]; i++) {
        if (i > 0)
            buf_append_char(&text, ' ');
        append_quoted(&text, arguments[i]);
    }
    if (text.failed == -ENOMEM)
        arena_fail(resolve->arena);
    else if (text.failed == 0)
        command = arena_dup(resolve->arena, buf_str(&text));
    buf_done(&text);
    return command;
}

/* NULL: memory is out, or an argument becomes too long. */
static const char *const *expand(struct resolve *resolve, const struct tree_node *command,
                                 const struct placeholder_values *values)
{
    const char **arguments =
        arena_alloc_array(resolve->arena, command->count + 1, sizeof(*arguments));
    size_t count = 0;

    for (const struct tree_node *item = command->first; arguments && item; item = item->next) {
        arguments[count] = placeholder_expand(resolve->arena, item->text, values);
        if (!arguments[count++])
            return NULL;
    }
    return arguments;
}

static bool fill(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination)
{
    struct tree_node *command = tree_child(target, "command");
    struct target_exec *settings = arena_alloc(resolve->arena, sizeof(*settings));

    (void)account;
    if (!settings || !target_value_is_given(command))
        return false;
    settings->timeout = schema_duration(target, &keys, "timeout");
    settings->arguments = expand(resolve, command, values);
    destination->place = settings->arguments ? quote(resolve, settings->arguments) : NULL;
    destination->settings = settings;
    if (!destination->place && !arena_failed(resolve->arena)) {
        report_invalid(resolve->report, command, "expands to more than %d bytes; shorten it",
                       COMMAND_MAX);
    }
    if (!destination->place)
        return false;
    note_file(resolve, command, settings->arguments[0]);
    return true;
}

static void describe(const struct destination *destination, struct buf *out)
{
    char timeout[DURATION_TEXT_MAX];

    (void)buf_append_format(out, "exec %s (JSON on its standard input, for at most %s)",
                            destination->place,
                            duration_to_text(target_exec_of(destination)->timeout, timeout));
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    const struct target_exec *settings = target_exec_of(destination);

    json_write_open(out, "command", '[');
    for (size_t i = 0; settings->arguments[i]; i++)
        json_write_text(out, NULL, settings->arguments[i]);
    json_write_close(out, ']');
    json_write_number(out, "timeout_s", (uint64_t)(settings->timeout / MS_SECOND));
}

const struct target_type target_exec_type = {
    .variant = {.name = "exec", .map = &keys},
    .place_key = "command",
    .place_is_shared = true,
    .is_unreadable = true,
    .check = check,
    .fill = fill,
    .describe = describe,
    .write = write_keys,
};

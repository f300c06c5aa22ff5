#include "conf/target_systemd_credential.h"

#include <stdio.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/str.h"
#include "conf/here.h"
#include "conf/path.h"
#include "conf/schema_row.h"
#include "conf/target_value.h"

/* systemd: credential_name_valid(). */
enum { NAME_LENGTH_MAX = 255, PATH_LENGTH_MAX = 4095 };

#define STORE            "/etc/credstore.encrypted"
#define LOCATION_PROBLEM "holds {location}, which a credential cannot; take it out"

static const struct schema_choice off_word[] = {{"off", 0}, {NULL, 0}};

static const struct schema_choice key_words[] = {
    {"host", 0}, {"tpm2", 1}, {"host+tpm2", 2}, {"auto", 3}, {NULL, 0},
};

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("name", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("path", SCHEMA_TEMPLATE),
    SCHEMA_ROW("key", SCHEMA_CHOICE, .fallback = "host", .choices = key_words),
    SCHEMA_ROW("not_after", SCHEMA_DURATION, .maximum = SCHEMA_LONGEST, .choices = off_word),
    SCHEMA_ROW("host_secret_file", SCHEMA_CREDENTIAL),
    SCHEMA_ROW("program", SCHEMA_PATH, .fallback = "/usr/bin/systemd-creds"),
    SCHEMA_AFTER,
    SCHEMA_END,
}};

/* systemd: fdname_is_valid(). Beside these, a name is one of a file. */
static bool is_name_of_credential(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        if (*c <= ' ' || *c >= 0x7f || *c == ':' || *c == '/')
            return false;
    }
    return name[0] != '\0' && !str_equal(name, ".") && !str_equal(name, "..");
}

static void check(struct resolve *resolve, const struct tree_node *target)
{
    struct tree_node *name = tree_child(target, "name");
    struct tree_node *path = tree_child(target, "path");

    target_value_check_path(resolve, path);
    if (target_value_is_given(path) && placeholder_needs_location(path->text))
        target_value_refuse(resolve, path, path->text, LOCATION_PROBLEM);
    if (!target_value_is_given(name))
        return;
    if (placeholder_needs_location(name->text))
        target_value_refuse(resolve, name, name->text, LOCATION_PROBLEM);
    else if (!is_name_of_credential(name->text))
        target_value_refuse(
            resolve, name, name->text,
            "is no name of a credential; write one without '/', ':' and blanks, in ASCII, as in "
            "the reader's LoadCredentialEncrypted=");
}

static bool fill_path(struct resolve *resolve, struct tree_node *path, const char *name,
                      const struct placeholder_values *values, struct destination *destination)
{
    const char *place =
        path ? target_value_expand(resolve, path, values, PATH_LENGTH_MAX, "4095 bytes")
             : arena_format(resolve->arena, STORE "/%s", name);

    destination->place = place ? path_clean(resolve->arena, place) : NULL;
    return destination->place &&
           (!path || target_value_check_outside(resolve, path, destination->place));
}

/* Only a service that runs as root may write there. The first account of a target stands for all.
 */
static void note_store(struct resolve *resolve, struct tree_node *node, const char *place)
{
    if (node->noted || !path_is_below(place, STORE))
        return;
    report_warning(resolve->report, node,
                   "the credential lies in " STORE
                   ", which is root's alone; unless the daemon runs as root, set `path` to a file "
                   "below /var/lib/keyrotated-keys");
    node->noted = true;
}

/* A key is in use for two rotations. The first account of a target stands for all. */
static void note_short_life(struct resolve *resolve, struct tree_node *not_after,
                            duration_ms duration, const struct policy *policy)
{
    char needed[DURATION_TEXT_MAX];
    duration_ms in_use;

    if (duration == 0 || !policy || not_after->noted)
        return;
    in_use = policy->rotate_every + policy->splay + policy->overdue_after;
    if (!policy->rotate || duration >= in_use)
        return;
    report_warning(resolve->report, not_after,
                   "the credential expires while its key is in use, and its reader does not start "
                   "then; write %s or more, or off",
                   duration_to_text(in_use, needed));
    not_after->noted = true;
}

static void note_program(struct resolve *resolve, const struct tree_node *target, const char *path)
{
    struct tree_node *program = tree_child(target, "program");

    if (!path || (program && program->invalid))
        return;
    here_note_program(resolve, program ? program : tree_child(target, "type"), path,
                      "install systemd 250 or later, or write the path of systemd-creds as "
                      "`program`");
}

static bool fill(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination)
{
    struct target_systemd_credential *settings = arena_alloc(resolve->arena, sizeof(*settings));
    struct tree_node *name = tree_child(target, "name");
    struct tree_node *path = tree_child(target, "path");
    struct tree_node *not_after = tree_child(target, "not_after");

    if (!settings || !target_value_is_given(name) || (path && path->invalid))
        return false;
    settings->name = target_value_expand(resolve, name, values, NAME_LENGTH_MAX, "255 bytes");
    if (!settings->name || !fill_path(resolve, path, settings->name, values, destination))
        return false;
    settings->key = key_words[schema_choice(target, &keys, "key")].name;
    settings->host_secret_file =
        arena_dup(resolve->arena, schema_text(target, &keys, "host_secret_file"));
    settings->program = arena_dup(resolve->arena, schema_text(target, &keys, "program"));
    if (target_value_is_given(not_after) && !str_equal(not_after->text, "off"))
        settings->not_after = schema_duration(target, &keys, "not_after");
    note_store(resolve, path ? path : name, destination->place);
    if (not_after)
        note_short_life(resolve, not_after, settings->not_after, account->policy);
    destination->settings = settings;
    if (path) /* systemd reads it, as root */
        here_note_directory(resolve, path, destination->place, "root");
    note_program(resolve, target, settings->program);
    return !arena_failed(resolve->arena);
}

static void describe(const struct destination *destination, struct buf *out)
{
    const struct target_systemd_credential *settings = target_systemd_credential_of(destination);
    char text[DURATION_TEXT_MAX];

    buf_append_format(out, "systemd_credential %s (named %s, encrypted for key %s",
                      destination->place, settings->name, settings->key);
    if (settings->not_after > 0)
        buf_append_format(out, ", for at most %s", duration_to_text(settings->not_after, text));
    (void)buf_append_char(out, ')');
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    const struct target_systemd_credential *settings = target_systemd_credential_of(destination);

    json_write_text(out, "name", settings->name);
    json_write_text(out, "path", destination->place);
    json_write_text(out, "key", settings->key);
    if (settings->not_after > 0)
        json_write_number(out, "not_after_s", (uint64_t)(settings->not_after / MS_SECOND));
    else
        json_write_null(out, "not_after_s");
    json_write_text(out, "host_secret_file", settings->host_secret_file);
    json_write_text(out, "program", settings->program);
}

const struct target_type target_systemd_credential_type = {
    .variant = {.name = "systemd_credential", .map = &keys},
    .place_key = "path",
    .place_is_file = true,
    .check = check,
    .fill = fill,
    .describe = describe,
    .write = write_keys,
};

#include "conf/target_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json_writer.h"
#include "base/str.h"
#include "conf/path.h"
#include "conf/placeholder.h"
#include "conf/resolve.h"
#include "conf/schema_row.h"
#include "conf/value.h"

enum { PATH_LENGTH_MAX = 4095 };

static const struct schema_choice formats[] = {
    {"raw", FILE_FORMAT_RAW, false},
    {"env", FILE_FORMAT_ENV, false},
    {"json", FILE_FORMAT_JSON, false},
    {NULL, 0, false},
};

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("path", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("mode", SCHEMA_MODE, .fallback = "0600"),
    SCHEMA_ROW("group", SCHEMA_TEMPLATE),
    SCHEMA_ROW("format", SCHEMA_CHOICE, .fallback = "raw", .choices = formats),
    SCHEMA_END,
}};

/* The values of placeholders contain no '/' and no dot segment, by the grammar of ids. */
static void check(struct resolve *resolve, const struct tree_node *target)
{
    struct tree_node *path = tree_child(target, "path");
    struct tree_node *group = tree_child(target, "group");
    const char *problem = path && !path->invalid ? path_problem(path->text) : NULL;
    char shown[VALUE_SHOWN_MAX];

    if (problem) {
        report_error(resolve->report, path, "\"%s\" %s", value_shown(path->text, shown), problem);
        path->invalid = true;
    }
    if (group && !group->invalid && placeholder_needs_location(group->text)) {
        report_error(resolve->report, group,
                     "{location} cannot stand in a group; use {account}, {resource_group} or "
                     "{subscription_id}");
        group->invalid = true;
    }
}

static bool fill_path(struct resolve *resolve, struct tree_node *path,
                      const struct placeholder_values *values, struct destination *destination)
{
    char *expanded = placeholder_expand(resolve->arena, path->text, values);
    char *clean;

    if (arena_failed(resolve->arena))
        return false; /* report_finish() reports the shortage */
    if (!expanded || strlen(expanded) > PATH_LENGTH_MAX) {
        report_error(resolve->report, path, "expands to more than a path can hold; shorten it");
        path->invalid = true;
        return false;
    }
    clean = path_clean(resolve->arena, expanded);
    if (clean && resolve->config->state_dir && path_is_below(clean, resolve->config->state_dir)) {
        report_error(resolve->report, path,
                     "lies in state_dir %s, which belongs to the journal alone; write a path "
                     "outside of it",
                     resolve->config->state_dir);
        path->invalid = true;
        return false;
    }
    destination->place = clean;
    destination->needs_location = placeholder_needs_location(expanded);
    return !!clean;
}

/* Directories that the units make when they start. */
static bool is_made_by_unit(const char *directory)
{
    return str_equal(directory, "/var/lib/keyrotated-keys") ||
           (str_starts_with(directory, "/var/lib/keyrotated@") &&
            str_ends_with(directory, "/keys"));
}

/* The first one of a target stands for all. */
static void note_missing_directory(struct resolve *resolve, struct tree_node *path,
                                   const struct destination *destination, const char *group)
{
    const char *slash = strrchr(destination->place, '/');
    const char *directory;
    struct stat status;

    if (path->noted || destination->needs_location || slash == destination->place)
        return;
    directory =
        arena_dup_n(resolve->arena, destination->place, (size_t)(slash - destination->place));
    if (!directory || is_made_by_unit(directory) || stat(directory, &status) == 0 ||
        errno != ENOENT)
        return;
    report_warning(resolve->report, path,
                   "the directory %s does not exist here; make it, `install -d -o keyrotated -g %s "
                   "-m 2750 %s`%s",
                   directory, group ? group : "GROUP", directory,
                   group ? "" : " with the group of the programs that read the key as GROUP");
    path->noted = true;
}

static bool fill(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination)
{
    struct tree_node *path = tree_child(target, "path");
    const struct tree_node *group = schema_get(target, "group");
    struct target_file *settings;
    unsigned mode = 0;

    (void)account;
    if (!path || path->invalid || !fill_path(resolve, path, values, destination))
        return false;
    settings = arena_alloc(resolve->arena, sizeof(*settings));
    if (!settings)
        return false;
    (void)value_parse_mode(schema_text(target, &keys, "mode"), &mode);
    settings->mode = (mode_t)mode;
    settings->has_mode = !!schema_get(target, "mode");
    settings->format = (enum file_format)schema_choice(target, &keys, "format");
    if (group)
        settings->group = placeholder_expand(resolve->arena, group->text, values);
    if (group && !settings->group && !arena_failed(resolve->arena))
        report_error(resolve->report, group,
                     "expands to more than the name of a group can hold; shorten it");
    destination->settings = settings;
    if (resolve->environment->sees_targets)
        note_missing_directory(resolve, path, destination, settings->group);
    return true;
}

static void describe(const struct destination *destination, struct buf *out)
{
    static const char *const words[] = {
        [FILE_FORMAT_RAW] = "the key alone",
        [FILE_FORMAT_ENV] = "environment file",
        [FILE_FORMAT_JSON] = "JSON",
    };
    const struct target_file *settings = target_file_of(destination);

    (void)buf_append_format(out, "file %s (%s, mode %04o%s%s)", destination->place,
                            words[settings->format], (unsigned)settings->mode,
                            settings->group ? ", group " : "",
                            settings->group ? settings->group : "");
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    const struct target_file *settings = target_file_of(destination);
    char mode[8];

    (void)snprintf(mode, sizeof(mode), "%04o", (unsigned)settings->mode);
    json_write_text(out, "path", destination->place);
    json_write_text(out, "mode", mode);
    json_write_text(out, "group", settings->group);
    json_write_text(out, "format", formats[settings->format].name);
}

const struct target_type target_file_type = {
    .variant = {.name = "file", .map = &keys},
    .place_key = "path",
    .check = check,
    .fill = fill,
    .describe = describe,
    .write = write_keys,
};

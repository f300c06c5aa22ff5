#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/str.h"
#include "conf/arena.h"
#include "conf/config.h"
#include "conf/config_source.h"
#include "conf/exposure.h"
#include "conf/report.h"
#include "conf/resolve.h"
#include "conf/schema.h"
#include "conf/yaml_tree.h"
#include "proto/control_protocol.h"

enum { FRAGMENTS_MAX = 1000 };

/* Only for the main file: a fragment that is missing was listed a moment ago. */
#define NO_FILE_YET                                                                                \
    "; begin with a copy of " KEYROTATED_DOCDIR                                                    \
    "/examples/keyrotated.yaml there, or name another "                                            \
    "file with --config"

/* The state of one load; the trees live only as long. */
struct load {
    struct arena *arena;
    struct report report;
    struct tree_node *root; /* all files merged so far */
    unsigned files;
    bool incomplete; /* a file could not be parsed, so a missing key may be in that file */
};

static struct mark next_file(struct load *load, const char *path)
{
    return (struct mark){.file = path, .file_order = load->files++, .line = 1, .column = 1};
}

/* Reads and parses one file; NULL when nothing of it can be used. */
static struct tree_node *load_file(struct load *load, const char *path, bool is_main)
{
    struct mark mark = next_file(load, path);
    struct tree_node *root = NULL;
    bool is_empty = false;
    struct err err;
    struct buf text;

    buf_init(&text, TREE_FILE_MAX);
    err_clear(&err);
    if (fs_read(path, &text, &err) != 0) {
        report_error_at(&load->report, mark, "", "%s%s", err.text,
                        is_main && err.code == -ENOENT ? NO_FILE_YET : "");
        load->incomplete = true;
    } else {
        exposure_check_config(&load->report, mark, path);
        root = tree_parse(load->arena, mark, buf_str(&text), text.length, &load->report, &is_empty);
        if (!root && !is_empty)
            load->incomplete = true;
    }
    buf_done(&text);
    if (is_empty && is_main)
        report_error_at(&load->report, mark, "", "the file is empty; begin it with \"version: 1\"");
    else if (is_empty)
        report_warning_at(&load->report, mark, "", "the file is empty");
    return root;
}

static void report_second(struct load *load, const struct tree_node *node,
                          const struct tree_node *first)
{
    report_key_error(&load->report, node, "stands twice, first at %s:%u:%u; keep one",
                     first->name_mark.file, first->name_mark.line, first->name_mark.column);
}

/* Moves the children of one file's list or mapping to those of the files before. */
static void merge_children(struct load *load, struct tree_node *into, struct tree_node *from)
{
    struct tree_node *next;

    for (struct tree_node *child = from->first; child; child = next) {
        const struct tree_node *twin =
            into->kind == TREE_MAP ? tree_child(into, child->name) : NULL;

        next = child->next;
        if (twin)
            report_second(load, child, twin);
        else
            tree_append(into, child);
    }
}

/* Lists and mappings by name grow from file to file; everything else may stand once. */
static void merge_file(struct load *load, struct tree_node *root)
{
    struct tree_node *next;

    for (struct tree_node *node = root->first; node; node = next) {
        struct tree_node *earlier = tree_child(load->root, node->name);
        const struct schema_key *key = schema_key(&schema_root, node->name);
        bool grows = key && (key->shape == SHAPE_LIST || key->shape == SHAPE_BY_NAME) &&
                     node->kind != TREE_SCALAR;

        next = node->next;
        if (!earlier)
            tree_append(load->root, node);
        else if (grows && earlier->kind == node->kind)
            merge_children(load, earlier, node);
        else
            report_second(load, node, earlier);
    }
}

static void merge_path(struct load *load, const char *path, bool is_main)
{
    struct tree_node *root = load_file(load, path, is_main);

    if (root)
        merge_file(load, root);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Returns NULL at the end of the directory (errno is 0) or on an error (errno is set). */
static const struct dirent *next_entry(DIR *stream)
{
    errno = 0;
    return readdir(stream);
}

/* Lists the names in a directory that end with .yaml, sorted; warns about similar endings. */
static size_t list_fragments(struct load *load, const char *directory, DIR *stream,
                             const char **names)
{
    size_t count = 0;
    const struct dirent *entry;

    while ((entry = next_entry(stream))) {
        const char *path;

        if (entry->d_name[0] == '.')
            continue;
        path = arena_format(load->arena, "%s/%s", directory, entry->d_name);
        if (!path)
            return count;
        if (str_ends_with(path, ".yml")) {
            struct mark mark = {.file = path, .file_order = FRAGMENTS_MAX, .line = 1, .column = 1};

            report_warning_at(&load->report, mark, "",
                              "is not read; files that count end with .yaml");
        } else if (str_ends_with(path, ".yaml") && count < FRAGMENTS_MAX) {
            names[count++] = path;
        } else if (str_ends_with(path, ".yaml")) {
            report_error_at(&load->report, (struct mark){.file = directory, .line = 1, .column = 1},
                            "", "holds more than %d files", FRAGMENTS_MAX);
            return count;
        }
    }
    if (errno != 0) {
        report_error_at(&load->report, (struct mark){.file = directory, .line = 1, .column = 1}, "",
                        "cannot be listed: %s", strerrordesc_np(errno));
        load->incomplete = true;
    }
    qsort(names, count, sizeof(*names), compare_names);
    return count;
}

/* Whoever can write to the directory of the main file can make a conf.d. */
static void check_directories(struct load *load, const char *fragments)
{
    struct mark mark = {.file = fragments, .file_order = FRAGMENTS_MAX, .line = 1, .column = 1};
    const char *slash = strrchr(fragments, '/');
    const char *directory = !slash ? "."
                            : slash == fragments
                                ? "/"
                                : arena_dup_n(load->arena, fragments, (size_t)(slash - fragments));

    exposure_check_config(&load->report, mark, fragments);
    if (!directory)
        return;
    mark.file = directory;
    exposure_check_directory(&load->report, mark, directory, access(fragments, F_OK) == 0);
}

static void merge_fragments(struct load *load, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *directory =
        arena_format(load->arena, "%.*sconf.d", slash ? (int)(slash - path) + 1 : 0, path);
    const char **names = arena_alloc_array(load->arena, FRAGMENTS_MAX, sizeof(*names));
    size_t count;
    DIR *stream;

    if (!directory || !names)
        return;
    check_directories(load, directory);
    stream = opendir(directory);
    if (!stream) {
        if (errno != ENOENT) {
            report_error_at(&load->report, next_file(load, directory), "", "cannot be listed: %s",
                            strerrordesc_np(errno));
            load->incomplete = true;
        }
        return;
    }
    count = list_fragments(load, directory, stream, names);
    closedir(stream);
    for (size_t i = 0; i < count; i++)
        merge_path(load, names[i], false);
}

static struct config *resolve_all(struct load *load, const char *path,
                                  const struct config_environment *environment)
{
    const struct config_parts parts = {
        .root = load->root, .report = &load->report, .path = path, .environment = environment};
    struct config *config = config_resolve(&parts);

    if (!config || arena_failed(config->arena) || arena_failed(load->arena))
        report_error(&load->report, load->root, "out of memory");
    return config;
}

/* The tree stays: rules add accounts by it later, and operators ask what it says. */
static void keep_source(struct load *load, const char *path,
                        const struct config_environment *environment, struct config *config)
{
    if (!config)
        return;
    config->source = config_source_new(load->arena, load->root, path, environment);
    if (config->source)
        load->arena = NULL;
    else
        arena_fail(load->arena);
}

static struct config *load_all(struct load *load, const char *path,
                               const struct config_environment *environment)
{
    struct config *config = NULL;

    load->root =
        tree_new(load->arena, TREE_MAP, (struct mark){.file = path, .line = 1, .column = 1});
    if (!load->root)
        return NULL;
    merge_path(load, path, true);
    merge_fragments(load, path);
    /* An empty main file has been reported already. */
    schema_check(&load->report, load->root, &schema_root,
                 load->incomplete || load->root->count == 0);
    if (!load->incomplete)
        config = resolve_all(load, path, environment);
    return config;
}

/* Added also after other errors, because more may have been lost. */
static void add_out_of_memory(struct config_messages *messages, const char *path)
{
    if (messages->text.failed != 0)
        buf_clear(&messages->text);
    (void)buf_append_format(&messages->text, "%s:1:1: out of memory; there may be more messages\n",
                            path);
    if (messages->wants_json)
        (void)buf_append_format(&messages->json,
                                "%s{\"level\":\"error\",\"text\":\"out of memory\"}",
                                messages->json.length > 0 ? "," : "");
    messages->error_count++;
}

struct config *config_load(const char *path, const struct config_environment *environment,
                           struct config_messages *messages)
{
    struct load load = {.arena = arena_new(CONFIG_ARENA_MAX)};
    struct config *config = NULL;

    report_init(&load.report, load.arena);
    if (load.arena)
        config = load_all(&load, path, environment);
    if (!load.arena || !report_finish(&load.report, messages) ||
        (!config && messages->error_count == 0))
        add_out_of_memory(messages, path);
    if (messages->error_count == 0)
        keep_source(&load, path, environment, config);
    if (load.arena && arena_failed(load.arena) && messages->error_count == 0)
        add_out_of_memory(messages, path);
    if (messages->error_count > 0) {
        config_unref(config);
        config = NULL;
    }
    arena_free(load.arena);
    return config;
}

size_t config_match_account(const struct config *config, const char *text,
                            const struct account **ret_account)
{
    size_t count = 0;

    for (size_t i = 0; i < config->account_count; i++) {
        const struct account *account = &config->accounts[i];

        if (!control_names_account(text, account->name, account->resource_group, account->id))
            continue;
        *ret_account = account;
        count++;
    }
    return count;
}

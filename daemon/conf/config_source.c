#include "conf/config_source.h"

#include <errno.h>
#include <string.h>

#include "conf/resolve.h"

struct config_source {
    unsigned references;
    struct arena *arena;
    const struct tree_node *root;
    const char *path;
    struct config_environment environment;
};

static struct config *config_new(const char *path)
{
    struct arena *arena = arena_new(CONFIG_ARENA_MAX);
    struct config *config = arena ? arena_alloc(arena, sizeof(*config)) : NULL;

    if (!config) {
        arena_free(arena);
        return NULL;
    }
    config->references = 1;
    config->arena = arena;
    config->path = arena_dup(arena, path);
    return config;
}

struct config *config_resolve(const struct config_parts *parts)
{
    struct config *config = config_new(parts->path);
    struct resolve resolve = {
        .arena = config ? config->arena : NULL,
        .report = parts->report,
        .root = parts->root,
        .environment = parts->environment,
        .config = config,
        .found = parts->found,
        .found_count = parts->found_count,
    };

    if (!config)
        return NULL;
    resolve_service(&resolve);
    resolve_identities(&resolve);
    resolve_policies(&resolve);
    resolve_freezes(&resolve);
    resolve_targets(&resolve);
    resolve_rules(&resolve);
    resolve_accounts(&resolve);
    resolve_notifiers(&resolve);
    resolve_note_unused(&resolve);
    return config;
}

struct config_source *config_source_new(struct arena *arena, const struct tree_node *root,
                                        const char *path,
                                        const struct config_environment *environment)
{
    struct config_source *source = arena_alloc(arena, sizeof(*source));

    if (!source)
        return NULL;
    *source = (struct config_source){
        .references = 1,
        .arena = arena,
        .root = root,
        .path = arena_dup(arena, path),
        .environment = *environment,
    };
    source->environment.state_directory = arena_dup(arena, environment->state_directory);
    source->environment.runtime_directory = arena_dup(arena, environment->runtime_directory);
    return arena_failed(arena) ? NULL : source;
}

const struct tree_node *config_source_root(const struct config_source *source)
{
    return source->root;
}

void config_source_unref(struct config_source *source)
{
    if (source && --source->references == 0)
        arena_free(source->arena);
}

struct config *config_ref(struct config *config)
{
    if (config)
        config->references++;
    return config;
}

void config_unref(struct config *config)
{
    if (!config || --config->references > 0)
        return;
    config_source_unref(config->source);
    arena_free(config->arena);
}

/* The first message, as it would stand in the report of a load. */
static int say_error(struct report *report, struct err *err)
{
    struct config_messages messages;
    int rc;

    config_messages_init(&messages);
    (void)report_finish(report, &messages);
    rc = err_set(err, -EINVAL, "%.*s", (int)strcspn(buf_str(&messages.text), "\n"),
                 buf_str(&messages.text));
    config_messages_done(&messages);
    return rc;
}

struct config *config_expand(const struct config *config, const struct config_found *found,
                             size_t count, struct err *err)
{
    struct config_source *source = config->source;
    struct arena *scratch = arena_new(CONFIG_ARENA_MAX);
    struct report report;
    struct config_parts parts = {.report = &report, .found = found, .found_count = count};
    struct config *expanded = NULL;

    report_init(&report, scratch);
    if (scratch && source) {
        parts.root = source->root;
        parts.path = source->path;
        parts.environment = &source->environment;
        expanded = config_resolve(&parts);
    }
    if (!expanded || arena_failed(expanded->arena) || arena_failed(scratch))
        err_set(err, -ENOMEM, "out of memory");
    else if (report.error_count > 0)
        (void)say_error(&report, err);
    else
        expanded->source = source;
    if (expanded && expanded->source) {
        source->references++;
    } else {
        config_unref(expanded);
        expanded = NULL;
    }
    arena_free(scratch);
    return expanded;
}

#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "base/crypto.h"
#include "base/str.h"
#include "conf/exposure.h"
#include "conf/path.h"
#include "conf/resolve.h"
#include "conf/schema.h"

#define NO_PROXY_TEXT_MAX 16384

/* The first of a ':'-separated list such as systemd sets, or NULL. */
static char *first_directory(struct arena *arena, const char *list)
{
    size_t length = list ? strcspn(list, ":") : 0;

    return length > 0 ? arena_dup_n(arena, list, length) : NULL;
}

static void check_authorities(struct resolve *resolve)
{
    const struct tree_node *node = schema_get(resolve->root, "ca_file");
    const char *path = resolve->config->ca_file;
    struct err err = {0};

    if (crypto_check_authorities(path, &err) != 0)
        report_error(resolve->report, node,
                     "%s; name a PEM file of certificates, or leave ca_file out for those of the "
                     "system",
                     err.text);
    else
        exposure_check_authorities(resolve->report, node, path, "Azure");
}

static void resolve_paths(struct resolve *resolve)
{
    const struct config_environment *environment = resolve->environment;
    struct config *config = resolve->config;
    const char *state_dir = schema_text(resolve->root, &schema_root, "state_dir");
    const char *socket = schema_text(resolve->root, &schema_root, "control_socket");
    const char *ca_file = schema_text(resolve->root, &schema_root, "ca_file");

    if (!state_dir)
        state_dir = first_directory(resolve->arena, environment->state_directory);
    config->assumes_state_dir = !state_dir;
    if (!state_dir)
        state_dir = "/var/lib/keyrotated";
    config->state_dir = path_clean(resolve->arena, state_dir);
    if (!socket) {
        const char *runtime = first_directory(resolve->arena, environment->runtime_directory);

        config->assumes_socket = !runtime;
        socket =
            arena_format(resolve->arena, "%s/control.sock", runtime ? runtime : "/run/keyrotated");
    }
    if (!socket)
        return;
    if (strlen(socket) >= sizeof(((struct sockaddr_un *)NULL)->sun_path) &&
        schema_get(resolve->root, "control_socket"))
        report_error(resolve->report, schema_get(resolve->root, "control_socket"),
                     "is too long for a socket; 107 bytes are the most");
    config->control_socket = path_clean(resolve->arena, socket);
    config->control_group = "keyrotated-admin";
    config->ca_file = arena_dup(resolve->arena, ca_file);
    if (config->ca_file)
        check_authorities(resolve);
}

static char *without_slashes(struct arena *arena, const char *url)
{
    size_t length = url ? strlen(url) : 0;

    while (length > 0 && url[length - 1] == '/')
        length--;
    return arena_dup_n(arena, url, length);
}

static void resolve_proxy_server(struct resolve *resolve)
{
    const struct tree_node *node = schema_get(resolve->root, "proxy");
    struct config *config = resolve->config;
    struct arena *arena = resolve->arena;

    if (!node)
        return;
    if (node->kind == TREE_SCALAR) {
        config->proxy = without_slashes(arena, node->text);
        return;
    }
    config->proxy = without_slashes(arena, schema_text(node, &schema_proxy, "url"));
    config->proxy_user = arena_dup(arena, schema_text(node, &schema_proxy, "user"));
    config->proxy_password_file =
        arena_dup(arena, schema_text(node, &schema_proxy, "password_file"));
    if (tree_has_invalid(node) || !config->proxy_user == !config->proxy_password_file)
        return;
    report_missing(resolve->report, node, config->proxy_user ? "password_file" : "user",
                   "is missing; give user and password_file, or neither");
}

/* libcurl takes a star for all hosts only where nothing stands beside it. */
static void refuse_star_in_list(struct resolve *resolve, const struct tree_node *list)
{
    for (const struct tree_node *item = schema_first_item(list); item;
         item = schema_next_item(list, item)) {
        if (!str_equal(item->text, "*") || list->kind != TREE_LIST || list->count < 2)
            continue;
        report_error(resolve->report, item,
                     "means all hosts and stands alone; keep it, or the names beside it");
        return;
    }
}

static void resolve_proxy(struct resolve *resolve)
{
    const struct tree_node *list = schema_get(resolve->root, "no_proxy");
    struct config *config = resolve->config;
    struct buf suffixes;

    resolve_proxy_server(resolve);
    if (resolve->environment->proxy_variables_set)
        report_warning_at(resolve->report, resolve->root->mark, "proxy",
                          "the environment sets proxy variables, which are not consulted; write "
                          "the proxy here where one is needed");
    if (!list)
        return;
    refuse_star_in_list(resolve, list);
    buf_init(&suffixes, NO_PROXY_TEXT_MAX);
    for (const struct tree_node *item = schema_first_item(list); item;
         item = schema_next_item(list, item))
        (void)buf_append_format(&suffixes, "%s%s", suffixes.length > 0 ? "," : "", item->text);
    if (suffixes.failed == -ENOMEM)
        report_error(resolve->report, list, "out of memory");
    else if (suffixes.failed)
        report_error(resolve->report, list, "is too long; %d bytes are the most",
                     NO_PROXY_TEXT_MAX);
    config->no_proxy = arena_dup(resolve->arena, buf_str(&suffixes));
    buf_done(&suffixes);
}

static void resolve_timing(struct resolve *resolve)
{
    const struct tree_node *map = schema_get(resolve->root, "timing");
    struct timing *timing = &resolve->config->timing;

    *timing = (struct timing){
        .retry_initial = schema_duration(map, &schema_timing, "retry_initial"),
        .retry_max = schema_duration(map, &schema_timing, "retry_max"),
        .unknown_wait = schema_duration(map, &schema_timing, "unknown_wait"),
        .verify_timeout = schema_duration(map, &schema_timing, "verify_timeout"),
        .settle = schema_duration(map, &schema_timing, "settle"),
        .repair_turn = schema_duration(map, &schema_timing, "repair_turn"),
    };
    if (schema_get(map, "operation_wait"))
        resolve->config->operation_wait = schema_duration(map, &schema_timing, "operation_wait");
    if (schema_get(map, "list_wait"))
        resolve->config->list_wait = schema_duration(map, &schema_timing, "list_wait");
    if (timing->retry_initial > timing->retry_max) {
        char longest[DURATION_TEXT_MAX];
        const struct tree_node *node = schema_get(map, "retry_initial");

        report_error(resolve->report, node ? node : map,
                     "retry_initial is longer than retry_max; write %s or less, or raise retry_max",
                     duration_to_text(timing->retry_max, longest));
    }
}

static void resolve_metrics(struct resolve *resolve)
{
    const struct tree_node *node = schema_get(resolve->root, "metrics");
    const struct tree_node *file = schema_get(node, "file");
    struct config *config = resolve->config;

    config->metrics_listen =
        arena_dup(resolve->arena, schema_text(node, &schema_metrics, "listen"));
    if (file)
        config->metrics_file = path_clean(resolve->arena, file->text);
    config->metrics_accounts = (size_t)schema_integer(node, &schema_metrics, "accounts");
    if (node && !file && !schema_get(node, "listen") && !tree_has_invalid(node))
        report_missing(resolve->report, node, "listen",
                       "is missing, and file, too; give one of the two, or both");
    if (config->metrics_file && !str_ends_with(config->metrics_file, ".prom"))
        report_warning(resolve->report, file,
                       "the textfile collector of Prometheus reads only files whose name ends "
                       "with .prom");
}

void resolve_service(struct resolve *resolve)
{
    const struct tree_node *log = schema_get(resolve->root, "log");
    const struct tree_node *history = schema_get(resolve->root, "history");
    const struct tree_node *limits = schema_get(resolve->root, "limits");
    struct config *config = resolve->config;

    config->log_level = (enum log_level)schema_choice(log, &schema_log, "level");
    config->log_format = (enum log_format)schema_choice(log, &schema_log, "format");
    config->status_every = schema_duration(log, &schema_log, "status_every");
    config->history_keep = schema_duration(history, &schema_history, "keep");
    config->limit_requests = (unsigned)schema_integer(limits, &schema_limits, "requests");
    config->limit_per_subscription =
        (unsigned)schema_integer(limits, &schema_limits, "per_subscription");
    resolve_paths(resolve);
    resolve_cloud(resolve);
    resolve_proxy(resolve);
    resolve_timing(resolve);
    resolve_metrics(resolve);
}

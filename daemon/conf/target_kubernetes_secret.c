#include "conf/target_kubernetes_secret.h"

#include <stdio.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/str.h"
#include "conf/exposure.h"
#include "conf/placeholder.h"
#include "conf/resolve.h"
#include "conf/schema_row.h"
#include "conf/url.h"
#include "conf/value.h"
#include "proto/kubernetes.h"
#include "proto/template.h"
#include "proto/two_key/two_key.h"

enum { PAIRS_MAX = 32 };

static const char in_cluster[] = "in-cluster";

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("namespace", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("secret_name", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("keys", SCHEMA_CONTENT, .shape = SHAPE_BY_TEXT),
    SCHEMA_ROW("labels", SCHEMA_TEMPLATE, .shape = SHAPE_BY_TEXT),
    SCHEMA_ROW("annotations", SCHEMA_TEMPLATE, .shape = SHAPE_BY_TEXT),
    SCHEMA_ROW("field_manager", SCHEMA_TEXT, .fallback = "keyrotated"),
    SCHEMA_ROW("kubeconfig", SCHEMA_CREDENTIAL),
    SCHEMA_ROW("context", SCHEMA_TEXT),
    SCHEMA_ROW("server", SCHEMA_URL),
    SCHEMA_ROW("ca_file", SCHEMA_CREDENTIAL),
    SCHEMA_ROW("token_file", SCHEMA_CREDENTIAL),
    SCHEMA_AFTER,
    SCHEMA_END,
}};

/* --- checks of the target itself --- */

/* Reports a key that is there without the other one. */
static void require(struct resolve *resolve, const struct tree_node *target, const char *name,
                    const char *other)
{
    struct tree_node *node = tree_child(target, name);

    if (!node || tree_child(target, other))
        return;
    report_key_error(resolve->report, node, "goes with %s, which is missing", other);
    node->invalid = true;
}

/* systemd protects the files in $CREDENTIALS_DIRECTORY; the others are checked. */
static void check_exposure(struct resolve *resolve, const struct tree_node *target)
{
    static const char *const secrets[] = {"kubeconfig", "token_file"};
    const struct tree_node *authorities = schema_get(target, "ca_file");

    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        const struct tree_node *file = schema_get(target, secrets[i]);

        if (file && file->text[0] == '/')
            exposure_check_secret(resolve->report, file, file->text);
    }
    if (authorities && authorities->text[0] == '/')
        exposure_check_authorities(resolve->report, authorities, authorities->text,
                                   "the API server");
}

static void check_cluster(struct resolve *resolve, const struct tree_node *target)
{
    struct tree_node *kubeconfig = tree_child(target, "kubeconfig");
    const struct tree_node *server = schema_get(target, "server");

    if (kubeconfig && tree_child(target, "server")) {
        report_key_error(resolve->report, kubeconfig,
                         "and server both name a cluster; keep one of them");
        kubeconfig->invalid = true;
    }
    require(resolve, target, "context", "kubeconfig");
    require(resolve, target, "ca_file", "server");
    require(resolve, target, "token_file", "server");
    if (server && !tree_child(target, "token_file") &&
        !str_starts_with_nocase(server->text, "http://"))
        report_missing(resolve->report, target, "token_file",
                       "is missing; give the path of a file with a token for %s", server->text);
}

static void refuse(struct resolve *resolve, struct tree_node *node, const char *problem)
{
    char shown[VALUE_SHOWN_MAX];

    report_key_error(resolve->report, node, "\"%s\" %s", value_shown(node->name, shown), problem);
    node->invalid = true;
}

/* Marks the names of a mapping that are none; `is_right` says which are. */
static void check_names(struct resolve *resolve, struct tree_node *map,
                        bool (*is_right)(const char *), const char *problem)
{
    if (!map || map->invalid)
        return;
    if (map->count > PAIRS_MAX) {
        report_invalid(resolve->report, map, "holds %zu names; %d are the most", map->count,
                       PAIRS_MAX);
        return;
    }
    for (struct tree_node *child = map->first; child; child = child->next) {
        if (child->invalid)
            continue;
        if (!is_right(child->name))
            refuse(resolve, child, problem);
        else if (is_right == kubernetes_is_qualified_name &&
                 str_starts_with(child->name, KUBERNETES_OWN_PREFIX))
            refuse(resolve, child, "is one of those that keyrotated writes itself; remove it");
        else if (is_right == kubernetes_is_qualified_name &&
                 placeholder_needs_location(child->text))
            refuse(resolve, child,
                   "holds {location}, which is not known at that time; write "
                   "{account}, {resource_group} or {subscription_id}");
    }
}

static void check_data(struct resolve *resolve, struct tree_node *data)
{
    bool holds_key = false, doubles_key = false;

    check_names(resolve, data, kubernetes_is_data_key,
                "cannot be a key of a Secret; use letters, digits, '-', '_' and '.'");
    if (!data || data->invalid)
        return;
    for (struct tree_node *child = data->first; child; child = child->next) {
        holds_key = holds_key || child->invalid || template_holds_key(child->text);
        doubles_key = doubles_key || template_doubles_key(child->text);
    }
    if (holds_key || data->count == 0)
        return;
    report_invalid(resolve->report, data, "holds no key; write {key} into one of the values%s",
                   doubles_key ? ", in single braces (\"{{\" stands for a brace)" : "");
}

static void check(struct resolve *resolve, const struct tree_node *target)
{
    struct tree_node *manager = tree_child(target, "field_manager");

    check_cluster(resolve, target);
    check_exposure(resolve, target);
    check_data(resolve, tree_child(target, "keys"));
    check_names(resolve, tree_child(target, "labels"), kubernetes_is_qualified_name,
                "cannot be the name of a label; write \"app\" or \"example.org/app\"");
    check_names(resolve, tree_child(target, "annotations"), kubernetes_is_qualified_name,
                "cannot be the name of an annotation; write \"note\" or \"example.org/note\"");
    if (manager && !manager->invalid && strlen(manager->text) > KUBERNETES_MANAGER_MAX) {
        report_invalid(resolve->report, manager, "is too long; %d bytes are the most",
                       KUBERNETES_MANAGER_MAX);
    }
}

/* --- filling --- */

/* {location} stays in it until Azure has said what it is, in letters and digits. */
static bool is_valid_part(struct resolve *resolve, const char *part, bool is_right(const char *))
{
    char *text = arena_dup(resolve->arena, part);
    char *at;

    if (!text)
        return false;
    for (at = strstr(text, "{location}"); at; at = strstr(text, "{location}")) {
        *at = 'x';
        memmove(at + 1, at + strlen("{location}"), strlen(at + strlen("{location}")) + 1);
    }
    return is_right(text);
}

/* NULL where it is invalid for this account, which has been reported, or memory is out. */
static const char *expand_part(struct resolve *resolve, const struct tree_node *target,
                               const char *name, const struct placeholder_values *values,
                               bool is_right(const char *), const char *problem)
{
    struct tree_node *node = tree_child(target, name);
    char shown[VALUE_SHOWN_MAX];
    char *text;

    if (!node || node->invalid)
        return NULL;
    text = placeholder_expand(resolve->arena, node->text, values);
    if (arena_failed(resolve->arena))
        return NULL;
    if (text && is_valid_part(resolve, text, is_right))
        return text;
    if (arena_failed(resolve->arena))
        return NULL;
    report_invalid(resolve->report, node, "expands to \"%s\" for account %s, which %s",
                   value_shown(text ? text : node->text, shown), values->account, problem);
    return NULL;
}

static const char *cluster_name(struct resolve *resolve, const struct kubernetes_cluster *cluster)
{
    if (cluster->kubeconfig && cluster->context)
        return arena_format(resolve->arena, "%s#%s", cluster->kubeconfig, cluster->context);
    if (cluster->kubeconfig)
        return cluster->kubeconfig;
    return cluster->server ? cluster->server : in_cluster;
}

static bool fill_place(struct resolve *resolve, const struct tree_node *target,
                       const struct placeholder_values *values, struct destination *destination,
                       struct target_kubernetes_secret *settings)
{
    const char *space = expand_part(resolve, target, "namespace", values, kubernetes_is_namespace,
                                    "is no namespace; use lower-case letters, digits and '-', 63 "
                                    "at most");
    const char *name = expand_part(resolve, target, "secret_name", values, kubernetes_is_name,
                                   "is no name of a Secret; use lower-case letters, digits, '-' "
                                   "and '.', 253 at most");
    const char *cluster = cluster_name(resolve, &settings->cluster);

    if (!space || !name || !cluster)
        return false;
    settings->cluster_length = strlen(cluster);
    destination->place = arena_format(resolve->arena, "%s %s/%s", cluster, space, name);
    destination->needs_location =
        placeholder_needs_location(space) || placeholder_needs_location(name);
    return !!destination->place;
}

static const char *copy_of(struct resolve *resolve, const struct tree_node *target,
                           const char *name)
{
    return arena_dup(resolve->arena, schema_text(target, &keys, name));
}

static struct kubernetes_setting *new_settings(struct resolve *resolve, const struct tree_node *map,
                                               size_t minimum)
{
    const size_t count = map && map->count > minimum ? map->count : minimum;

    return arena_alloc_array(resolve->arena, count + 1, sizeof(struct kubernetes_setting));
}

static bool fill_data(struct resolve *resolve, const struct tree_node *target,
                      const struct account *account, struct target_kubernetes_secret *settings)
{
    const struct two_key_resource *type = two_key_resource_find(account->id);
    const struct tree_node *map = schema_get(target, "keys");
    struct kubernetes_setting *data = new_settings(resolve, map, 1);
    char problem[TEMPLATE_PROBLEM_MAX];
    size_t count = 0;

    if (!data || tree_child(target, "keys") != map)
        return false;
    if (!map)
        data[0] = (struct kubernetes_setting){"key", "{key}"};
    for (struct tree_node *child = map ? map->first : NULL; child; child = child->next) {
        if (child->invalid)
            return false;
        if (template_problem(child->text, type, problem, sizeof(problem))) {
            report_invalid(resolve->report, child, "%s", problem);
            return false;
        }
        data[count].name = arena_dup(resolve->arena, child->name);
        data[count++].text = arena_dup(resolve->arena, child->text);
    }
    settings->data = data;
    return true;
}

static bool fill_texts(struct resolve *resolve, const struct tree_node *target, const char *name,
                       const struct placeholder_values *values,
                       const struct kubernetes_setting **ret_settings)
{
    const struct tree_node *map = schema_get(target, name);
    struct kubernetes_setting *texts = new_settings(resolve, map, 0);
    const bool are_labels = str_equal(name, "labels");
    size_t count = 0;

    if (!texts || tree_child(target, name) != map)
        return false;
    for (struct tree_node *child = map ? map->first : NULL; child; child = child->next) {
        char *text =
            child->invalid ? NULL : placeholder_expand(resolve->arena, child->text, values);

        if (child->invalid || arena_failed(resolve->arena))
            return false;
        if (!text || (are_labels && !kubernetes_is_label_value(text))) {
            report_invalid(resolve->report, child, "expands to what cannot be the value of %s",
                           are_labels ? "a label; use letters, digits, '-', '_' and '.', 63 at most"
                                      : "an annotation; shorten it");
            return false;
        }
        texts[count].name = arena_dup(resolve->arena, child->name);
        texts[count++].text = text;
    }
    *ret_settings = texts;
    return true;
}

static bool fill(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination)
{
    struct target_kubernetes_secret *settings = arena_alloc(resolve->arena, sizeof(*settings));
    const char *server = schema_text(target, &keys, "server");

    if (!settings || tree_has_invalid(target))
        return false;
    settings->cluster = (struct kubernetes_cluster){
        .kubeconfig = copy_of(resolve, target, "kubeconfig"),
        .context = copy_of(resolve, target, "context"),
        .server = server ? url_normal(resolve->arena, server, true) : NULL,
        .ca_file = copy_of(resolve, target, "ca_file"),
        .token_file = copy_of(resolve, target, "token_file"),
    };
    settings->field_manager = copy_of(resolve, target, "field_manager");
    destination->settings = settings;
    return fill_place(resolve, target, values, destination, settings) &&
           fill_data(resolve, target, account, settings) &&
           fill_texts(resolve, target, "labels", values, &settings->labels) &&
           fill_texts(resolve, target, "annotations", values, &settings->annotations) &&
           !arena_failed(resolve->arena);
}

/* --- words --- */

static void describe(const struct destination *destination, struct buf *out)
{
    const struct target_kubernetes_secret *settings = target_kubernetes_secret_of(destination);
    const struct kubernetes_cluster *cluster = &settings->cluster;
    const char *place = destination->place + settings->cluster_length + 1;

    (void)buf_append_format(out, "Secret %s of Kubernetes (", place);
    for (const struct kubernetes_setting *item = settings->data; item->name; item++)
        (void)buf_append_format(out, "%s%s", item == settings->data ? "" : ", ", item->name);
    if (cluster->kubeconfig || cluster->server)
        (void)buf_append_format(out, "; by %.*s)", (int)settings->cluster_length,
                                destination->place);
    else
        (void)buf_append_str(out, "; in the cluster of the daemon's pod)");
}

static void write_settings(struct buf *out, const char *name,
                           const struct kubernetes_setting *settings)
{
    json_write_open(out, name, '{');
    for (; settings->name; settings++)
        json_write_text(out, settings->name, settings->text);
    json_write_close(out, '}');
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    const struct target_kubernetes_secret *settings = target_kubernetes_secret_of(destination);
    const char *place = destination->place + settings->cluster_length + 1;
    const char *slash = strchr(place, '/');
    char space[KUBERNETES_NAME_MAX + 1];

    (void)snprintf(space, sizeof(space), "%.*s", (int)(slash - place), place);
    json_write_text(out, "namespace", space);
    json_write_text(out, "secret_name", slash + 1);
    write_settings(out, "keys", settings->data);
    write_settings(out, "labels", settings->labels);
    write_settings(out, "annotations", settings->annotations);
    json_write_text(out, "field_manager", settings->field_manager);
    json_write_text(out, "kubeconfig", settings->cluster.kubeconfig);
    json_write_text(out, "context", settings->cluster.context);
    json_write_text(out, "server", settings->cluster.server);
    json_write_text(out, "ca_file", settings->cluster.ca_file);
    json_write_text(out, "token_file", settings->cluster.token_file);
}

const struct target_type target_kubernetes_secret_type = {
    .variant = {.name = "kubernetes_secret", .map = &keys},
    .place_key = "secret_name",
    .check = check,
    .fill = fill,
    .describe = describe,
    .write = write_keys,
};

#include "conf/target_hashicorp_vault.h"

#include <string.h>

#include "base/json_writer.h"
#include "base/str.h"
#include "conf/exposure.h"
#include "conf/placeholder.h"
#include "conf/resolve.h"
#include "conf/schema_row.h"
#include "conf/url.h"
#include "core/policy.h"
#include "proto/template.h"
#include "proto/two_key/two_key.h"

enum { PLACE_LENGTH_MAX = 2048, FIELDS_MAX = 32 };

#define POD_TOKEN "/var/run/secrets/kubernetes.io/serviceaccount/token"

static const struct schema_choice engines[] = {
    {"kv2", VAULT_KV2},
    {"kv1", VAULT_KV1},
    {NULL, 0},
};

static const struct schema_map approle = {(const struct schema_key[]){
    SCHEMA_ROW("role_id", SCHEMA_TEXT, .required = true),
    SCHEMA_ROW("secret_id_file", SCHEMA_CREDENTIAL, .required = true),
    SCHEMA_ROW("wrapped", SCHEMA_BOOLEAN, .fallback = "false"),
    SCHEMA_ROW("mount", SCHEMA_TEXT, .fallback = "approle"),
    SCHEMA_END,
}};

static const struct schema_map kubernetes = {(const struct schema_key[]){
    SCHEMA_ROW("role", SCHEMA_TEXT, .required = true),
    SCHEMA_ROW("token_file", SCHEMA_CREDENTIAL, .fallback = POD_TOKEN),
    SCHEMA_ROW("mount", SCHEMA_TEXT, .fallback = "kubernetes"),
    SCHEMA_END,
}};

static const struct schema_map auth = {(const struct schema_key[]){
    SCHEMA_ROW("token_file", SCHEMA_CREDENTIAL),
    SCHEMA_ROW("approle", SCHEMA_MAP, .map = &approle),
    SCHEMA_ROW("kubernetes", SCHEMA_MAP, .map = &kubernetes),
    SCHEMA_END,
}};

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("address", SCHEMA_URL, .required = true),
    SCHEMA_ROW("namespace", SCHEMA_TEMPLATE),
    SCHEMA_ROW("mount", SCHEMA_TEMPLATE, .fallback = "secret"),
    SCHEMA_ROW("path", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("engine", SCHEMA_CHOICE, .fallback = "kv2", .choices = engines),
    SCHEMA_ROW("keys", SCHEMA_CONTENT, .shape = SHAPE_BY_NAME),
    SCHEMA_ROW("ca_file", SCHEMA_PATH),
    SCHEMA_ROW("auth", SCHEMA_MAP, .map = &auth, .required = true),
    SCHEMA_AFTER,
    SCHEMA_END,
}};

static const struct vault_field default_fields[] = {
    {"key", "{key}"},
    {"slot", "{slot}"},
    {"cycle", "{cycle}"},
};

/* --- checks --- */

/* What is wrong with a path of Vault, or NULL. Its API cleans paths, so that others than these name
 * another place. */
static const char *path_problem_of(const char *path)
{
    const char *segment = path;

    while (segment) {
        size_t length = strcspn(segment, "/");
        const char *next = strchr(segment, '/');

        if (length == 0)
            return "has a slash too many; write it without one at its ends";
        if (strspn(segment, ".") == length)
            return "holds \".\" or \"..\" as a name; write the path itself";
        if (segment[length - 1] == '.' && !next)
            return "ends with a dot, which Vault refuses; remove it";
        segment = next ? next + 1 : NULL;
    }
    return NULL;
}

static void check_path(struct resolve *resolve, struct tree_node *node, bool takes_location)
{
    const char *problem;

    if (!node || node->invalid)
        return;
    problem = path_problem_of(node->text);
    if (problem) {
        report_invalid(resolve->report, node, "%s", problem);
    } else if (!takes_location && placeholder_needs_location(node->text)) {
        report_invalid(resolve->report, node,
                       "{location} can stand in `path` alone; use {account}, {resource_group} or "
                       "{subscription_id}");
    }
}

static void check_fields(struct resolve *resolve, struct tree_node *fields)
{
    bool holds_key = false, doubles_key = false;

    if (!fields || fields->count == 0 || tree_has_invalid(fields))
        return;
    if (fields->count > FIELDS_MAX) {
        report_invalid(resolve->report, fields, "holds %zu fields; %d are the most", fields->count,
                       (int)FIELDS_MAX);
        return;
    }
    for (const struct tree_node *field = fields->first; field; field = field->next) {
        holds_key = holds_key || template_holds_key(field->text);
        doubles_key = doubles_key || template_doubles_key(field->text);
    }
    if (!holds_key) {
        report_invalid(resolve->report, fields, "has no field with {key}%s; add one",
                       doubles_key ? " in single braces (\"{{\" stands for a brace)" : "");
    }
}

static void check_secret_file(struct resolve *resolve, const struct tree_node *map,
                              const char *name)
{
    const struct tree_node *file = schema_get(map, name);

    /* systemd protects the files in $CREDENTIALS_DIRECTORY; check the others. */
    if (file && file->text[0] == '/')
        exposure_check_secret(resolve->report, file, file->text);
}

/* The mount of a way to log in. */
static void check_login_mount(struct resolve *resolve, struct tree_node *mount)
{
    check_path(resolve, mount, false);
    if (mount && !mount->invalid && str_starts_with(mount->text, "auth/"))
        report_warning(resolve->report, mount,
                       "begins with auth/, which the daemon adds itself; remove it unless the "
                       "method is enabled at auth/%s",
                       mount->text);
}

static void check_auth(struct resolve *resolve, struct tree_node *node)
{
    if (!node || node->invalid)
        return;
    if (node->count != 1 && !tree_has_invalid(node)) {
        report_invalid(resolve->report, node,
                       "names %s; give one of token_file, approle and kubernetes",
                       node->count == 0 ? "no way to log in" : "several ways to log in");
        return;
    }
    check_login_mount(resolve, tree_child(tree_child(node, "approle"), "mount"));
    check_login_mount(resolve, tree_child(tree_child(node, "kubernetes"), "mount"));
    check_secret_file(resolve, node, "token_file");
    check_secret_file(resolve, tree_child(node, "approle"), "secret_id_file");
    check_secret_file(resolve, tree_child(node, "kubernetes"), "token_file");
}

/* The commands of vault take `MOUNT/PATH` in one piece, too, so people write both into `path`. */
static void check_beginning(struct resolve *resolve, const struct tree_node *target)
{
    const struct tree_node *path = schema_get(target, "path");
    const char *mount = schema_text(target, &keys, "mount");
    size_t length = mount ? strlen(mount) : 0;

    if (!path)
        return;
    if (length > 0 && strncmp(path->text, mount, length) == 0 && path->text[length] == '/')
        report_warning(resolve->report, path,
                       "begins with the mount, and `path` is the path below it; remove \"%s/\" "
                       "unless a folder of the engine has that name",
                       mount);
    else if (str_starts_with(path->text, "data/") &&
             schema_choice(target, &keys, "engine") == VAULT_KV2)
        report_warning(resolve->report, path,
                       "begins with data/, which the daemon adds itself; remove it unless a "
                       "folder of the engine has that name");
}

/* A server behind a proxy may have a path of its own; these are paths of Vault itself. */
static void check_address(struct resolve *resolve, struct tree_node *address)
{
    static const char *const own[] = {"v1", "ui"};

    if (!address || address->invalid)
        return;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        for (const char *at = strchr(strstr(address->text, "//") + 2, '/'); at;
             at = strchr(at + 1, '/')) {
            size_t length = strcspn(at + 1, "/");

            if (length != strlen(own[i]) || strncmp(at + 1, own[i], length) != 0)
                continue;
            report_invalid(resolve->report, address,
                           "holds /%s, a path in the server; remove it and what follows, and write "
                           "the address as in VAULT_ADDR",
                           own[i]);
            return;
        }
    }
}

static void check(struct resolve *resolve, const struct tree_node *target)
{
    const struct tree_node *ca_file = schema_get(target, "ca_file");

    check_address(resolve, tree_child(target, "address"));
    check_path(resolve, tree_child(target, "namespace"), false);
    check_path(resolve, tree_child(target, "mount"), false);
    check_path(resolve, tree_child(target, "path"), true);
    check_fields(resolve, tree_child(target, "keys"));
    check_auth(resolve, tree_child(target, "auth"));
    if (ca_file)
        exposure_check_authorities(resolve->report, ca_file, ca_file->text, "the server");
    check_beginning(resolve, target);
}

/* --- one account --- */

static const char *expand(struct resolve *resolve, const struct tree_node *target, const char *name,
                          const struct placeholder_values *values)
{
    const char *text = schema_text(target, &keys, name);

    return text ? placeholder_expand(resolve->arena, text, values) : NULL;
}

static bool fill_place(struct resolve *resolve, const struct tree_node *target,
                       const struct placeholder_values *values, struct destination *destination,
                       struct target_hashicorp_vault *settings)
{
    struct vault_object *object = &settings->object;
    const char *address = schema_text(target, &keys, "address");
    const char *path = expand(resolve, target, "path", values);
    const char *before;

    object->address = url_normal(resolve->arena, address, true);
    object->name_space = expand(resolve, target, "namespace", values);
    object->mount = expand(resolve, target, "mount", values);
    object->engine = (enum vault_engine)schema_choice(target, &keys, "engine");
    if (arena_failed(resolve->arena))
        return false; /* report_finish() reports the shortage */
    before = arena_format(resolve->arena, "%s/%s%s%s/", object->address,
                          object->name_space ? object->name_space : "",
                          object->name_space ? "/" : "", object->mount ? object->mount : "");
    if (!before)
        return false;
    if (!path || !object->mount || strlen(before) + strlen(path) > PLACE_LENGTH_MAX) {
        report_error(resolve->report, schema_get(target, "path"),
                     "expands to more than %d characters; shorten it", (int)PLACE_LENGTH_MAX);
        return false;
    }
    settings->path_offset = strlen(before);
    destination->place = arena_format(resolve->arena, "%s%s", before, path);
    destination->needs_location = placeholder_needs_location(path);
    return !!destination->place;
}

static bool fill_fields(struct resolve *resolve, const struct tree_node *target,
                        const struct account *account, struct target_hashicorp_vault *settings)
{
    const struct two_key_resource *type = two_key_resource_find(account->id);
    const struct tree_node *map = schema_get(target, "keys");
    char problem[TEMPLATE_PROBLEM_MAX];
    struct vault_field *fields;

    settings->fields = default_fields;
    settings->field_count = sizeof(default_fields) / sizeof(default_fields[0]);
    if (!map)
        return true;
    fields = arena_alloc_array(resolve->arena, map->count, sizeof(*fields));
    if (!fields)
        return false;
    settings->fields = fields;
    settings->field_count = 0;
    for (const struct tree_node *node = map->first; node; node = node->next) {
        if (template_problem(node->text, type, problem, sizeof(problem))) {
            report_error(resolve->report, node, "%s", problem);
            return false;
        }
        fields[settings->field_count++] = (struct vault_field){
            .name = arena_dup(resolve->arena, node->name),
            .template = arena_dup(resolve->arena, node->text),
        };
    }
    return !arena_failed(resolve->arena);
}

static const char *copy_text(struct resolve *resolve, const struct tree_node *map,
                             const struct schema_map *schema, const char *name)
{
    return arena_dup(resolve->arena, schema_text(map, schema, name));
}

static void fill_login(struct resolve *resolve, const struct tree_node *target,
                       struct target_hashicorp_vault *settings)
{
    const struct tree_node *how = schema_get(target, "auth");
    const struct tree_node *role = schema_get(how, "approle");
    const struct tree_node *pod = schema_get(how, "kubernetes");
    struct vault_login *login = &settings->login;

    login->address = settings->object.address;
    login->name_space = settings->object.name_space;
    if (role) {
        login->kind = VAULT_LOGIN_APPROLE;
        login->mount = copy_text(resolve, role, &approle, "mount");
        login->role = copy_text(resolve, role, &approle, "role_id");
        login->file = copy_text(resolve, role, &approle, "secret_id_file");
        login->wrapped = schema_boolean(role, &approle, "wrapped");
    } else if (pod) {
        login->kind = VAULT_LOGIN_KUBERNETES;
        login->mount = copy_text(resolve, pod, &kubernetes, "mount");
        login->role = copy_text(resolve, pod, &kubernetes, "role");
        login->file = copy_text(resolve, pod, &kubernetes, "token_file");
    } else {
        login->kind = VAULT_LOGIN_TOKEN;
        login->file = copy_text(resolve, how, &auth, "token_file");
    }
}

static bool fill(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination)
{
    struct target_hashicorp_vault *settings;

    if (tree_has_invalid(target))
        return false;
    settings = arena_alloc(resolve->arena, sizeof(*settings));
    if (!settings || !fill_place(resolve, target, values, destination, settings) ||
        !fill_fields(resolve, target, account, settings))
        return false;
    fill_login(resolve, target, settings);
    settings->ca_file = copy_text(resolve, target, &keys, "ca_file");
    if (account->policy)
        settings->period = account->policy->rotate
                               ? account->policy->rotate_every + account->policy->overdue_after
                               : SCHEMA_LONGEST;
    destination->settings = settings;
    return !arena_failed(resolve->arena);
}

/* --- for --check --- */

static const char *login_words(const struct vault_login *login)
{
    if (login->kind == VAULT_LOGIN_KUBERNETES)
        return "login by service account";
    if (login->kind == VAULT_LOGIN_APPROLE)
        return login->wrapped ? "login by AppRole, wrapped secret id" : "login by AppRole";
    return "token";
}

static void describe(const struct destination *destination, struct buf *out)
{
    const struct target_hashicorp_vault *settings = target_hashicorp_vault_of(destination);

    (void)buf_append_format(out, "hashicorp_vault %s (KV version %d, fields ", destination->place,
                            settings->object.engine == VAULT_KV2 ? 2 : 1);
    for (size_t i = 0; i < settings->field_count; i++)
        (void)buf_append_format(out, "%s%s", i > 0 ? " " : "", settings->fields[i].name);
    (void)buf_append_format(out, ", %s from %s%s)", login_words(&settings->login),
                            settings->login.file[0] == '/' ? "" : "$CREDENTIALS_DIRECTORY/",
                            settings->login.file);
}

static void write_login(const struct vault_login *login, struct buf *out)
{
    json_write_open(out, "auth", '{');
    if (login->kind == VAULT_LOGIN_TOKEN) {
        json_write_text(out, "token_file", login->file);
    } else if (login->kind == VAULT_LOGIN_APPROLE) {
        json_write_open(out, "approle", '{');
        json_write_text(out, "role_id", login->role);
        json_write_text(out, "secret_id_file", login->file);
        json_write_bool(out, "wrapped", login->wrapped);
        json_write_text(out, "mount", login->mount);
        json_write_close(out, '}');
    } else {
        json_write_open(out, "kubernetes", '{');
        json_write_text(out, "role", login->role);
        json_write_text(out, "token_file", login->file);
        json_write_text(out, "mount", login->mount);
        json_write_close(out, '}');
    }
    json_write_close(out, '}');
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    const struct target_hashicorp_vault *settings = target_hashicorp_vault_of(destination);

    json_write_text(out, "address", settings->object.address);
    json_write_text(out, "namespace", settings->object.name_space);
    json_write_text(out, "mount", settings->object.mount);
    json_write_text(out, "path", destination->place + settings->path_offset);
    json_write_text(out, "engine", engines[settings->object.engine].name);
    json_write_open(out, "keys", '{');
    for (size_t i = 0; i < settings->field_count; i++)
        json_write_text(out, settings->fields[i].name, settings->fields[i].template);
    json_write_close(out, '}');
    json_write_text(out, "ca_file", settings->ca_file);
    write_login(&settings->login, out);
}

const struct target_type target_hashicorp_vault_type = {
    .variant = {.name = "hashicorp_vault", .map = &keys},
    .place_key = "path",
    .check = check,
    .fill = fill,
    .describe = describe,
    .write = write_keys,
};

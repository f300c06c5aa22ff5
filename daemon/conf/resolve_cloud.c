#include <string.h>

#include "base/fs.h"
#include "base/str.h"
#include "conf/resolve.h"
#include "conf/schema.h"
#include "conf/url.h"
#include "conf/value.h"
#include "proto/cloud_metadata.h"
#include "proto/two_key/two_key.h"

enum { METADATA_FILE_MAX = 16384 };

/* The order is that of the choices of `cloud` in the schema. Sources: learn.microsoft.com, "Azure
 * Government: compare", "Azure Maps service geographic scope", and docs.azure.cn, "Developer
 * guide". */
static const struct cloud known_clouds[] = {
    {
        .name = "AzureCloud",
        .resource_manager = "https://management.azure.com",
        .login = "https://login.microsoftonline.com",
        .audience = "https://management.azure.com/",
        .key_vault_audience = "https://vault.azure.net",
        .shared_hosts = {[SHARED_HOST_MAPS] = "atlas.microsoft.com",
                         [SHARED_HOST_DIRECT_LINE] = "directline.botframework.com"},
    },
    {
        .name = "AzureChinaCloud",
        .resource_manager = "https://management.chinacloudapi.cn",
        .login = "https://login.chinacloudapi.cn",
        .audience = "https://management.core.chinacloudapi.cn/",
        .key_vault_audience = "https://vault.azure.cn",
        .shared_hosts = {[SHARED_HOST_DIRECT_LINE] = "directline.botframework.azure.cn"},
    },
    {
        .name = "AzureUSGovernment",
        .resource_manager = "https://management.usgovcloudapi.net",
        .login = "https://login.microsoftonline.us",
        .audience = "https://management.core.usgovcloudapi.net/",
        .key_vault_audience = "https://vault.usgovcloudapi.net",
        .shared_hosts = {[SHARED_HOST_MAPS] = "atlas.azure.us",
                         [SHARED_HOST_DIRECT_LINE] = "directline.botframework.azure.us"},
    },
};

static char *without_slashes(struct arena *arena, const char *url)
{
    size_t length = url ? strlen(url) : 0;

    while (length > 0 && url[length - 1] == '/')
        length--;
    return arena_dup_n(arena, url, length);
}

const char *cloud_metadata_problem(const struct cloud_metadata *metadata)
{
    const char *problem = url_problem(metadata->login);

    if (!problem && metadata->key_vault_audience[0] != '\0')
        problem = url_problem(metadata->key_vault_audience);
    return problem;
}

/* What the cloud said of itself, to this process or to an earlier one. A file that cannot be read
 * (`--check` of another user) or used is as good as none: the cloud is asked again. */
static bool read_metadata(const struct resolve *resolve, const char *resource_manager,
                          struct cloud_metadata *metadata)
{
    const struct cloud_metadata *told = resolve->environment->cloud_metadata;
    char *path =
        arena_format(resolve->arena, "%s/" CLOUD_METADATA_FILE, resolve->config->state_dir);
    struct err err = {.code = 0};
    struct buf text;
    bool read;

    buf_init(&text, METADATA_FILE_MAX);
    if (told)
        *metadata = *told;
    read = told || (path && fs_read(path, &text, &err) == 0 &&
                    cloud_metadata_parse(metadata, buf_str(&text), text.length, &err) == 0);
    buf_done(&text);
    return read && str_equal_nocase(metadata->resource_manager, resource_manager) &&
           !cloud_metadata_problem(metadata);
}

/* The known cloud that this is a mapping of; NULL: none. */
static const struct cloud *known_cloud_of(const char *resource_manager)
{
    for (size_t i = 0; i < sizeof(known_clouds) / sizeof(known_clouds[0]); i++)
        if (str_equal_nocase(known_clouds[i].resource_manager, resource_manager))
            return &known_clouds[i];
    return NULL;
}

/* What is to be discovered, as far as it is known. */
static void take_metadata(struct resolve *resolve, struct cloud *cloud)
{
    struct cloud_metadata *metadata = arena_alloc(resolve->arena, sizeof(*metadata));

    if (!metadata || !read_metadata(resolve, cloud->resource_manager, metadata)) {
        cloud->login = cloud->audience = cloud->key_vault_audience = "";
        return;
    }
    cloud->metadata = metadata;
    cloud->login = metadata->login;
    cloud->audience = metadata->audience;
    if (metadata->key_vault_audience[0] != '\0')
        cloud->key_vault_audience = metadata->key_vault_audience;
}

/* --- hosts that the resources of a type share --- */

/* By enum shared_host. */
static const struct {
    const char *key; /* of the mapping */
    const char *noun;
} shared_hosts[SHARED_HOST_COUNT] = {
    [SHARED_HOST_MAPS] = {"maps", "Azure Maps"},
    [SHARED_HOST_DIRECT_LINE] = {"direct_line", "Direct Line"},
};

const char *cloud_cannot_verify(const struct cloud *cloud, const struct two_key_resource *type)
{
    static const char *const no_host[SHARED_HOST_COUNT] = {
        [SHARED_HOST_MAPS] = "where this cloud has Azure Maps is not known (see cloud.maps)",
        [SHARED_HOST_DIRECT_LINE] =
            "where this cloud has Direct Line is not known (see cloud.direct_line)",
    };

    if (!type->probe)
        return "no request is known that proves a key of this type";
    return type->probe->shared_host == SHARED_HOST_NONE ||
                   cloud->shared_hosts[type->probe->shared_host]
               ? NULL
               : no_host[type->probe->shared_host];
}

/* What the mapping says, or else what is known of the cloud. */
static void take_shared_hosts(struct resolve *resolve, const struct tree_node *node,
                              const struct cloud *known)
{
    static const char scheme[] = "https://";

    for (unsigned i = SHARED_HOST_NONE + 1; i < SHARED_HOST_COUNT; i++) {
        const char *url =
            without_slashes(resolve->arena, schema_text(node, &schema_cloud, shared_hosts[i].key));

        if (known)
            resolve->config->cloud.shared_hosts[i] = known->shared_hosts[i];
        if (!url)
            continue;
        if (str_starts_with_nocase(url, scheme) && two_key_endpoint_ok(url + strlen(scheme)))
            resolve->config->cloud.shared_hosts[i] = url + strlen(scheme);
        else
            report_error(resolve->report, tree_child(node, shared_hosts[i].key),
                         "%s is reached by https:// and has no path here: write https://HOST",
                         shared_hosts[i].noun);
    }
}

static void resolve_mapping(struct resolve *resolve, const struct tree_node *node)
{
    struct cloud *cloud = &resolve->config->cloud;
    struct arena *arena = resolve->arena;
    const char *resource_manager =
        without_slashes(arena, schema_text(node, &schema_cloud, "resource_manager"));
    const char *login = without_slashes(arena, schema_text(node, &schema_cloud, "login"));
    const char *audience = schema_text(node, &schema_cloud, "audience");
    const char *vaults = schema_text(node, &schema_cloud, "key_vault_audience");
    const struct cloud *known = resource_manager ? known_cloud_of(resource_manager) : NULL;
    char expected[VALUE_EXPECTED_MAX];

    *cloud = (struct cloud){
        .name = "custom",
        .resource_manager = resource_manager,
        .discover = schema_boolean(node, &schema_cloud, "discover"),
        .key_vault_audience = known ? known->key_vault_audience : NULL,
    };
    take_shared_hosts(resolve, node, known);
    if (!cloud->discover && !tree_child(node, "login") &&
        !schema_is_misspelt(node, &schema_cloud, "login"))
        report_missing(resolve->report, node, "login", "is missing; give %s, or discover: true",
                       value_expected(schema_key(&schema_cloud, "login"), expected));
    if (resource_manager && cloud->discover)
        take_metadata(resolve, cloud);
    else if (resource_manager)
        cloud->audience = arena_format(arena, "%s/", resource_manager);
    if (login)
        cloud->login = login;
    if (audience && cloud->login && cloud->login[0] != '\0')
        cloud->audience = arena_dup(arena, audience);
    if (vaults)
        cloud->key_vault_audience = arena_dup(arena, vaults);
}

/* `first`: that of the first type, which is older than the others; NULL: not given. */
static void resolve_api_versions(struct resolve *resolve, const char *first)
{
    const struct tree_node *node = schema_get(resolve->root, "api_versions");
    const struct two_key_resource *type;
    const char **versions;
    size_t count = 0;

    while (two_key_resource_at(count))
        count++;
    versions = arena_alloc_array(resolve->arena, count, sizeof(*versions));
    if (!versions)
        return;
    for (size_t i = 0; (type = two_key_resource_at(i)); i++) {
        const char *version = schema_text(node, &schema_api_versions, type->short_name);

        versions[i] = arena_dup(resolve->arena, !version && i == 0 ? first : version);
    }
    resolve->config->api_versions = versions;
}

void resolve_cloud(struct resolve *resolve)
{
    const struct tree_node *node = schema_get(resolve->root, "cloud");
    struct cloud *cloud = &resolve->config->cloud;

    if (node && node->kind != TREE_SCALAR)
        resolve_mapping(resolve, node);
    else
        *cloud = known_clouds[node ? schema_choice(resolve->root, &schema_root, "cloud") : 0];
    resolve_api_versions(resolve, schema_text(node, &schema_cloud, "api_version"));
}

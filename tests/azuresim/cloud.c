#include "cloud.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "encode.h"
#include "memory.h"

#define BATCH_NAMES(domain)                                                                        \
    "DNS:*.japaneast." domain ",DNS:*.westeurope." domain ",DNS:*.northeurope." domain             \
    ",DNS:*.eastus." domain ",DNS:*.westus2." domain ",DNS:*.chinanorth." domain                   \
    ",DNS:*.usgovvirginia." domain

/* OpenSSL matches a wildcard only where at least two labels follow it, so the names directly below
 * "localhost" that clients use are listed one by one as well. The control API is always asked at
 * 127.0.0.1. */
#define LOOPBACK_NAMES ",DNS:localhost,IP:127.0.0.1,IP:::1"

/* Of the data planes other than Batch's (doors.c). */
#define DATA_NAMES                                                                                 \
    "DNS:*.blob.localhost,"                                                                        \
    "DNS:*.queue.localhost,"                                                                       \
    "DNS:*.file.localhost,"                                                                        \
    "DNS:*.table.localhost,"                                                                       \
    "DNS:*.documents.localhost,"                                                                   \
    "DNS:*.cognitiveservices.localhost,"                                                           \
    "DNS:*.search.localhost,"                                                                      \
    "DNS:*.ts.eventgrid.localhost,"                                                                \
    "DNS:*.eventgrid.localhost,"                                                                   \
    "DNS:*.devices.localhost,DNS:*.devices-provisioning.localhost,"                                \
    "DNS:*.azconfig.localhost,"                                                                    \
    "DNS:*.communication.localhost,"                                                               \
    "DNS:*.azurecr.localhost,"                                                                     \
    "DNS:*.azure-api.localhost,"                                                                   \
    "DNS:*.inference.localhost,"                                                                   \
    "DNS:*.signalr.localhost,"                                                                     \
    "DNS:*.webpubsub.localhost,"                                                                   \
    "DNS:*.servicebus.localhost,"                                                                  \
    "DNS:*.redis.localhost,"                                                                       \
    "DNS:maps.localhost,DNS:directline.localhost,"

static const struct cloud clouds[] = {
    {
        .name = "localhost",
        .batch = "batch.localhost",
        .vault = "vault.localhost",
        .arm_audiences = {"https://management.azure.com", "https://management.core.windows.net"},
        .batch_audience = "https://batch.core.windows.net/",
        .vault_resource = "https://vault.localhost",
        .certificate_names =
            "DNS:*.localhost,DNS:login.localhost,DNS:management.localhost,DNS:*.vault.localhost,"
            "DNS:vault.localhost," DATA_NAMES BATCH_NAMES("batch.localhost") LOOPBACK_NAMES,
        .has_port = true,
    },
    {
        .name = "AzureCloud",
        .arm = "management.azure.com",
        .login = "login.microsoftonline.com",
        .batch = "batch.azure.com",
        .vault = "vault.azure.net",
        .arm_audiences = {"https://management.azure.com", "https://management.core.windows.net"},
        .batch_audience = "https://batch.core.windows.net/",
        .vault_resource = "https://vault.azure.net",
        .certificate_names =
            "DNS:management.azure.com,DNS:login.microsoftonline.com,DNS:*.vault.azure."
            "net," BATCH_NAMES("batch.azure.com") LOOPBACK_NAMES,
    },
    {
        .name = "AzureChinaCloud",
        .arm = "management.chinacloudapi.cn",
        .login = "login.chinacloudapi.cn",
        .login_alias = "login.partner.microsoftonline.cn",
        .batch = "batch.chinacloudapi.cn",
        .vault = "vault.azure.cn",
        .arm_audiences = {"https://management.core.chinacloudapi.cn",
                          "https://management.chinacloudapi.cn"},
        .batch_audience = "https://batch.chinacloudapi.cn/",
        .vault_resource = "https://vault.azure.cn",
        .certificate_names =
            "DNS:management.chinacloudapi.cn,DNS:login.chinacloudapi.cn,DNS:login.partner."
            "microsoftonline.cn,DNS:*.vault.azure.cn," BATCH_NAMES("batch.chinacloudapi.cn")
                LOOPBACK_NAMES,
    },
    {
        .name = "AzureUSGovernment",
        .arm = "management.usgovcloudapi.net",
        .login = "login.microsoftonline.us",
        .batch = "batch.usgovcloudapi.net",
        .vault = "vault.usgovcloudapi.net",
        .arm_audiences = {"https://management.core.usgovcloudapi.net",
                          "https://management.usgovcloudapi.net"},
        .batch_audience = "https://batch.core.usgovcloudapi.net/",
        .vault_resource = "https://vault.usgovcloudapi.net",
        .certificate_names =
            "DNS:management.usgovcloudapi.net,DNS:login.microsoftonline.us,DNS:*.vault."
            "usgovcloudapi.net," BATCH_NAMES("batch.usgovcloudapi.net") LOOPBACK_NAMES,
    },
    {
        /* Azure Stack Hub with Active Directory Federation Services. (The real one has no Batch.)
         */
        .name = "AzureStackHub",
        .arm = "management.local.azurestack.external",
        .login = "adfs.local.azurestack.external/adfs",
        .batch = "batch.local.azurestack.external",
        .vault = "vault.local.azurestack.external",
        .arm_audiences = {"https://management.adfs.azurestack.local/"
                          "8f3b1c9e-6d0a-4f0e-9b6c-2f4a0c1d7e55",
                          "https://management.local.azurestack.external"},
        .batch_audience = "https://batch.local.azurestack.external/",
        .vault_resource = "https://vault.local.azurestack.external",
        .certificate_names =
            "DNS:management.local.azurestack.external,DNS:adfs.local.azurestack.external,DNS:*."
            "vault.local.azurestack.external," BATCH_NAMES("batch.local.azurestack.external")
                LOOPBACK_NAMES,
    },
};

static const struct cloud *chosen = &clouds[0];

bool cloud_choose(const char *name)
{
    for (size_t i = 0; i < sizeof(clouds) / sizeof(clouds[0]); i++) {
        if (strcmp(clouds[i].name, name) != 0)
            continue;
        chosen = &clouds[i];
        return true;
    }
    return false;
}

const struct cloud *cloud_chosen(void)
{
    return chosen;
}

char *cloud_login_url(uint16_t port)
{
    return chosen->has_port ? memory_printf("https://localhost:%u", port)
                            : memory_printf("https://%s", chosen->login);
}

char *cloud_batch_endpoint(const char *account, const char *region, uint16_t port)
{
    return chosen->has_port ? memory_printf("%s.%s.%s:%u", account, region, chosen->batch, port)
                            : memory_printf("%s.%s.%s", account, region, chosen->batch);
}

static bool ends_host(char c)
{
    return c == '\0' || c == ':' || c == '/';
}

bool cloud_is_below(const struct http_request *request, const char *domain)
{
    const char *host = http_header(request, "Host");
    const char *found = strcasestr(host, domain);

    return found && found > host && found[-1] == '.' && ends_host(found[strlen(domain)]);
}

static bool is_at(const struct http_request *request, const char *expected)
{
    const char *host = http_header(request, "Host");
    size_t length = strcspn(expected, "/");

    return strncasecmp(host, expected, length) == 0 && ends_host(host[length]);
}

bool cloud_is_arm(const struct http_request *request)
{
    return !chosen->arm || is_at(request, chosen->arm);
}

bool cloud_is_login(const struct http_request *request)
{
    return !chosen->login || is_at(request, chosen->login) ||
           (chosen->login_alias && is_at(request, chosen->login_alias));
}

/* --- metadata --- */

bool cloud_metadata_identify(struct http_request *request)
{
    if (request->segment_count != 2 || strcasecmp(request->segments[0], "metadata") != 0 ||
        strcasecmp(request->segments[1], "endpoints") != 0 || !cloud_is_arm(request))
        return false;
    request->op = "metadata";
    return true;
}

static void add_url(struct json_object *body, const char *name, const char *host)
{
    char *url = memory_printf("https://%s", host);

    json_add_text(body, name, url);
    free(url);
}

static struct json_object *authentication_of(const struct cloud *cloud)
{
    struct json_object *authentication = json_object_new_object();
    struct json_object *audiences = json_object_new_array();
    const bool is_adfs = !!strstr(cloud->login, "/adfs");

    for (size_t i = 0; i < CLOUD_ARM_AUDIENCES; i++) {
        char *audience = memory_printf("%s%s", cloud->arm_audiences[i], is_adfs ? "" : "/");

        json_object_array_add(audiences, json_object_new_string(audience));
        free(audience);
    }
    add_url(authentication, "loginEndpoint", cloud->login);
    json_object_object_add(authentication, "audiences", audiences);
    json_add_text(authentication, "tenant", is_adfs ? "adfs" : "common");
    json_add_text(authentication, "identityProvider", is_adfs ? "ADFS" : "AAD");
    return authentication;
}

static struct json_object *describe(const struct cloud *cloud)
{
    struct json_object *body = json_object_new_object();
    struct json_object *suffixes = json_object_new_object();

    json_add_text(body, "name", cloud->name);
    add_url(body, "resourceManager", cloud->arm);
    json_object_object_add(body, "authentication", authentication_of(cloud));
    json_add_text(body, "batch", cloud->batch_audience);
    json_add_text(suffixes, "keyVaultDns", cloud->vault);
    json_object_object_add(body, "suffixes", suffixes);
    return body;
}

void cloud_metadata_handle(const struct http_request *request, struct http_reply *reply)
{
    const char *version = http_fields_get(&request->query, "api-version");
    struct json_object *body;

    if (!version || chosen->has_port) {
        body = json_object_new_object();
        json_add_text(body, "message", "No metadata of that api-version.");
        http_reply_json(reply, 400, body);
        return;
    }
    if (strcmp(version, "2015-01-01") == 0) {
        body = json_object_new_object();
        add_url(body, "galleryEndpoint", chosen->arm);
        json_object_object_add(body, "authentication", authentication_of(chosen));
    } else if (strcmp(version, "2022-09-01") == 0) {
        body = describe(chosen);
    } else {
        body = json_object_new_array();
        for (size_t i = 1; i < sizeof(clouds) / sizeof(clouds[0]); i++)
            json_object_array_add(body, describe(&clouds[i]));
    }
    http_reply_json(reply, 200, body);
}

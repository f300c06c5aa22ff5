#include "proto/cloud_metadata.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "proto/failure.h"
#include "proto/stranger.h"

#define METADATA_DEADLINE (30 * MS_SECOND)

enum { METADATA_REPLY_MAX = 256 * 1024, OTHERS_MAX = 240 };

static const char service[] = "Azure Resource Manager";

static const char *const api_versions[CLOUD_METADATA_FORMS] = {"2022-09-01", "2019-05-01",
                                                               "2015-01-01"};

int cloud_metadata_request(struct http_request *request, const char *resource_manager,
                           unsigned form, struct err *err)
{
    int rc;

    http_request_init(request, "GET", METADATA_DEADLINE);
    request->service = HTTP_TO_RESOURCE_MANAGER;
    request->reply_maximum = METADATA_REPLY_MAX;
    buf_append_format(&request->url, "%s/metadata/endpoints?api-version=%s", resource_manager,
                      api_versions[form % CLOUD_METADATA_FORMS]);
    http_request_header(request, "Accept", "application/json");
    rc = http_request_check(request);
    return rc < 0 ? err_set(err, rc, "the request for the cloud's endpoints does not fit: %s",
                            strerror(-rc))
                  : 0;
}

bool cloud_metadata_wants_other_form(const struct http_reply *reply)
{
    return reply->outcome == HTTP_ANSWERED && (reply->status == 400 || reply->status == 404);
}

static void without_slashes(char *url)
{
    size_t length = strlen(url);

    while (length > 0 && url[length - 1] == '/')
        url[--length] = '\0';
}

/* Printable ASCII without blanks, that fits. */
static bool copy_text(char out[CLOUD_METADATA_TEXT_MAX], const char *text)
{
    if (!text || *text == '\0' || strlen(text) >= CLOUD_METADATA_TEXT_MAX)
        return false;
    for (const char *c = text; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return str_copy(out, CLOUD_METADATA_TEXT_MAX, text);
}

/* --- the answer --- */

static const char *first_string(struct json_object *list)
{
    struct json_object *first;

    if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) == 0)
        return NULL;
    first = json_object_array_get_idx(list, 0);
    return json_object_is_type(first, json_type_string) ? json_object_get_string(first) : NULL;
}

static bool is_about(struct json_object *cloud, const char *resource_manager)
{
    char own[CLOUD_METADATA_TEXT_MAX];

    if (!copy_text(own, json_string(cloud, "resourceManager")))
        return false;
    without_slashes(own);
    return str_equal_nocase(own, resource_manager);
}

/* Adds a name to those that are shown, if it fits. */
static void note_other(char others[OTHERS_MAX], const char *url)
{
    const char *separator = others[0] != '\0' ? ", " : "";
    char *end = others + strlen(others);

    if (strlen(others) + strlen(separator) + strlen(url) >= OTHERS_MAX)
        return;
    end = stpcpy(end, separator);
    (void)stpcpy(end, url);
}

/* Of a list of clouds, the one whose Resource Manager was asked; of several forms with one cloud,
 * that one, unless it says that it is another. NULL with the failure's text set. */
static struct json_object *find_cloud(struct json_object *document, const char *resource_manager,
                                      struct failure *failure)
{
    const bool is_list = json_object_is_type(document, json_type_array);
    const size_t count = is_list ? json_object_array_length(document) : 1;
    char others[OTHERS_MAX] = "";

    for (size_t i = 0; i < count; i++) {
        struct json_object *cloud = is_list ? json_object_array_get_idx(document, i) : document;
        char own[CLOUD_METADATA_TEXT_MAX];

        if (is_about(cloud, resource_manager) ||
            (!is_list && !json_member(cloud, "resourceManager")))
            return cloud;
        if (copy_text(own, json_string(cloud, "resourceManager")))
            note_other(others, own);
    }
    failure_set_text(failure, "%s %s describes other clouds than its own: %s", service,
                     resource_manager, others[0] != '\0' ? others : "none with a URL");
    failure_set_remedy(failure,
                       "write in cloud.resource_manager the URL that the cloud itself "
                       "gives, or login and audience in the place of discover");
    return NULL;
}

static bool read_cloud(struct cloud_metadata *metadata, struct json_object *cloud,
                       struct failure *failure)
{
    struct json_object *authentication = json_member(cloud, "authentication");
    const char *vaults = json_string(json_member(cloud, "suffixes"), "keyVaultDns");
    const char *missing = NULL;
    char suffix[CLOUD_METADATA_TEXT_MAX];

    (void)copy_text(metadata->name, json_string(cloud, "name"));
    if (!copy_text(metadata->login, json_string(authentication, "loginEndpoint")))
        missing = "authentication.loginEndpoint";
    else if (!copy_text(metadata->audience, first_string(json_member(authentication, "audiences"))))
        missing = "authentication.audiences";
    if (missing) {
        failure_set_text(failure, "%s %s describes its cloud without a usable %s", service,
                         metadata->resource_manager, missing);
        failure_set_remedy(failure,
                           "write cloud.login and cloud.audience in the configuration, in "
                           "the place of cloud.discover");
        return false;
    }
    without_slashes(metadata->login);
    if (vaults && copy_text(suffix, vaults + strspn(vaults, ".")) &&
        strlen(suffix) < CLOUD_METADATA_TEXT_MAX - strlen("https://"))
        (void)snprintf(metadata->key_vault_audience, CLOUD_METADATA_TEXT_MAX, "https://%.*s",
                       CLOUD_METADATA_TEXT_MAX - 10, suffix);
    return true;
}

static void explain_no_description(const struct http_reply *reply, const char *resource_manager,
                                   struct failure *failure)
{
    if (reply->status == 200)
        failure_set_text(failure,
                         "%s %s answered the question for its cloud's endpoints with something "
                         "that is no JSON",
                         service, resource_manager);
    else
        failure_set_text(failure,
                         "%s %s answered the question for its cloud's endpoints with status %d",
                         service, resource_manager, reply->status);
    failure_set_remedy(failure,
                       "check cloud.resource_manager, and what stands between this machine and it "
                       "(proxy, firewall); `curl %s/metadata/endpoints?api-version=2022-09-01` "
                       "shows the answer",
                       resource_manager);
}

int cloud_metadata_read(struct cloud_metadata *metadata, const struct http_reply *reply,
                        const char *resource_manager, time_ms now, struct failure *failure)
{
    struct json_object *document = NULL, *cloud = NULL;
    struct err err = {.code = 0};
    bool found = false;

    *metadata = (struct cloud_metadata){.name = ""};
    if (failure_from_transport(failure, reply, service, false))
        return -EIO;
    failure_init(failure, REASON_AZURE_ERROR);
    failure_note_status(failure, reply, now);
    failure_note_ids(failure, reply);
    if (reply->status == 200 && copy_text(metadata->resource_manager, resource_manager))
        document = json_parse_foreign(buf_str(&reply->body), reply->body.length, &err);
    if (document)
        cloud = find_cloud(document, resource_manager, failure);
    else if (err.code == -ENOMEM)
        failure_from_err(failure, REASON_AZURE_ERROR, &err);
    else
        explain_no_description(reply, resource_manager, failure);
    if (cloud)
        found = read_cloud(metadata, cloud, failure);
    if (document)
        json_object_put(document);
    return found ? 0 : -EIO;
}

/* --- the file --- */

void cloud_metadata_write(struct buf *out, const struct cloud_metadata *metadata)
{
    json_write_open(out, NULL, '{');
    json_write_text(out, "resource_manager", metadata->resource_manager);
    json_write_text(out, "name", metadata->name);
    json_write_text(out, "login", metadata->login);
    json_write_text(out, "audience", metadata->audience);
    json_write_text(out, "key_vault_audience", metadata->key_vault_audience);
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

int cloud_metadata_parse(struct cloud_metadata *metadata, const char *text, size_t length,
                         struct err *err)
{
    struct json_object *document = json_parse(text, length, err);
    const bool read =
        document &&
        copy_text(metadata->resource_manager, json_string(document, "resource_manager")) &&
        copy_text(metadata->login, json_string(document, "login")) &&
        copy_text(metadata->audience, json_string(document, "audience"));

    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EBADMSG;
    metadata->name[0] = '\0';
    metadata->key_vault_audience[0] = '\0';
    (void)copy_text(metadata->name, json_string(document, "name"));
    (void)copy_text(metadata->key_vault_audience, json_string(document, "key_vault_audience"));
    json_object_put(document);
    return read ? 0 : err_set(err, -EBADMSG, "does not describe a cloud");
}

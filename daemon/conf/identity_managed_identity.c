#include "base/str.h"
#include "conf/identity.h"
#include "conf/schema_row.h"

static const struct schema_choice sources[] = {
    {"auto", 0}, {"imds", 1}, {"app_service", 2}, {"arc", 3}, {NULL, 0},
};

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("client_id", SCHEMA_GUID),
    SCHEMA_ROW("object_id", SCHEMA_GUID),
    SCHEMA_ROW("resource_id", SCHEMA_IDENTITY_ID),
    SCHEMA_ROW("source", SCHEMA_CHOICE, .fallback = "auto", .choices = sources),
    SCHEMA_ROW("endpoint", SCHEMA_URL),
    SCHEMA_END,
}};

/* A user-assigned identity is selected by one of these; none: the machine's own. */
static const char *const selectors[] = {"client_id", "object_id", "resource_id"};
enum { SELECTORS = sizeof(selectors) / sizeof(selectors[0]) };

static void check(struct report *report, const struct tree_node *map)
{
    const struct tree_node *source = tree_child(map, "source");
    const struct tree_node *chosen = NULL;

    for (size_t i = 0; i < SELECTORS; i++) {
        const struct tree_node *selector = tree_child(map, selectors[i]);

        if (selector && chosen)
            report_key_error(report, selector,
                             "names the identity again after %s; keep one of client_id, object_id "
                             "and resource_id",
                             chosen->name);
        if (selector)
            chosen = selector;
    }
    if (chosen && source && str_equal_nocase(source->text, "arc"))
        report_key_error(report, chosen,
                         "selects a user-assigned identity, and the agent of Azure Arc has the "
                         "machine's own alone; leave it out, or correct source");
}

/* An endpoint alone is that of a virtual machine. */
static void describe_source(const struct identity *identity, struct buf *out)
{
    const char *source = identity_setting(identity, "source");
    const char *endpoint = identity_setting(identity, "endpoint");

    if (str_equal(source, "auto") && !endpoint)
        (void)buf_append_str(out,
                             "the metadata service, App Service or Azure Arc, whichever is there");
    else if (str_equal(source, "app_service"))
        (void)buf_append_format(out, "App Service or Container Apps (%s)",
                                endpoint ? endpoint : "$IDENTITY_ENDPOINT");
    else if (str_equal(source, "arc"))
        (void)buf_append_format(out, "Azure Arc's agent%s%s", endpoint ? " at " : "",
                                endpoint ? endpoint : "");
    else
        (void)buf_append_str(out, endpoint ? endpoint : "http://169.254.169.254");
}

static void describe(const struct identity *identity, struct buf *out)
{
    const char *selector = NULL;

    for (size_t i = 0; i < SELECTORS && !selector; i++)
        selector = identity_setting(identity, selectors[i]);
    if (selector)
        (void)buf_append_format(out, "user-assigned managed identity %s", selector);
    else
        (void)buf_append_str(out, "managed identity of this machine");
    (void)buf_append_str(out, ", asked of ");
    describe_source(identity, out);
}

const struct identity_type identity_managed_identity = {
    .variant = {.name = "managed_identity", .map = &keys},
    .noun = "managed identity",
    .check = check,
    .describe = describe,
};

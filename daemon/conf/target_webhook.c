#include "conf/target_webhook.h"

#include <string.h>

#include "base/crypto.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "conf/path.h"
#include "conf/schema_row.h"
#include "conf/target_value.h"
#include "conf/url.h"

enum { URL_LENGTH_MAX = 2048, PIN_BASE64_LENGTH = 44 };

static const char pin_prefix[] = "sha256//";

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("url", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("secret_file", SCHEMA_TEMPLATE, .shape = SHAPE_ONE_OR_LIST, .required = true),
    SCHEMA_ROW("include_key", SCHEMA_BOOLEAN, .fallback = "false"),
    SCHEMA_ROW("ca_file", SCHEMA_PATH),
    SCHEMA_ROW("pin", SCHEMA_TEXT, .shape = SHAPE_ONE_OR_LIST),
    SCHEMA_ROW("timeout", SCHEMA_DURATION, .fallback = "30s", .maximum = 10 * MS_MINUTE),
    SCHEMA_AFTER,
    SCHEMA_END,
}};

/* --- the target --- */

static bool is_pin(const char *text)
{
    uint8_t hash[SHA256_LENGTH + 1];

    return str_starts_with(text, pin_prefix) &&
           strlen(text) == strlen(pin_prefix) + PIN_BASE64_LENGTH &&
           base64_decode(text + strlen(pin_prefix), PIN_BASE64_LENGTH, hash, sizeof(hash)) ==
               SHA256_LENGTH;
}

/* Why a file cannot be that of a secret, or NULL. Relative paths follow the rules of absolute
 * ones. */
static const char *file_problem(struct resolve *resolve, const char *text)
{
    const char *absolute = text[0] == '/' ? text : arena_format(resolve->arena, "/%s", text);

    return absolute ? path_problem(absolute) : NULL;
}

static void check_count(struct resolve *resolve, struct tree_node *list, size_t maximum)
{
    if (!list || list->invalid || list->kind != TREE_LIST ||
        (list->count > 0 && list->count <= maximum))
        return;
    report_invalid(resolve->report, list, "holds %zu items; write 1 to %zu", list->count, maximum);
}

static void check(struct resolve *resolve, const struct tree_node *target)
{
    struct tree_node *files = tree_child(target, "secret_file");
    struct tree_node *pins = tree_child(target, "pin");

    check_count(resolve, files, TARGET_WEBHOOK_SECRETS_MAX);
    check_count(resolve, pins, TARGET_WEBHOOK_PINS_MAX);
    for (const struct tree_node *file = files ? schema_first_item(files) : NULL; file;
         file = schema_next_item(files, file)) {
        const char *problem = file_problem(resolve, file->text);

        if (placeholder_needs_location(file->text))
            problem =
                "holds {location}, which is known too late; use {account}, "
                "{resource_group} or {subscription_id}";
        if (problem) {
            target_value_refuse(resolve, (struct tree_node *)file, file->text, problem);
            files->invalid = true;
        }
    }
    for (const struct tree_node *pin = pins ? schema_first_item(pins) : NULL; pin;
         pin = schema_next_item(pins, pin)) {
        if (is_pin(pin->text))
            continue;
        report_error(resolve->report, pin,
                     "is not a pin; write \"sha256//\" and the base64 of the SHA-256 of the "
                     "receiver's public key");
        pins->invalid = true;
    }
}

/* --- the target of one account --- */

/* With any location in it. The configuration is checked before Azure says which. */
static const char *with_location(struct resolve *resolve, const char *url)
{
    static const char placeholder[] = "{location}";
    const char *found;

    while (url && (found = strstr(url, placeholder)))
        url = arena_format(resolve->arena, "%.*sx%s", (int)(found - url), url,
                           found + strlen(placeholder));
    return url;
}

static bool fill_url(struct resolve *resolve, struct tree_node *url,
                     const struct placeholder_values *values, struct destination *destination)
{
    char *expanded = placeholder_expand(resolve->arena, url->text, values);
    const char *sample = with_location(resolve, expanded);
    const char *problem;

    if (arena_failed(resolve->arena))
        return false; /* report_finish() reports the shortage */
    if (!expanded || strlen(expanded) > URL_LENGTH_MAX)
        problem = "expands to more than 2048 bytes; shorten it";
    else
        problem = url_message_problem(sample);
    if (problem) {
        /* The value is not shown, for it may hold a password. */
        report_invalid(resolve->report, url, "%s", problem);
        return false;
    }
    destination->place = url_normal(resolve->arena, expanded, false);
    destination->needs_location = placeholder_needs_location(expanded);
    return !!destination->place;
}

static bool fill_secret_files(struct resolve *resolve, struct tree_node *files,
                              const struct placeholder_values *values,
                              struct target_webhook *settings)
{
    for (const struct tree_node *file = schema_first_item(files); file;
         file = schema_next_item(files, file)) {
        const char *expanded = placeholder_expand(resolve->arena, file->text, values);

        if (!expanded && !arena_failed(resolve->arena)) {
            report_error(resolve->report, file, "expands to more than a path can hold; shorten it");
            files->invalid = true;
        }
        if (!expanded)
            return false;
        settings->secret_files[settings->secret_count++] = expanded;
    }
    return true;
}

static const char *join_pins(struct resolve *resolve, const struct tree_node *pins)
{
    const char *joined = NULL;

    for (const struct tree_node *pin = schema_first_item(pins); pin;
         pin = schema_next_item(pins, pin))
        joined = joined ? arena_format(resolve->arena, "%s;%s", joined, pin->text)
                        : arena_dup(resolve->arena, pin->text);
    return joined;
}

static bool fill(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination)
{
    struct tree_node *url = tree_child(target, "url");
    struct tree_node *files = tree_child(target, "secret_file");
    const struct tree_node *pins = schema_get(target, "pin");
    struct target_webhook *settings;

    (void)account;
    if (!target_value_is_given(url) || !target_value_is_given(files) ||
        !fill_url(resolve, url, values, destination))
        return false;
    settings = arena_alloc(resolve->arena, sizeof(*settings));
    if (!settings || !fill_secret_files(resolve, files, values, settings) ||
        settings->secret_count == 0)
        return false;
    settings->include_key = schema_boolean(target, &keys, "include_key");
    settings->ca_file = arena_dup(resolve->arena, schema_text(target, &keys, "ca_file"));
    settings->pin = pins ? join_pins(resolve, pins) : NULL;
    settings->timeout = schema_duration(target, &keys, "timeout");
    destination->settings = settings;
    destination->without_key = !settings->include_key;
    return true;
}

/* --- for --check --- */

static void describe(const struct destination *destination, struct buf *out)
{
    const struct target_webhook *settings = target_webhook_of(destination);

    (void)buf_append_format(out, "webhook %s (%s the key, signed with %s%s%s", destination->place,
                            settings->include_key ? "with" : "without", settings->secret_files[0],
                            settings->secret_count > 1 ? " and " : "",
                            settings->secret_count > 1 ? settings->secret_files[1] : "");
    if (settings->ca_file)
        (void)buf_append_format(out, ", trusts %s alone", settings->ca_file);
    if (settings->pin)
        (void)buf_append_str(out, ", pinned");
    (void)buf_append_char(out, ')');
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    const struct target_webhook *settings = target_webhook_of(destination);
    char timeout[DURATION_TEXT_MAX];

    json_write_text(out, "url", destination->place);
    json_write_open(out, "secret_file", '[');
    for (size_t i = 0; i < settings->secret_count; i++)
        json_write_text(out, NULL, settings->secret_files[i]);
    json_write_close(out, ']');
    json_write_bool(out, "include_key", settings->include_key);
    json_write_text(out, "ca_file", settings->ca_file);
    json_write_text(out, "pin", settings->pin);
    json_write_text(out, "timeout", duration_to_text(settings->timeout, timeout));
}

const struct target_type target_webhook_type = {
    .variant = {.name = "webhook", .map = &keys},
    .place_key = "url",
    .place_is_shared = true,
    .is_unreadable = true,
    .check = check,
    .fill = fill,
    .describe = describe,
    .write = write_keys,
};

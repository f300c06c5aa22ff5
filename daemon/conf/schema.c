#include "conf/schema.h"

#include "base/log.h"
#include "conf/config.h"
#include "conf/discovery.h"
#include "conf/notifier.h"
#include "conf/resource_id.h"
#include "conf/schema_row.h"

enum {
#define TYPE(symbol, short_name) INDEX_OF_##symbol,
#include "proto/two_key/two_key_list.h"
#undef TYPE
};

static const struct schema_choice log_levels[] = {
    {"error", LEVEL_ERROR}, {"warning", LEVEL_WARNING}, {"notice", LEVEL_NOTICE},
    {"info", LEVEL_INFO},   {"debug", LEVEL_DEBUG},     {NULL, 0},
};

static const struct schema_choice log_formats[] = {
    {"auto", LOG_FORMAT_AUTO},
    {"journal", LOG_FORMAT_JOURNAL},
    {"logfmt", LOG_FORMAT_LOGFMT},
    {"json", LOG_FORMAT_JSON},
    {NULL, 0},
};

/* The value is the index of the cloud in resolve_service.c. */
static const struct schema_choice clouds[] = {
    {"AzureCloud", 0},
    {"AzureChinaCloud", 1},
    {"AzureUSGovernment", 2},
    {NULL, 0},
};

static const struct schema_choice verify_modes[] = {
    {"auto", VERIFY_AUTO},
    {"required", VERIFY_REQUIRED},
    {"off", VERIFY_OFF},
    {NULL, 0},
};

static const struct schema_choice drift_modes[] = {
    {"redeliver", DRIFT_REDELIVER},
    {"alert", DRIFT_ALERT},
    {NULL, 0},
};

static const struct schema_choice slots[] = {
    {"primary", SLOT_PRIMARY},
    {"secondary", SLOT_SECONDARY},
    {NULL, 0},
};

const struct schema_map schema_log = {(const struct schema_key[]){
    SCHEMA_ROW("level", SCHEMA_CHOICE, .fallback = "info", .choices = log_levels),
    SCHEMA_ROW("format", SCHEMA_CHOICE, .fallback = "auto", .choices = log_formats),
    SCHEMA_ROW("status_every", SCHEMA_DURATION, .fallback = "1h", .maximum = SCHEMA_LONGEST),
    SCHEMA_END,
}};

const struct schema_map schema_history = {(const struct schema_key[]){
    SCHEMA_ROW("keep", SCHEMA_DURATION, .fallback = "730d", .maximum = SCHEMA_LONGEST),
    SCHEMA_END,
}};

const struct schema_map schema_proxy = {(const struct schema_key[]){
    SCHEMA_ROW("url", SCHEMA_PROXY, .required = true),
    SCHEMA_ROW("user", SCHEMA_TEXT),
    SCHEMA_ROW("password_file", SCHEMA_CREDENTIAL),
    SCHEMA_END,
}};

const struct schema_map schema_metrics = {(const struct schema_key[]){
    SCHEMA_ROW("listen", SCHEMA_LISTEN),
    SCHEMA_ROW("file", SCHEMA_PATH),
    SCHEMA_ROW("accounts", SCHEMA_INTEGER, .fallback = "1000", .minimum = 0, .maximum = 100000),
    SCHEMA_END,
}};

const struct schema_map schema_limits = {(const struct schema_key[]){
    SCHEMA_ROW("requests", SCHEMA_INTEGER, .fallback = "64", .minimum = 1, .maximum = 1024),
    SCHEMA_ROW("per_subscription", SCHEMA_INTEGER, .fallback = "8", .minimum = 1, .maximum = 1024),
    SCHEMA_END,
}};

const struct schema_map schema_timing = {(const struct schema_key[]){
    SCHEMA_ROW("retry_initial", SCHEMA_DURATION, .fallback = "30s", .maximum = MS_DAY),
    SCHEMA_ROW("retry_max", SCHEMA_DURATION, .fallback = "1h", .maximum = MS_WEEK),
    /* ARM may still work on a request 60 s after the client lost it. */
    SCHEMA_ROW("unknown_wait", SCHEMA_DURATION, .fallback = "90s", .maximum = MS_DAY,
               .advised = 90 * MS_SECOND,
               .weakens =
                   "a regenerate whose answer was lost may still kill a key after the daemon took "
                   "it for failed"),
    SCHEMA_ROW("operation_wait", SCHEMA_DURATION, .maximum = MS_WEEK),
    SCHEMA_ROW("list_wait", SCHEMA_DURATION, .maximum = MS_DAY, .advised = 5 * MS_MINUTE,
               .weakens = "lists that are late may hide a key that is then regenerated"),
    SCHEMA_ROW("verify_timeout", SCHEMA_DURATION, .fallback = "5m", .maximum = MS_DAY,
               .advised = 5 * MS_MINUTE,
               .weakens = "a new key may be delivered before its service has accepted it"),
    SCHEMA_ROW(
        "settle", SCHEMA_DURATION, .fallback = "60s", .maximum = MS_DAY, .advised = 60 * MS_SECOND,
        .weakens = "the look that confirms a rotation may still see the keys from before it"),
    SCHEMA_ROW("repair_turn", SCHEMA_DURATION, .fallback = "60s", .maximum = MS_DAY),
    SCHEMA_END,
}};

const struct schema_map schema_cloud = {(const struct schema_key[]){
    SCHEMA_ROW("resource_manager", SCHEMA_URL, .required = true),
    SCHEMA_ROW("login", SCHEMA_URL),
    SCHEMA_ROW("audience", SCHEMA_TEXT),
    SCHEMA_ROW("key_vault_audience", SCHEMA_TEXT),
    SCHEMA_ROW("batch_audience", SCHEMA_TEXT),
    SCHEMA_ROW("maps", SCHEMA_URL),
    SCHEMA_ROW("direct_line", SCHEMA_URL),
    SCHEMA_ROW("discover", SCHEMA_BOOLEAN, .fallback = "false"),
    /* of Batch accounts; those of all types: api_versions */
    SCHEMA_ROW("api_version", SCHEMA_API_VERSION),
    SCHEMA_END,
}};

const struct schema_map schema_window = {(const struct schema_key[]){
    SCHEMA_ROW("days", SCHEMA_WEEKDAY, .shape = SHAPE_ONE_OR_LIST),
    SCHEMA_ROW("from", SCHEMA_CLOCK, .fallback = "00:00"),
    SCHEMA_ROW("to", SCHEMA_CLOCK, .fallback = "24:00"),
    SCHEMA_ROW("time_zone", SCHEMA_TIME_ZONE, .fallback = "UTC"),
    SCHEMA_END,
}};

const struct schema_map schema_policy = {(const struct schema_key[]){
    SCHEMA_ROW("max_key_age", SCHEMA_DURATION, .maximum = SCHEMA_LONGEST),
    /* 4/9 of max_key_age */
    SCHEMA_ROW("rotate_every", SCHEMA_DURATION, .maximum = SCHEMA_LONGEST),
    /* a quarter of rotate_every */
    SCHEMA_ROW("overlap", SCHEMA_DURATION, .maximum = SCHEMA_LONGEST, .advised = MS_HOUR,
               .weakens = "a program that reads its key less often holds a dead one"),
    SCHEMA_ROW("window", SCHEMA_MAP, .shape = SHAPE_ONE_OR_LIST, .map = &schema_window),
    /* a tenth of rotate_every, cut to the shortest window */
    SCHEMA_ROW("splay", SCHEMA_DURATION, .maximum = SCHEMA_LONGEST, .may_be_zero = true),
    SCHEMA_ROW("check_every", SCHEMA_DURATION, .fallback = "6h", .maximum = SCHEMA_LONGEST),
    SCHEMA_ROW("verify", SCHEMA_CHOICE, .fallback = "auto", .choices = verify_modes),
    SCHEMA_ROW("on_drift", SCHEMA_CHOICE, .fallback = "redeliver", .choices = drift_modes),
    /* a tenth of rotate_every */
    SCHEMA_ROW("overdue_after", SCHEMA_DURATION, .maximum = SCHEMA_LONGEST, .may_be_zero = true),
    SCHEMA_ROW("rotate", SCHEMA_BOOLEAN, .fallback = "true"),
    SCHEMA_END,
}};

const struct schema_map schema_delivery = {(const struct schema_key[]){
    SCHEMA_ROW("target", SCHEMA_TEXT, .required = true),
    SCHEMA_ROW("required", SCHEMA_BOOLEAN, .fallback = "true"),
    SCHEMA_END,
}};

const struct schema_map schema_hook = {(const struct schema_key[]){
    SCHEMA_ROW("unit", SCHEMA_TEMPLATE),
    SCHEMA_ROW("target", SCHEMA_TEXT),
    SCHEMA_END,
}};

#define ROWS_OF_DEFAULTS                                                                           \
    SCHEMA_ROW("adopt_active", SCHEMA_CHOICE, .choices = slots),                                   \
        SCHEMA_ROW("identity", SCHEMA_TEXT), SCHEMA_ROW("policy", SCHEMA_TEXT),                    \
        SCHEMA_ROW("deliver_to", SCHEMA_TEXT, .shape = SHAPE_ONE_OR_LIST,                          \
                   .map = &schema_delivery),                                                       \
        SCHEMA_ROW("rotate", SCHEMA_BOOLEAN)

const struct schema_map schema_defaults = {(const struct schema_key[]){
    ROWS_OF_DEFAULTS,
    SCHEMA_END,
}};

/* The value is the index of the type in its table. */
static const struct schema_choice resource_types[] = {
#define TYPE(symbol, short_name) {short_name, INDEX_OF_##symbol},
#include "proto/two_key/two_key_list.h"
#undef TYPE
    {NULL, 0},
};

/* Those of other types are of their rows in proto/two_key. */
const struct schema_map schema_api_versions = {(const struct schema_key[]){
#define TYPE(symbol, short_name) SCHEMA_ROW(short_name, SCHEMA_API_VERSION),
#include "proto/two_key/two_key_list.h"
#undef TYPE
    SCHEMA_END,
}};

const struct schema_map schema_account = {(const struct schema_key[]){
    SCHEMA_ROW("id", SCHEMA_ACCOUNT_ID),
    SCHEMA_ROW("type", SCHEMA_CHOICE, .fallback = "batch", .choices = resource_types,
               .problem = resource_type_problem),
    SCHEMA_ROW("name", SCHEMA_ACCOUNT_NAME),
    SCHEMA_ROW("path", SCHEMA_TEXT),
    SCHEMA_ROW("resource_group", SCHEMA_RESOURCE_GROUP),
    SCHEMA_ROW("subscription_id", SCHEMA_GUID),
    SCHEMA_ROW("pair", SCHEMA_TEXT),
    ROWS_OF_DEFAULTS,
    SCHEMA_END,
}};

static const struct schema_choice notify_events[] = {
    {"blocked", NOTIFY_BLOCKED},
    {"overdue", NOTIFY_OVERDUE},
    {"at_risk", NOTIFY_AT_RISK},
    {"recovered", NOTIFY_RECOVERED},
    {"upcoming", NOTIFY_UPCOMING},
    {"completed", NOTIFY_COMPLETED},
    {NULL, 0},
};

const struct schema_map schema_notify = {(const struct schema_key[]){
    SCHEMA_ROW("target", SCHEMA_TEXT, .required = true),
    /* blocked, overdue, at_risk and recovered */
    SCHEMA_ROW("events", SCHEMA_CHOICE, .shape = SHAPE_ONE_OR_LIST, .choices = notify_events),
    SCHEMA_ROW("ahead", SCHEMA_DURATION, .fallback = "1d", .maximum = 30 * MS_DAY),
    SCHEMA_END,
}};

#define ROWS_OF_FILTER                                                                             \
    SCHEMA_ROW("names", SCHEMA_TEXT, .shape = SHAPE_ONE_OR_LIST),                                  \
        SCHEMA_ROW("resource_groups", SCHEMA_TEXT, .shape = SHAPE_ONE_OR_LIST),                    \
        SCHEMA_ROW("locations", SCHEMA_TEXT, .shape = SHAPE_ONE_OR_LIST),                          \
        SCHEMA_ROW("tags", SCHEMA_TEXT, .shape = SHAPE_BY_TEXT)

const struct schema_map schema_exclude = {(const struct schema_key[]){
    ROWS_OF_FILTER,
    SCHEMA_END,
}};

static const struct schema_choice all_subscriptions[] = {{"all", 0}, {NULL, 0}};

static const struct schema_choice discovery_ways[] = {
    {"auto", DISCOVERY_BY_AUTO},
    {"resource_manager", DISCOVERY_BY_MANAGER},
    {"resource_graph", DISCOVERY_BY_GRAPH},
    {NULL, 0},
};

const struct schema_map schema_discover = {(const struct schema_key[]){
    SCHEMA_ROW("name", SCHEMA_TEXT, .required = true),
    SCHEMA_ROW("subscriptions", SCHEMA_GUID, .shape = SHAPE_ONE_OR_LIST, .required = true,
               .choices = all_subscriptions),
    SCHEMA_ROW("types", SCHEMA_TEXT, .shape = SHAPE_ONE_OR_LIST),
    ROWS_OF_FILTER,
    SCHEMA_ROW("exclude", SCHEMA_MAP, .shape = SHAPE_ONE_OR_LIST, .map = &schema_exclude),
    ROWS_OF_DEFAULTS,
    SCHEMA_ROW("active_tag", SCHEMA_TEXT),
    SCHEMA_ROW("by", SCHEMA_CHOICE, .fallback = "auto", .choices = discovery_ways),
    SCHEMA_ROW("every", SCHEMA_DURATION, .fallback = "15m", .maximum = MS_WEEK,
               .advised = MS_MINUTE, .weakens = "lists use up Azure's limits on requests"),
    SCHEMA_ROW("max_new", SCHEMA_INTEGER, .fallback = "20", .minimum = 1, .maximum = 10000),
    SCHEMA_ROW("dry_run", SCHEMA_BOOLEAN, .fallback = "false"),
    SCHEMA_END,
}};

const struct schema_map schema_freeze = {(const struct schema_key[]){
    SCHEMA_ROW("from", SCHEMA_INSTANT, .required = true),
    SCHEMA_ROW("to", SCHEMA_INSTANT, .required = true),
    SCHEMA_ROW("time_zone", SCHEMA_TIME_ZONE, .fallback = "UTC"),
    SCHEMA_ROW("reason", SCHEMA_TEXT),
    /* all of them */
    SCHEMA_ROW("policies", SCHEMA_TEXT, .shape = SHAPE_ONE_OR_LIST),
    SCHEMA_END,
}};

const struct schema_map schema_root = {(const struct schema_key[]){
    SCHEMA_ROW("version", SCHEMA_INTEGER, .required = true, .minimum = 1, .maximum = 1),
    SCHEMA_ROW("state_dir", SCHEMA_PATH),
    SCHEMA_ROW("control_socket", SCHEMA_PATH),
    SCHEMA_ROW("log", SCHEMA_MAP, .map = &schema_log),
    SCHEMA_ROW("history", SCHEMA_MAP, .map = &schema_history),
    SCHEMA_ROW("metrics", SCHEMA_MAP, .map = &schema_metrics),
    SCHEMA_ROW("cloud", SCHEMA_CHOICE, .fallback = "AzureCloud", .choices = clouds,
               .map = &schema_cloud),
    SCHEMA_ROW("ca_file", SCHEMA_PATH),
    SCHEMA_ROW("proxy", SCHEMA_PROXY, .map = &schema_proxy),
    SCHEMA_ROW("no_proxy", SCHEMA_HOST_SUFFIX, .shape = SHAPE_ONE_OR_LIST),
    SCHEMA_ROW("api_versions", SCHEMA_MAP, .map = &schema_api_versions),
    SCHEMA_ROW("limits", SCHEMA_MAP, .map = &schema_limits),
    SCHEMA_ROW("timing", SCHEMA_MAP, .map = &schema_timing),
    SCHEMA_ROW("identities", SCHEMA_MAP, .shape = SHAPE_BY_NAME, .required = true,
               .variants = schema_identity_types),
    SCHEMA_ROW("policies", SCHEMA_MAP, .shape = SHAPE_BY_NAME, .required = true,
               .map = &schema_policy),
    SCHEMA_ROW("targets", SCHEMA_MAP, .shape = SHAPE_BY_NAME, .required = true,
               .variants = schema_target_types),
    SCHEMA_ROW("defaults", SCHEMA_MAP, .map = &schema_defaults),
    /* resolve_accounts() requires one of these two. */
    SCHEMA_ROW("accounts", SCHEMA_MAP, .shape = SHAPE_LIST, .map = &schema_account),
    SCHEMA_ROW("notify", SCHEMA_MAP, .shape = SHAPE_ONE_OR_LIST, .map = &schema_notify),
    SCHEMA_ROW("discover", SCHEMA_MAP, .shape = SHAPE_LIST, .map = &schema_discover),
    SCHEMA_ROW("freeze", SCHEMA_MAP, .shape = SHAPE_LIST, .map = &schema_freeze),
    SCHEMA_END,
}};

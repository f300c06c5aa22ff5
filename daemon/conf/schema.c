#include "conf/schema.h"

#include "base/log.h"
#include "base/str.h"
#include "conf/config.h"

#define END_OF_KEYS                                                                                \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define LONGEST_PERIOD (3650 * MS_DAY)

static const struct schema_choice log_levels[] = {
    {"error", LEVEL_ERROR, false},   {"warning", LEVEL_WARNING, false},
    {"notice", LEVEL_NOTICE, false}, {"info", LEVEL_INFO, false},
    {"debug", LEVEL_DEBUG, false},   {NULL, 0, false},
};

static const struct schema_choice log_formats[] = {
    {"auto", LOG_FORMAT_AUTO, false},
    {"journal", LOG_FORMAT_JOURNAL, false},
    {"logfmt", LOG_FORMAT_LOGFMT, false},
    {"json", LOG_FORMAT_JSON, false},
    {NULL, 0, false},
};

/* The value is the index of the cloud in resolve_service.c. */
static const struct schema_choice clouds[] = {
    {"AzureCloud", 0, false},
    {"AzureChinaCloud", 1, false},
    {"AzureUSGovernment", 2, false},
    {NULL, 0, false},
};

static const struct schema_choice managed_identity_sources[] = {
    {"auto", 0, false}, {"imds", 1, false}, {"app_service", 2, true},
    {"arc", 3, true},   {NULL, 0, false},
};

static const struct schema_choice verify_modes[] = {
    {"auto", VERIFY_AUTO, false},
    {"required", VERIFY_REQUIRED, false},
    {"off", VERIFY_OFF, false},
    {NULL, 0, false},
};

static const struct schema_choice drift_modes[] = {
    {"redeliver", DRIFT_REDELIVER, false},
    {"alert", DRIFT_ALERT, false},
    {NULL, 0, false},
};

static const struct schema_choice file_formats[] = {
    {"raw", FILE_FORMAT_RAW, false},
    {"env", FILE_FORMAT_ENV, false},
    {"json", FILE_FORMAT_JSON, false},
    {NULL, 0, false},
};

static const struct schema_choice slots[] = {
    {"primary", SLOT_PRIMARY, false},
    {"secondary", SLOT_SECONDARY, false},
    {NULL, 0, false},
};

static const struct schema_choice off_word[] = {{"off", 0, false}, {NULL, 0, false}};

/* A row: the name, the type, and whatever else the key needs. */
#define KEY(key_name, ...)                                                                         \
    {                                                                                              \
        .name = (key_name), .type = __VA_ARGS__                                                    \
    }

const struct schema_map schema_log = {(const struct schema_key[]){
    KEY("level", SCHEMA_CHOICE, .fallback = "info", .choices = log_levels),
    KEY("format", SCHEMA_CHOICE, .fallback = "auto", .choices = log_formats),
    KEY("status_every", SCHEMA_DURATION, .fallback = "1h", .maximum = LONGEST_PERIOD),
    END_OF_KEYS,
}};

static const struct schema_map metrics = {(const struct schema_key[]){
    KEY("listen", SCHEMA_LISTEN, .required = true),
    END_OF_KEYS,
}};

const struct schema_map schema_limits = {(const struct schema_key[]){
    KEY("requests", SCHEMA_INTEGER, .fallback = "64", .minimum = 1, .maximum = 1024),
    KEY("per_subscription", SCHEMA_INTEGER, .fallback = "8", .minimum = 1, .maximum = 1024),
    END_OF_KEYS,
}};

const struct schema_map schema_timing = {(const struct schema_key[]){
    KEY("retry_initial", SCHEMA_DURATION, .fallback = "30s", .maximum = MS_DAY),
    KEY("retry_max", SCHEMA_DURATION, .fallback = "1h", .maximum = MS_WEEK),
    /* ARM may still work on a request 60 s after the client lost it. */
    KEY("unknown_wait", SCHEMA_DURATION, .fallback = "90s", .maximum = MS_DAY,
        .advised = 90 * MS_SECOND,
        .weakens = "a regenerate whose answer was lost may still kill a key after the daemon took "
                   "it for failed"),
    KEY("verify_timeout", SCHEMA_DURATION, .fallback = "5m", .maximum = MS_DAY,
        .advised = 5 * MS_MINUTE,
        .weakens = "a new key may go to its consumers before the Batch service could prove it"),
    KEY("settle", SCHEMA_DURATION, .fallback = "60s", .maximum = MS_DAY, .advised = 60 * MS_SECOND,
        .weakens = "the look that confirms a rotation may still see the keys from before it"),
    END_OF_KEYS,
}};

const struct schema_map schema_cloud = {(const struct schema_key[]){
    KEY("resource_manager", SCHEMA_URL, .required = true),
    KEY("login", SCHEMA_URL, .required = true),
    KEY("audience", SCHEMA_TEXT),
    KEY("key_vault_audience", SCHEMA_TEXT),
    KEY("batch_audience", SCHEMA_TEXT),
    KEY("api_version", SCHEMA_API_VERSION, .fallback = "2024-02-01"),
    END_OF_KEYS,
}};

const struct schema_map schema_client_secret = {(const struct schema_key[]){
    KEY("tenant_id", SCHEMA_TENANT, .required = true),
    KEY("client_id", SCHEMA_GUID, .required = true),
    KEY("client_secret_file", SCHEMA_CREDENTIAL, .required = true),
    END_OF_KEYS,
}};

static const struct schema_map client_certificate = {(const struct schema_key[]){
    KEY("tenant_id", SCHEMA_TENANT, .required = true),
    KEY("client_id", SCHEMA_GUID, .required = true),
    KEY("client_certificate_file", SCHEMA_CREDENTIAL, .required = true),
    KEY("client_certificate_password_file", SCHEMA_CREDENTIAL),
    KEY("send_certificate_chain", SCHEMA_BOOLEAN, .fallback = "false"),
    END_OF_KEYS,
}};

static const struct schema_map workload_identity = {(const struct schema_key[]){
    KEY("tenant_id", SCHEMA_TENANT),
    KEY("client_id", SCHEMA_GUID),
    KEY("federated_token_file", SCHEMA_CREDENTIAL),
    END_OF_KEYS,
}};

const struct schema_map schema_managed_identity = {(const struct schema_key[]){
    KEY("client_id", SCHEMA_GUID),
    KEY("object_id", SCHEMA_GUID),
    KEY("resource_id", SCHEMA_IDENTITY_ID),
    KEY("source", SCHEMA_CHOICE, .fallback = "auto", .choices = managed_identity_sources),
    KEY("endpoint", SCHEMA_URL, .fallback = "http://169.254.169.254"),
    END_OF_KEYS,
}};

static const struct schema_map azure_cli = {(const struct schema_key[]){
    KEY("command", SCHEMA_TEXT, .shape = SHAPE_ONE_OR_LIST, .fallback = "az"),
    END_OF_KEYS,
}};

const struct schema_variant schema_identity_types[] = {
    {"client_secret", &schema_client_secret, IDENTITY_CLIENT_SECRET, false},
    {"managed_identity", &schema_managed_identity, IDENTITY_MANAGED_IDENTITY, false},
    {"client_certificate", &client_certificate, 0, true},
    {"workload_identity", &workload_identity, 0, true},
    {"azure_cli", &azure_cli, 0, true},
    {NULL, NULL, 0, false},
};

const struct schema_map schema_window = {(const struct schema_key[]){
    KEY("days", SCHEMA_WEEKDAY, .shape = SHAPE_ONE_OR_LIST),
    KEY("from", SCHEMA_CLOCK, .fallback = "00:00"),
    KEY("to", SCHEMA_CLOCK, .fallback = "24:00"),
    KEY("time_zone", SCHEMA_TIME_ZONE, .fallback = "UTC"),
    END_OF_KEYS,
}};

const struct schema_map schema_policy = {(const struct schema_key[]){
    KEY("max_key_age", SCHEMA_DURATION, .maximum = LONGEST_PERIOD),
    /* 4/9 of max_key_age */
    KEY("rotate_every", SCHEMA_DURATION, .maximum = LONGEST_PERIOD),
    /* a quarter of rotate_every */
    KEY("overlap", SCHEMA_DURATION, .maximum = LONGEST_PERIOD, .advised = MS_HOUR,
        .weakens = "a program that reads its key less often holds a dead one"),
    KEY("window", SCHEMA_MAP, .shape = SHAPE_ONE_OR_LIST, .map = &schema_window),
    /* a tenth of rotate_every, cut to the shortest window */
    KEY("splay", SCHEMA_DURATION, .maximum = LONGEST_PERIOD, .may_be_zero = true),
    KEY("check_every", SCHEMA_DURATION, .fallback = "6h", .maximum = LONGEST_PERIOD),
    KEY("verify", SCHEMA_CHOICE, .fallback = "auto", .choices = verify_modes),
    KEY("on_drift", SCHEMA_CHOICE, .fallback = "redeliver", .choices = drift_modes),
    /* a tenth of rotate_every */
    KEY("overdue_after", SCHEMA_DURATION, .maximum = LONGEST_PERIOD, .may_be_zero = true),
    KEY("rotate", SCHEMA_BOOLEAN, .fallback = "true"),
    END_OF_KEYS,
}};

const struct schema_map schema_file_target = {(const struct schema_key[]){
    KEY("path", SCHEMA_TEMPLATE, .required = true),
    KEY("mode", SCHEMA_MODE, .fallback = "0600"),
    KEY("group", SCHEMA_TEMPLATE),
    KEY("format", SCHEMA_CHOICE, .fallback = "raw", .choices = file_formats),
    END_OF_KEYS,
}};

static const struct schema_map key_vault = {(const struct schema_key[]){
    KEY("vault", SCHEMA_TEMPLATE, .required = true),
    KEY("secret_name", SCHEMA_TEMPLATE, .required = true),
    KEY("identity", SCHEMA_TEXT),
    KEY("content_type", SCHEMA_TEMPLATE),
    KEY("expires", SCHEMA_DURATION, .maximum = LONGEST_PERIOD, .choices = off_word),
    END_OF_KEYS,
}};

static const struct schema_map exec = {(const struct schema_key[]){
    KEY("command", SCHEMA_TEMPLATE, .shape = SHAPE_LIST, .required = true),
    KEY("timeout", SCHEMA_DURATION, .fallback = "60s", .maximum = MS_DAY),
    END_OF_KEYS,
}};

const struct schema_variant schema_target_types[] = {
    {"file", &schema_file_target, TARGET_FILE, false},
    {"key_vault", &key_vault, 0, true},
    {"exec", &exec, 0, true},
    {"webhook", NULL, 0, true},
    {"kubernetes_secret", NULL, 0, true},
    {"hashicorp_vault", NULL, 0, true},
    {"systemd_credential", NULL, 0, true},
    {NULL, NULL, 0, false},
};

const struct schema_map schema_delivery = {(const struct schema_key[]){
    KEY("target", SCHEMA_TEXT, .required = true),
    KEY("required", SCHEMA_BOOLEAN, .fallback = "true"),
    END_OF_KEYS,
}};

#define KEYS_OF_DEFAULTS                                                                           \
    KEY("adopt_active", SCHEMA_CHOICE, .choices = slots), KEY("identity", SCHEMA_TEXT),            \
        KEY("policy", SCHEMA_TEXT),                                                                \
        KEY("deliver_to", SCHEMA_TEXT, .shape = SHAPE_ONE_OR_LIST, .map = &schema_delivery),       \
        KEY("rotate", SCHEMA_BOOLEAN)

const struct schema_map schema_defaults = {(const struct schema_key[]){
    KEYS_OF_DEFAULTS,
    END_OF_KEYS,
}};

const struct schema_map schema_account = {(const struct schema_key[]){
    KEY("id", SCHEMA_ACCOUNT_ID),
    KEY("name", SCHEMA_ACCOUNT_NAME),
    KEY("resource_group", SCHEMA_RESOURCE_GROUP),
    KEY("subscription_id", SCHEMA_GUID),
    KEYS_OF_DEFAULTS,
    END_OF_KEYS,
}};

static const struct schema_map freeze = {(const struct schema_key[]){
    KEY("from", SCHEMA_INSTANT, .required = true),
    KEY("to", SCHEMA_INSTANT, .required = true),
    KEY("time_zone", SCHEMA_TIME_ZONE, .fallback = "UTC"),
    KEY("reason", SCHEMA_TEXT),
    END_OF_KEYS,
}};

const struct schema_map schema_root = {(const struct schema_key[]){
    KEY("version", SCHEMA_INTEGER, .required = true, .minimum = 1, .maximum = 1),
    KEY("state_dir", SCHEMA_PATH),
    KEY("control_socket", SCHEMA_PATH),
    KEY("log", SCHEMA_MAP, .map = &schema_log),
    KEY("metrics", SCHEMA_MAP, .map = &metrics, .later = true),
    KEY("cloud", SCHEMA_CHOICE, .fallback = "AzureCloud", .choices = clouds, .map = &schema_cloud),
    KEY("ca_file", SCHEMA_PATH),
    KEY("proxy", SCHEMA_PROXY),
    KEY("no_proxy", SCHEMA_HOST_SUFFIX, .shape = SHAPE_ONE_OR_LIST),
    KEY("limits", SCHEMA_MAP, .map = &schema_limits),
    KEY("timing", SCHEMA_MAP, .map = &schema_timing),
    KEY("identities", SCHEMA_MAP, .shape = SHAPE_BY_NAME, .required = true,
        .variants = schema_identity_types),
    KEY("policies", SCHEMA_MAP, .shape = SHAPE_BY_NAME, .required = true, .map = &schema_policy),
    KEY("targets", SCHEMA_MAP, .shape = SHAPE_BY_NAME, .required = true,
        .variants = schema_target_types),
    KEY("defaults", SCHEMA_MAP, .map = &schema_defaults),
    KEY("accounts", SCHEMA_MAP, .shape = SHAPE_LIST, .required = true, .map = &schema_account),
    KEY("discover", SCHEMA_ANYTHING, .shape = SHAPE_ONE_OR_LIST, .later = true),
    KEY("freeze", SCHEMA_MAP, .shape = SHAPE_LIST, .map = &freeze, .later = true),
    END_OF_KEYS,
}};

const struct schema_key *schema_key(const struct schema_map *map, const char *name)
{
    for (const struct schema_key *key = map->keys; key->name; key++) {
        if (str_equal(key->name, name))
            return key;
    }
    return NULL;
}

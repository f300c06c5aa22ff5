/*
 * The loaded configuration: checked, complete, immutable, reference-counted.
 *
 * config_load() reports all mistakes; in a `struct config` every reference is resolved and every
 * number is in range. A reload makes a new one; current users keep the old one until they release
 * it.
 */
#ifndef KEYROTATED_CONF_CONFIG_H
#define KEYROTATED_CONF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/time.h"
#include "core/policy.h"
#include "core/slot.h"
#include "proto/two_key/shared_host.h"

enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_JOURNAL, LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

struct cloud_metadata;
struct two_key_resource;
struct identity_type;
struct key_shape;
struct discovery_rule;
struct config_source;
struct tree_node;

/* The URLs of a cloud's services, and the audiences of their tokens. URLs without trailing slash,
 * audiences as given (a trailing slash is part of an audience). */
struct cloud {
    const char *name; /* "AzureCloud", … or "custom" */
    const char *resource_manager;
    const char *login;
    const char *audience;
    const char *key_vault_audience; /* NULL: nobody says it, so there can be no vaults */
    /* HOST or HOST:PORT of services that have one for all their resources; NULL: not known */
    const char *shared_hosts[SHARED_HOST_COUNT];
    bool discover; /* its Resource Manager is asked for what is not configured */
    const struct cloud_metadata *metadata; /* … and has answered this; NULL: not yet, and such texts
                                            * are "" */
};

/* Below state_dir: what the cloud said last. */
#define CLOUD_METADATA_FILE "cloud.json"

/* Why no key of that type can be verified in the cloud, in words; NULL: it can. */
const char *cloud_cannot_verify(const struct cloud *cloud, const struct two_key_resource *type);

/* What is wrong with a URL in it; NULL: nothing. */
const char *cloud_metadata_problem(const struct cloud_metadata *metadata);

enum { IDENTITY_SETTINGS_MAX = 8 };

struct identity {
    const char *name;
    const struct identity_type *type; /* conf/identity.h */
    /* The values of the type's keys, in the order of its schema; see identity_setting(). Paths of
     * files stay as written: relative ones are resolved against $CREDENTIALS_DIRECTORY when they
     * are read. */
    const char *settings[IDENTITY_SETTINGS_MAX];
    unsigned from_environment; /* a bit for each of them that an environment variable gave */
};

struct target_type;
struct notifier;

/* One place where one account's key goes, placeholders expanded. */
struct destination {
    const char *name; /* of the target */
    const struct target_type *type;
    const struct key_shape *key_shape; /* the format of its content (proto/key_text.h) */
    bool required;
    bool needs_location; /* `place` still contains {location}, which only Azure knows */
    const char *place;   /* identifies what is written, in the form of its type: the path of a
                          * file */
    const struct identity *identity; /* for places that take tokens: that of the target's key
                                      * `identity`, or else the account's */
    const void *settings;            /* the rest, in the type's own struct (conf/target_file.h) */
    const struct destination *after; /* a hook: what is told, without the key, once this destination
                                      * of the same account has it. NULL: a place for keys */
    bool without_key;                /* it is told that there is a key, and does not get it */
};

struct account {
    const char *id;  /* the resource id as written or composed; for a pair of keys besides the first
                      * one "#PAIR" follows (proto/two_key/two_key.h) */
    const char *key; /* the id in lower case, for comparing accounts */
    const char *name;
    const char *resource_group;
    const char *subscription_id;
    bool has_adopt_active;
    enum slot adopt_active;
    const char *rule; /* the name of the rule that found it (conf/discovery.h); NULL: none did */
    bool presumes_active; /* adopt_active is said of all accounts of the rule, not of this one */
    const struct tree_node *node; /* its item in the files, or the rule's made into one */
    const char *problem; /* why it can have none of its destinations: a sentence; NULL: it can */
    const struct identity *identity;
    const char *policy_name;
    const struct policy *policy;              /* includes the account's own `rotate` */
    duration_ms regenerate_takes, list_delay; /* of its type: slow_for and list_delay of its row */
    bool writes_whole;                        /* … and whether that has a rewrite */
    const struct destination *destinations;   /* in the order of delivery; hooks behind theirs */
    size_t destination_count;
};

struct config {
    unsigned references;
    const char *path; /* the main file */
    const char *state_dir;
    const char *control_socket;
    const char *control_group; /* "keyrotated-admin" */
    bool
        assumes_state_dir; /* neither file nor environment says it: the one of keyrotated.service */
    bool assumes_socket;   /* likewise */
    enum log_level log_level;
    enum log_format log_format;
    duration_ms status_every;
    duration_ms history_keep;   /* older history is forgotten */
    const char *metrics_listen; /* NULL: nowhere */
    const char *metrics_file;   /* NULL: none is written */
    size_t metrics_accounts;    /* so many at most have metrics of their own */
    struct cloud cloud;
    const char *const *api_versions; /* in the order of proto/two_key's table; NULL: the type's own;
                                      * see config_api_version() */
    const char *ca_file;             /* NULL: the system's bundle */
    const char *proxy;               /* NULL: none */
    const char *proxy_user;          /* NULL: it asks for none */
    const char *proxy_password_file; /* with a user; relative: below $CREDENTIALS_DIRECTORY */
    const char *no_proxy;            /* comma-separated suffixes, or NULL */
    unsigned limit_requests;
    unsigned limit_per_subscription;
    struct timing timing;
    duration_ms operation_wait; /* the longest that a regenerate takes which Azure goes on with
                                 * after its answer; 0: as its type says */
    duration_ms list_wait;      /* how late lists of keys are, of types where they are; 0: as its
                                 * type says */
    const struct identity *identities;
    size_t identity_count;
    const struct policy *policies;
    const char *const *policy_names; /* parallel to policies */
    size_t policy_count;
    const struct account *accounts; /* sorted by key */
    size_t account_count;
    const struct notifier *notifiers; /* conf/notifier.h */
    size_t notifier_count;
    const struct discovery_rule *rules; /* conf/discovery.h: in the order of the files */
    size_t rule_count;
    struct config_source *source; /* the files: rules add accounts by them (conf/origin.h, too) */
    void *arena;                  /* owns all of the above */
};

/* The messages of config_load(), each with its place. */
enum { CONFIG_MESSAGES_MAX = 200 };
struct config_messages {
    struct buf text; /* lines "FILE:LINE:COLUMN: path.to.key: what" and, before warnings, "warning:
                        " in the sentence */
    struct buf json; /* where wants_json: the same as objects (file, line, column, key, level, text)
                        with commas between them */
    bool wants_json;
    size_t error_count;
    size_t warning_count;
};
void config_messages_init(struct config_messages *messages);
void config_messages_done(struct config_messages *messages);

/* The environment on which the configuration depends, passed in so that tests can set it. Members
 * may be NULL. */
struct config_environment {
    const char *state_directory;   /* $STATE_DIRECTORY: a list with ':'; the first counts */
    const char *runtime_directory; /* $RUNTIME_DIRECTORY, likewise */
    bool sees_targets; /* this is the machine that delivers, and no directory is hidden from the
                          caller: warn of what targets lack (conf/here.h) */
    const struct cloud_metadata *cloud_metadata; /* what the cloud has said to this process; NULL:
                                                  * nothing, and the one of state_dir counts */
    bool proxy_variables_set; /* any of http_proxy, https_proxy, all_proxy, no_proxy … */
    time_ms now;              /* for checks that depend on the calendar */
    /* The value of any other environment variable, or NULL; NULL: there are none. */
    const char *(*variable)(const char *name);
};

/*
 * Reads `path` and conf.d/ *.yaml beside it, in lexical order. Returns a configuration with one
 * reference, or NULL when messages->error_count > 0 (every error of every file has been added).
 */
struct config *config_load(const char *path, const struct config_environment *environment,
                           struct config_messages *messages);

/* The version of the resource manager's interface by which resources of that type are asked for. */
const char *config_api_version(const struct config *config, const struct two_key_resource *type);

/* The longest time from a regenerate's request to its end, for accounts of that type; 0: it has
 * ended when it is answered. */
duration_ms config_type_takes(const struct config *config, const struct two_key_resource *type);

/* The same for an account of that id (its key, or an id of a known type), which need not be in the
 * configuration. */
duration_ms config_regenerate_takes(const struct config *config, const char *account_id);

struct config *config_ref(struct config *config);
void config_unref(struct config *config);

/* The number of accounts that match a name, group/name, or a resource id (any case); *ret_account
 * is the last of them. */
size_t config_match_account(const struct config *config, const char *text,
                            const struct account **ret_account);

/*
 * For `--check`: explains the configuration in words, for each account of `accounts` (NULL: the
 * first `count`): identity, policy ("no key older than 90d: one rotation every 40d, a replaced key
 * works for at least 10d more"), window, destinations, and what the first start would do.
 */
int config_explain(const struct config *config, const struct account *const *accounts, size_t count,
                   struct buf *out);

#endif

#include "app/daemon_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "conf/policy_change.h"
#include "io/access/secret_file.h"

int daemon_http_options(const struct config *config, struct http_options *options,
                        struct secret **ret_password, struct err *err)
{
    const struct secret_file file = {.key = "proxy.password_file",
                                     .path = config->proxy_password_file,
                                     .reason = REASON_NETWORK};
    struct failure failure;

    *options = (struct http_options){
        .ca_file = config->ca_file,
        .proxy = config->proxy,
        .proxy_user = config->proxy_user,
        .no_proxy = config->no_proxy,
        .user_agent = "keyrotated/" KEYROTATED_VERSION,
    };
    *ret_password = NULL;
    if (!config->proxy_password_file)
        return 0;
    *ret_password = secret_file_read(&file, getenv("CREDENTIALS_DIRECTORY"), &failure);
    options->proxy_password = *ret_password;
    if (*ret_password)
        return 0;
    return err_set(err, -ENOENT, "%s; %s", failure.text, failure.remedy);
}

static bool is_warning(const char *message, size_t length)
{
    static const char mark[] = ": warning: ";

    return !!memmem(message, length, mark, sizeof(mark) - 1);
}

/* Every message on a line of its own, so that each can be found by its place. */
static void log_messages(struct daemon *daemon, const char *event, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        enum log_level level = is_warning(text, length) ? LEVEL_WARNING : LEVEL_ERROR;
        struct log_line line;

        log_line_start(&line, loop_now(daemon->loop), level, event, "%.*s", (int)length, text);
        log_emit(&daemon->log, &line);
        text += length;
        if (*text)
            text++;
    }
}

/* The first message that is more than a warning: why the file was refused. */
static void remember_error(struct daemon *daemon, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        if (!is_warning(text, length)) {
            snprintf(daemon->config_error, sizeof(daemon->config_error), "%.*s", (int)length, text);
            return;
        }
        text += length;
        if (*text)
            text++;
    }
}

void daemon_log_config(struct daemon *daemon, const struct config *config,
                       const struct config_messages *messages)
{
    struct log_line line;

    if (!config) {
        log_messages(daemon, "config.rejected", buf_str(&messages->text));
        return;
    }
    log_messages(daemon, "config.loaded", buf_str(&messages->text));
    log_line_start(&line, loop_now(daemon->loop), LEVEL_INFO, "config.loaded",
                   "%s: %zu %s, %zu %s, %zu %s", config->path, config->account_count,
                   str_plural(config->account_count, "account", "accounts"), config->identity_count,
                   str_plural(config->identity_count, "identity", "identities"),
                   config->policy_count, str_plural(config->policy_count, "policy", "policies"));
    log_line_number(&line, "warnings", (int64_t)messages->warning_count);
    log_emit(&daemon->log, &line);
}

/* Compares the settings that need a restart with those at the start of the process. */
static void note_restart_needed(const struct config *first, const struct config *after,
                                struct config_messages *messages)
{
    if (!str_equal(first->state_dir, after->state_dir))
        buf_append_format(&messages->text,
                          "%s: state_dir: warning: restart needed for %s: until then it stays %s\n",
                          after->path, after->state_dir, first->state_dir);
    if (!str_equal(first->control_socket, after->control_socket))
        buf_append_format(
            &messages->text,
            "%s: control_socket: warning: restart needed for %s: until then it stays %s\n",
            after->path, after->control_socket, first->control_socket);
}

/* What it leaves behind is appended to `left_behind`: the engine has logged it. */
static bool apply(struct daemon *daemon, struct config *config, struct config_messages *messages,
                  struct buf *left_behind)
{
    struct http_options options;
    struct secret *password;
    struct err err = {0};
    int rc = daemon_http_options(config, &options, &password, &err);

    if (rc == 0)
        rc = http_set_options(daemon->http, &options, &err);
    secret_free(password);
    if (rc != 0) {
        buf_append_format(&messages->text, "%s: %s\n", config->path, err.text);
        messages->error_count++;
        return false;
    }
    note_restart_needed(daemon->first_config, config, messages);
    daemon_log_configure(daemon, config);
    access_set_config(daemon->access, config);
    azure_set_config(daemon->azure, config);
    engine_configure(daemon->engine, config, left_behind);
    discovery_configure(daemon->discovery, config);
    config_unref(daemon->config);
    daemon->config = config_ref(config);
    daemon->config_loaded_at = loop_now(daemon->loop);
    freeze_watch_set(&daemon->freezes, config);
    daemon_cloud_follow(daemon);
    daemon_metrics_follow(daemon);
    return true;
}

void daemon_apply_found(void *context, struct config *config,
                        const struct engine_farewell *farewells, size_t count)
{
    struct daemon *daemon = context;

    if (daemon->stopping)
        return;
    access_set_config(daemon->access, config);
    azure_set_config(daemon->azure, config);
    engine_expect_farewells(daemon->engine, farewells, count);
    engine_configure(daemon->engine, config, NULL);
    config_unref(daemon->config);
    daemon->config = config_ref(config);
}

/* With the accounts that its rules are known to find. NULL: the messages say why. */
static struct config *with_found(struct daemon *daemon, struct config *config,
                                 struct config_messages *messages)
{
    struct config *expanded;
    struct err err = {0};

    if (!config || config->rule_count == 0)
        return config;
    expanded = discovery_expand(daemon->discovery, config, &err);
    if (!expanded) {
        buf_append_format(&messages->text, "%s: %s\n", config->path, err.text);
        messages->error_count++;
    }
    config_unref(config);
    return expanded;
}

static struct config *read_config(struct daemon *daemon, struct config_messages *messages)
{
    struct config_environment environment;

    environment_read(&environment);
    if (daemon->cloud.told)
        environment.cloud_metadata = &daemon->cloud.metadata;
    config_messages_init(messages);
    return with_found(daemon, config_load(daemon->options->config_path, &environment, messages),
                      messages);
}

bool daemon_reload(struct daemon *daemon, struct buf *report)
{
    struct config_messages messages;
    struct config *config;
    struct buf left_behind;
    bool applied = false;

    buf_init(&left_behind, report->maximum);
    notify_reloading(daemon->notify);
    config = read_config(daemon, &messages);
    if (config)
        applied = apply(daemon, config, &messages, &left_behind);
    daemon_log_config(daemon, applied ? config : NULL, &messages);
    daemon->config_error[0] = '\0';
    if (!applied)
        remember_error(daemon, buf_str(&messages.text));
    buf_append_str(report, buf_str(&messages.text));
    buf_append_str(report, buf_str(&left_behind));
    buf_done(&left_behind);
    config_messages_done(&messages);
    config_unref(config);
    notify_ready(daemon->notify);
    return applied;
}

bool daemon_reload_preview(struct daemon *daemon, struct buf *report)
{
    struct config_messages messages;
    struct config *config = read_config(daemon, &messages);

    if (config) {
        note_restart_needed(daemon->first_config, config, &messages);
        policy_change_preview(daemon->config, config, &messages.text);
        engine_preview(daemon->engine, config, &messages.text);
    }
    buf_append_str(report, buf_str(&messages.text));
    config_messages_done(&messages);
    config_unref(config);
    return !!config;
}

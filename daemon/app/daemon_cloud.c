#include "app/daemon_state.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"
#include "core/backoff.h"
#include "core/reason.h"
#include "io/loop/file_write.h"
#include "proto/failure.h"

/* A cloud does not move from one day to the next, but once in years it does. */
#define ASK_AGAIN   MS_DAY
#define KEEPING_MAX (30 * MS_SECOND)

enum { FILE_MODE = 0600, KEPT_TEXT_MAX = 16384 };

static void ask(struct daemon *daemon);

static void log_cloud_failure(struct daemon *daemon, const struct failure *failure)
{
    const struct cloud *cloud = &daemon->config->cloud;
    struct log_line line;

    log_line_start(&line, loop_now(daemon->loop), cloud->metadata ? LEVEL_WARNING : LEVEL_ERROR,
                   "cloud.failed", "%s%s", failure->text,
                   cloud->metadata ? "; what it said before stays in force" : "");
    log_line_lasts(&line, "cloud");
    log_line_text(&line, "reason", reason_describe(failure->reason)->name);
    log_line_text(&line, "remedy",
                  failure->remedy[0] != '\0' ? failure->remedy
                                             : reason_describe(failure->reason)->remedy);
    if (failure->http_status != 0)
        log_line_number(&line, "http_status", failure->http_status);
    log_line_number(&line, "attempt", daemon->cloud.failures);
    log_emit(&daemon->log, &line);
}

static void give_accounts(struct daemon *daemon)
{
    engine_configure(daemon->engine, daemon->config, NULL);
    discovery_configure(daemon->discovery, daemon->config);
}

/* Its accounts say what they wait for. */
static void release_engine(struct daemon *daemon)
{
    if (daemon->cloud.holds_engine)
        give_accounts(daemon);
    daemon->cloud.holds_engine = false;
}

static void fail(struct daemon *daemon, const struct failure *failure)
{
    const struct timing *timing = &daemon->config->timing;

    daemon->cloud.failures++;
    log_cloud_failure(daemon, failure);
    release_engine(daemon);
    timer_set_delay(&daemon->cloud.timer,
                    backoff_delay(timing->retry_initial, timing->retry_max, daemon->cloud.failures,
                                  (uint64_t)daemon->started_at, failure->retry_after));
}

/* --- keeping it for a start without a network --- */

static void on_kept(void *context, const struct failure *failure)
{
    struct daemon *daemon = context;
    struct log_line line;

    if (!failure)
        return;
    log_line_start(&line, loop_now(daemon->loop), LEVEL_WARNING, "cloud.failed",
                   "what the cloud says of itself cannot be kept for a start without a network: %s",
                   failure->text);
    log_line_text(&line, "remedy",
                  failure->remedy[0] != '\0' ? failure->remedy
                                             : reason_describe(failure->reason)->remedy);
    log_emit(&daemon->log, &line);
}

static void keep(struct daemon *daemon)
{
    char *path = must(str_format("%s/" CLOUD_METADATA_FILE, daemon->first_config->state_dir));
    struct buf text;

    buf_init(&text, KEPT_TEXT_MAX);
    cloud_metadata_write(&text, &daemon->cloud.metadata);
    file_write_start(daemon->loop, path, &text, FILE_MODE, KEEPING_MAX, REASON_JOURNAL_FAILED,
                     on_kept, daemon);
    free(path);
}

/* --- the answer --- */

/* Is it what the configuration in force was made with? */
static bool is_in_force(const struct daemon *daemon, const struct cloud_metadata *metadata)
{
    const struct cloud_metadata *known = daemon->config->cloud.metadata;

    return known && str_equal(known->login, metadata->login) &&
           str_equal(known->audience, metadata->audience) &&
           str_equal(known->key_vault_audience, metadata->key_vault_audience);
}

static void take(struct daemon *daemon, const struct cloud_metadata *metadata)
{
    const bool is_news = !is_in_force(daemon, metadata);
    struct log_line line;

    daemon->cloud.failures = 0;
    log_ended(&daemon->log, loop_now(daemon->loop), "cloud.failed", "cloud", false);
    timer_set_delay(&daemon->cloud.timer, ASK_AGAIN);
    daemon->cloud.metadata = *metadata;
    daemon->cloud.told = true;
    if (!is_news)
        return;
    log_line_start(&line, loop_now(daemon->loop), LEVEL_NOTICE, "cloud.discovered",
                   "%s is the cloud %s: tokens come from %s, for %s", metadata->resource_manager,
                   metadata->name[0] != '\0' ? metadata->name : "without a name", metadata->login,
                   metadata->audience);
    log_line_text(&line, "vaults", str_or_null(metadata->key_vault_audience));
    log_emit(&daemon->log, &line);
    keep(daemon);
    daemon->cloud.changed(daemon);
}

static bool check_urls(const struct cloud_metadata *metadata, struct failure *failure)
{
    const char *problem = cloud_metadata_problem(metadata);

    if (!problem)
        return true;
    failure_init(failure, REASON_AZURE_ERROR);
    failure_set_text(failure,
                     "Azure Resource Manager %s describes a cloud that cannot be used: its login "
                     "%s or its vaults %s: such a URL %s",
                     metadata->resource_manager, metadata->login, metadata->key_vault_audience,
                     problem);
    failure_set_remedy(failure,
                       "write cloud.login, cloud.audience and cloud.key_vault_audience in "
                       "the configuration, in the place of cloud.discover");
    return false;
}

static void on_answer(void *context, struct http_reply *reply)
{
    struct daemon *daemon = context;
    struct cloud_metadata metadata;
    struct failure failure;

    daemon->cloud.call = NULL;
    if (daemon->stopping || reply->outcome == HTTP_CANCELED)
        return;
    if (!str_equal(daemon->cloud.asked, daemon->config->cloud.resource_manager)) {
        daemon_cloud_follow(daemon); /* a reload has named another one */
        return;
    }
    if (cloud_metadata_wants_other_form(reply) && daemon->cloud.form + 1 < CLOUD_METADATA_FORMS) {
        daemon->cloud.form++;
        ask(daemon);
    } else if (cloud_metadata_read(&metadata, reply, daemon->cloud.asked, loop_now(daemon->loop),
                                   &failure) == 0 &&
               check_urls(&metadata, &failure)) {
        take(daemon, &metadata);
    } else {
        fail(daemon, &failure);
    }
}

static void ask(struct daemon *daemon)
{
    struct http_request request;
    struct err err = {0};
    int rc;

    if (daemon->cloud.call)
        return;
    (void)str_copy(daemon->cloud.asked, sizeof(daemon->cloud.asked),
                   daemon->config->cloud.resource_manager);
    rc = cloud_metadata_request(&request, daemon->cloud.asked, daemon->cloud.form, &err);
    if (rc == -ENOMEM)
        fault_out_of_memory();
    daemon->cloud.call = http_start(daemon->http, &request, on_answer, daemon);
}

static void on_cloud_timer(struct timer *timer)
{
    struct daemon *daemon = container_of(timer, struct daemon, cloud.timer);

    if (daemon->stopping || !daemon->config->cloud.discover)
        return;
    daemon->cloud.form = 0;
    ask(daemon);
}

/* --- life --- */

void daemon_cloud_init(struct daemon *daemon, void (*changed)(struct daemon *daemon))
{
    daemon->cloud.changed = changed;
    timer_init(daemon->loop, &daemon->cloud.timer, on_cloud_timer);
}

void daemon_cloud_start(struct daemon *daemon)
{
    const struct cloud *cloud = &daemon->config->cloud;

    daemon->cloud.holds_engine = cloud->discover && !cloud->metadata;
    if (!daemon->cloud.holds_engine)
        give_accounts(daemon);
    if (cloud->discover)
        timer_set_delay(&daemon->cloud.timer, 0);
}

void daemon_cloud_follow(struct daemon *daemon)
{
    const struct cloud *cloud = &daemon->config->cloud;

    daemon->cloud.holds_engine = false;
    if (!cloud->discover)
        timer_stop(&daemon->cloud.timer);
    else if (!daemon->cloud.told || !cloud->metadata)
        timer_set_delay(&daemon->cloud.timer, 0);
}

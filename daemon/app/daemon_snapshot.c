#include "app/daemon_state.h"

#include "base/str.h"

static void note_credential(const struct daemon *daemon, struct daemon_snapshot *snapshot)
{
    const struct credential_expiry *expiry;

    snapshot->credential_expires_at = TIME_NEVER;
    if (!token_cache_first_expiry(daemon->access->tokens, &snapshot->credential_identity, &expiry))
        return;
    snapshot->credential = expiry->what;
    snapshot->credential_expires_at = expiry->at;
    snapshot->credential_problem = expiry->is_replaced ? expiry->problem.text : NULL;
    snapshot->credential_remedy = expiry->is_replaced ? expiry->problem.remedy : expiry->remedy;
}

void daemon_snapshot(struct daemon *daemon, struct rule_snapshot *rules,
                     struct daemon_snapshot *ret_snapshot)
{
    *ret_snapshot = (struct daemon_snapshot){
        .version = KEYROTATED_VERSION,
        .started_at = daemon->started_at,
        .config_loaded_at = daemon->config_loaded_at,
        .config_error = str_or_null(daemon->config_error),
        .rules = rules,
        .rule_count = discovery_snapshot(daemon->discovery, rules, CONTROL_RULES_MAX),
    };

    note_credential(daemon, ret_snapshot);
    daemon_log_level_snapshot(daemon, ret_snapshot);
}

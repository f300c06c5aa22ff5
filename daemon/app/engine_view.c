#include "app/engine_view.h"

void engine_view(const struct engine_account *account, struct rotation_view *view)
{
    time_ms now = loop_now(account->engine->parts.loop);
    struct rotation_context context;
    duration_ms wait;

    engine_account_context(account, &context);
    rotation_view(&context, &account->record, now, view);
    /* What keeps it from finding out how it is. What blocks it stays the more important thing. */
    if (account->call && view->state != STATE_BLOCKED &&
        azure_call_is_throttled(account->call, &wait)) {
        view->state = STATE_RETRYING;
        view->reason = REASON_THROTTLED;
        view->since = 0;
        view->retry_at = time_add(now, wait);
    }
}

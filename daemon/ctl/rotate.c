#include "ctl/await.h"
#include "ctl/fetch.h"
#include "ctl/session.h"

#include <stdlib.h>

static bool fetch_completed_at(const struct ctl_options *options, char *const *name,
                               time_ms *ret_completed_at, enum ctl_exit *ret_result)
{
    struct control_status status;

    *ret_result = ctl_fetch_status(options, "accounts", name, 1, &status, NULL);
    if (*ret_result != CTL_DONE)
        return false;
    *ret_completed_at = status.account_count == 1 ? status.accounts[0].completed_at : TIME_NEVER;
    control_status_done(&status);
    return true;
}

static enum ctl_exit rotate_and_wait(const struct ctl_options *options)
{
    struct control_command command = options->request;
    char **names = calloc(options->account_count, sizeof(*names));
    time_ms *before = calloc(options->account_count, sizeof(*before));
    enum ctl_exit result = CTL_NOT_DONE;
    size_t accepted = 0;
    struct ctl_session session;

    ctl_session_start(&session, options);
    for (size_t i = 0; names && before && i < options->account_count; i++) {
        if (!fetch_completed_at(options, &options->accounts[i], &before[accepted], &result)) {
            session.worst = ctl_worse(session.worst, result);
        } else {
            command.account = options->accounts[i];
            result = ctl_send_command(&session, &command);
            if (result == CTL_DONE)
                names[accepted++] = options->accounts[i];
        }
        if (ctl_is_final(result))
            break;
    }
    if (!ctl_is_final(session.worst) && accepted > 0)
        session.worst =
            ctl_worse(session.worst, ctl_await_rotations(options, names, before, accepted));
    result = ctl_session_end(&session);
    free(names);
    free(before);
    return result;
}

enum ctl_exit ctl_rotate(const struct ctl_options *options)
{
    return options->wait && !options->request.dry_run ? rotate_and_wait(options)
                                                      : ctl_send(options);
}

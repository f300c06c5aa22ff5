#include "ctl/ctl.h"

enum ctl_exit ctl_log_level(const struct ctl_options *options)
{
    struct control_command command = options->request;
    struct ctl_session session;

    if (options->account_count == 0)
        return ctl_complain_of_use("log-level needs a level, such as debug");
    command.level = options->accounts[0];
    ctl_session_start(&session, options);
    (void)ctl_send_command(&session, &command);
    return ctl_session_end(&session);
}

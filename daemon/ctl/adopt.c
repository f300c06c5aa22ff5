#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/session.h"
#include "ctl/status_text.h"

static void say_what_is_overwritten(const struct account_snapshot *account, const char *active)
{
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    (void)buf_append_format(&text, "The %s key of ", active);
    ctl_write_plain(&text, account->id);
    (void)buf_append_str(&text, "\nbecomes the active one and is delivered to\n");
    for (size_t i = 0; i < account->target_count; i++) {
        const struct target_snapshot *target = &account->targets[i];

        (void)buf_append_str(&text, "  ");
        ctl_write_plain(&text, target->destination);
        (void)buf_append_str(&text, ", overwriting ");
        ctl_write_plain(&text, target->holds ? target->holds : "whatever it holds");
        (void)buf_append_char(&text, '\n');
    }
    (void)buf_append_format(&text,
                            "From then on the %s key is the one that is regenerated: whoever uses "
                            "that one today has to change over.\n",
                            strcmp(active, "primary") == 0 ? "secondary" : "primary");
    fputs(text.failed ? "(too long to show)\n" : buf_str(&text), stderr);
    buf_done(&text);
}

static enum ctl_exit confirm(void)
{
    char reply[16];

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        fputs("keyrotatectl: adopt overwrites what targets hold: say --yes to have it done\n",
              stderr);
        return CTL_USAGE;
    }
    fputs("Go on? [y/N] ", stderr);
    if (fgets(reply, sizeof(reply), stdin) && (reply[0] == 'y' || reply[0] == 'Y'))
        return CTL_DONE;
    fputs("Nothing was done.\n", stderr);
    return CTL_NOT_DONE;
}

enum ctl_exit ctl_adopt(const struct ctl_options *options)
{
    struct control_command command = {.kind = CONTROL_ADOPT, .active = options->active};
    struct control_status status;
    enum ctl_exit result;
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    result = ctl_fetch_status(options, CONTROL_NAMED, options->accounts, 1, &status, &text);
    if (result == CTL_DONE) {
        for (size_t i = 0; i < status.account_count; i++)
            say_what_is_overwritten(&status.accounts[i], options->active);
        control_status_done(&status);
        if (!options->yes)
            result = confirm();
    }
    buf_done(&text);
    return result == CTL_DONE ? ctl_run_for_accounts(options, &command) : result;
}

#include "ctl/ctl.h"

#include <stdio.h>

#include "ctl/status_text.h"

static void write_accounts(struct buf *out, const struct control_status *status)
{
    for (size_t i = 0; i < status->account_count; i++) {
        if (i > 0)
            (void)buf_append_char(out, '\n');
        ctl_write_account(out, &status->accounts[i], status->daemon.now);
    }
}

static void print_status(const struct ctl_options *options, const struct control_status *status)
{
    char socket[CTL_PATH_MAX];
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    if (options->account_count > 0) {
        write_accounts(&out, status);
    } else {
        ctl_write_summary(&out, &status->daemon, ctl_socket_path(options, socket));
        if (options->all) {
            (void)buf_append_char(&out, '\n');
            ctl_write_table(&out, status);
        }
        ctl_write_problems(&out, status);
    }
    if (out.failed)
        (void)ctl_complain(CTL_NOT_DONE, "the output is too long");
    else
        fputs(buf_str(&out), stdout);
    buf_done(&out);
}

enum ctl_exit ctl_status(const struct ctl_options *options)
{
    const char *question = options->account_count > 0 || options->all ? "accounts" : "status";
    struct control_status status;
    enum ctl_exit result;
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    result = ctl_fetch_status(options, question, options->accounts, options->account_count, &status,
                              &text);
    if (result == CTL_DONE) {
        result = ctl_status_severity(&status);
        if (options->json)
            fputs(buf_str(&text), stdout);
        else
            print_status(options, &status);
        control_status_done(&status);
    }
    buf_done(&text);
    return result;
}

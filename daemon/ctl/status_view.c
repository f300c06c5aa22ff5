#include "ctl/status.h"

#include "ctl/status_text.h"

/* Everything about accounts, each named by itself? A pattern may name very many. */
static bool wants_details(const struct ctl_options *options)
{
    for (size_t i = 0; i < options->account_count; i++)
        if (control_is_pattern(options->accounts[i]))
            return false;
    return options->account_count > 0;
}

static bool wants_some(const struct ctl_options *options)
{
    return options->account_count > 0 || options->state || options->policy;
}

static size_t count_unwell(const struct control_status *status)
{
    size_t unwell = 0;

    for (size_t i = 0; i < status->account_count; i++)
        unwell += ctl_account_severity(&status->accounts[i]) != CTL_DONE;
    return unwell;
}

static void write_accounts(struct buf *out, const struct control_status *status)
{
    for (size_t i = 0; i < status->account_count; i++) {
        if (i > 0)
            (void)buf_append_char(out, '\n');
        ctl_write_account(out, &status->accounts[i], status->daemon.now);
    }
}

static void write_overview(struct buf *out, const struct ctl_options *options,
                           const struct control_status *status)
{
    const size_t unwell = count_unwell(status);
    char storage[CTL_PATH_MAX];
    const char *socket = ctl_socket_path(options, storage);

    if (wants_some(options)) {
        ctl_write_selection(out, &status->daemon, unwell);
        ctl_write_conditions(out, &status->daemon, socket);
    } else {
        ctl_write_summary(out, &status->daemon, socket);
    }
    /* Those in a state that is well have no trouble to be shown. */
    if (options->all || unwell < status->account_count) {
        (void)buf_append_char(out, '\n');
        ctl_write_table(out, status);
    }
    ctl_write_problems(out, status);
}

void ctl_status_write(struct buf *out, const struct ctl_options *options,
                      const struct control_status *status)
{
    if (wants_details(options) && status->account_count > 0)
        write_accounts(out, status);
    else
        write_overview(out, options, status);
}

enum ctl_exit ctl_status_fetch(const struct ctl_options *options, struct control_status *status,
                               struct buf *text)
{
    const char *question = wants_details(options) || options->all ? "accounts" : "status";
    enum ctl_exit result;
    struct buf path;

    buf_init(&path, CONTROL_URI_MAX);
    (void)control_selection_path(question, options->accounts, options->account_count,
                                 options->state, options->policy, &path);
    result = ctl_fetch_status_path(options, &path, status, text);
    buf_done(&path);
    return result;
}

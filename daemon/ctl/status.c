#include "ctl/status.h"

#include <stdio.h>

#include "ctl/status_text.h"

static void print_status(const struct ctl_options *options, const struct control_status *status)
{
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    ctl_status_write(&out, options, status);
    if (out.failed)
        (void)ctl_complain(CTL_NOT_DONE, "the output is too long");
    else
        fputs(buf_str(&out), stdout);
    buf_done(&out);
}

enum ctl_exit ctl_status(const struct ctl_options *options)
{
    struct control_status status;
    enum ctl_exit result;
    struct buf text;

    if (options->watch)
        return ctl_status_watch(options);
    buf_init(&text, CONTROL_REPLY_MAX);
    result = ctl_status_fetch(options, &status, &text);
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

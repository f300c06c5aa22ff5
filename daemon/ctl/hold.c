#include <stdio.h>

#include "ctl/status_text.h"

static void print_holds(const struct control_holds *holds)
{
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    for (size_t i = 0; i < holds->count; i++)
        ctl_write_hold(&text, &holds->items[i], holds->now);
    if (holds->count == 0)
        (void)buf_append_str(&text, "nothing is held\n");
    ctl_print(stdout, &text);
}

static enum ctl_exit list_holds(const struct ctl_options *options)
{
    struct control_holds holds;
    enum ctl_exit result;
    struct buf text;
    struct err err;

    buf_init(&text, CONTROL_REPLY_MAX);
    result = ctl_fetch(options, "holds", NULL, 0, &text);
    if (result == CTL_DONE && control_holds_parse(buf_str(&text), text.length, &holds, &err) != 0) {
        result = ctl_complain(CTL_UNREACHABLE, "%s", err.text);
    } else if (result == CTL_DONE) {
        if (options->json)
            fputs(buf_str(&text), stdout);
        else
            print_holds(&holds);
        control_holds_done(&holds);
    }
    buf_done(&text);
    return result;
}

enum ctl_exit ctl_hold(const struct ctl_options *options)
{
    return options->list ? list_holds(options) : ctl_send(options);
}

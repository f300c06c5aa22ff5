#include "ctl/ctl.h"

/* Holds are the shortest of the daemon's answers. */
enum ctl_exit ctl_ping(const struct ctl_options *options)
{
    enum ctl_exit result;
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    result = ctl_fetch(options, "holds", NULL, 0, &text);
    buf_done(&text);
    return result;
}

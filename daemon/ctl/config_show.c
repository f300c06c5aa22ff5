#include "ctl/config_show.h"

#include <stdio.h>

#include "ctl/ctl.h"

static void print_config(const struct control_config *config)
{
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    ctl_write_config(&out, config, time_wall());
    ctl_print(stdout, &out);
}

enum ctl_exit ctl_config(const struct ctl_options *options)
{
    struct control_config config;
    enum ctl_exit result;
    struct buf text;
    struct err err;

    buf_init(&text, CONTROL_REPLY_MAX);
    result = ctl_fetch(options, "config", options->accounts, options->account_count, &text);
    if (result == CTL_DONE && options->json) {
        fputs(buf_str(&text), stdout);
    } else if (result == CTL_DONE) {
        if (control_config_parse(buf_str(&text), text.length, &config, &err) == 0) {
            print_config(&config);
            control_config_done(&config);
        } else {
            result = ctl_complain(CTL_UNREACHABLE, "%s", err.text);
        }
    }
    buf_done(&text);
    return result;
}

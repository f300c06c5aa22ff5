#include <stdio.h>

#include "app/daemon.h"

/* Reads the configuration, prints what is wrong with it, and what was understood. */
static int check(const struct options *options)
{
    enum { EXPLANATION_MAX = 64 * 1024 * 1024 };
    struct config_environment environment;
    struct config_messages messages;
    struct config *config;
    struct buf explanation;
    int status = STATUS_OK;

    daemon_environment(&environment);
    config_messages_init(&messages);
    config = config_load(options->config_path, &environment, &messages);
    fputs(buf_str(&messages.text), stderr);
    if (!config) {
        status = STATUS_CONFIG;
    } else {
        buf_init(&explanation, EXPLANATION_MAX);
        if (config_explain(config, &explanation) == 0) {
            fputs(buf_str(&explanation), stdout);
        } else {
            fputs("keyrotated: out of memory\n", stderr);
            status = STATUS_INTERNAL;
        }
        buf_done(&explanation);
    }
    config_unref(config);
    config_messages_done(&messages);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    int status;

    if (!options_parse(argc, argv, &options, &status))
        return status;
    return options.check ? check(&options) : daemon_run(&options);
}

/*
 * The configuration, read again while the daemon runs.
 */
#ifndef KEYROTATED_APP_DAEMON_RELOAD_H
#define KEYROTATED_APP_DAEMON_RELOAD_H

#include "app/daemon_state.h"

/* Reads the configuration again, all or nothing. Appends the messages to `report`. False: the old
 * one stays. */
bool daemon_reload(struct daemon *daemon, struct buf *report);
/* Reports what daemon_reload() would change, without changing it. Returns false when it would be
 * refused. */
bool daemon_reload_preview(struct daemon *daemon, struct buf *report);
/* Logs the messages of config_load(), as config.loaded or config.rejected. */
void daemon_log_config(struct daemon *daemon, const struct config *config,
                       const struct config_messages *messages);
struct http_options daemon_http_options(const struct config *config);

#endif

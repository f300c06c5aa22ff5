/*
 * keyrotatectl config show: the configuration of an account as people read it.
 */
#ifndef KEYROTATED_CTL_CONFIG_SHOW_H
#define KEYROTATED_CTL_CONFIG_SHOW_H

#include "base/buf.h"
#include "proto/control_config.h"

/* Appends a line for each value: its key, file and line (or what else says it), and the value,
 * which goes on in further lines where it is long. Files below the directory that all of them share
 * are named from there. */
void ctl_write_config(struct buf *out, const struct control_config *config, time_ms now);

#endif

/* Channels of bots: one resource that has several sites, each with a pair of keys. In the world
 * each site is an account, BOT/CHANNEL/SITE. */
#ifndef AZURESIM_BOT_CHANNEL_H
#define AZURESIM_BOT_CHANNEL_H

#include "sim.h"

/* The channel that ANY is a site of, with all of its sites; keys as they were at WALL_US, or empty
 * as Azure shows them outside of its list. */
struct json_object *bot_channel_describe(const struct sim *sim, const struct account *any,
                                         bool with_keys, int64_t wall_us);

/* The site of that name (NULL: none) in the same channel, or NULL. */
struct account *bot_channel_site(struct sim *sim, const struct account *any, const char *name);

#endif

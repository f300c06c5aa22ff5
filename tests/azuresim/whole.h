/* Hubs, which are written as a whole: a PUT has all policies with their keys; a key that it lacks
 * is made anew, and a policy that it lacks is gone. In the world each policy is an account,
 * HUB/POLICY. Callers hold the simulator's lock. */
#ifndef AZURESIM_WHOLE_H
#define AZURESIM_WHOLE_H

#include "sim.h"

/* The hub that ANY is a policy of, as GET shows it: without keys. */
struct json_object *whole_describe(const struct sim *sim, const struct account *any);

/* All of its policies with the keys that they had at WALL_US. */
struct json_object *whole_list(const struct sim *sim, const struct account *any, int64_t wall_us);

/* Whether something of the hub is being changed. */
bool whole_is_busy(const struct sim *sim, const struct account *any);

/* A PUT of it. */
void whole_put(struct sim *sim, const struct http_request *request, struct account *any,
               struct http_reply *reply);

#endif

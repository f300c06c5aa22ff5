/*
 * What rotate --wait waits for.
 */
#ifndef KEYROTATED_CTL_AWAIT_H
#define KEYROTATED_CTL_AWAIT_H

#include "ctl/ctl.h"

/* Follows rotations that were accepted until they are completed, cannot go on by themselves, or
 * options->timeout has passed for all of them together; says what happens meanwhile, and of trouble
 * the cause and what to do, once per change. `before`: when each account completed one the last
 * time. */
enum ctl_exit ctl_await_rotations(const struct ctl_options *options, char *const *names,
                                  const time_ms *before, size_t count);

#endif

/*
 * The memory of a list of holds (core/hold.h): adds copies, frees what goes.
 */
#ifndef KEYROTATED_APP_HOLD_BOOK_H
#define KEYROTATED_APP_HOLD_BOOK_H

#include "core/hold.h"

/* Copies it in. False: there are HOLDS_MAX already. */
bool hold_book_add(struct hold_list *list, const struct hold *hold);
/* Returns whether there was one of that id. */
bool hold_book_remove(struct hold_list *list, uint64_t id);
/* Removes those that have ended by time, `max` of them at most. Returns how many, their ids in
 * `ret_ids`. */
size_t hold_book_expire(struct hold_list *list, time_ms now, uint64_t *ret_ids, size_t max);
void hold_book_done(struct hold_list *list);

#endif

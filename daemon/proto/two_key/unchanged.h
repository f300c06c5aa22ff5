/*
 * For how long a resource has been as it is, by the etags that its descriptions show.
 *
 * A list of keys may be late: it may show what was true before the last changes. Whoever writes
 * such a list back undoes them. So a list is written back only if it was read when the resource had
 * been unchanged for longer than lists are late. An etag that was seen then and still stands now
 * proves it, because every change gives the resource another one, and none comes back. That it
 * still stands is proved by If-Match, whatever a late description says. A change that takes its
 * time may give the etag when it begins: where a description has said that one is under way, it
 * counts from the first one that says no such thing any more.
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_UNCHANGED_H
#define KEYROTATED_PROTO_TWO_KEY_UNCHANGED_H

#include "base/err.h"
#include "base/time.h"

enum { TWO_KEY_ETAG_MAX = 256 };

/* Zeroed: the resource was not seen yet. */
struct two_key_unchanged {
    char etag[TWO_KEY_ETAG_MAX]; /* "": none was seen */
    duration_ms since;   /* since when it was seen so, with no change under way, on a clock that
                            never jumps */
    duration_ms seen_at; /* when it was last seen … */
    bool is_changing;    /* … with a change under way */
};

/* May a change be tied to that etag (RFC 9110, 13.1.1)? Returns 0, or -EBADMSG with err set: there
 * is none (NULL), it goes into no header, or it is weak, which If-Match never matches. */
int two_key_etag_check(const char *etag, struct err *err);

/* A description that was read at `at` shows that etag, which two_key_etag_check() has passed, and
 * whether a change is under way. */
void two_key_unchanged_saw(struct two_key_unchanged *unchanged, const char *etag, bool is_changing,
                           duration_ms at);

/* Adds what another account of the same resource has seen, where that is newer. */
void two_key_unchanged_learn(struct two_key_unchanged *unchanged,
                             const struct two_key_unchanged *other);

/* How much longer it has to stay as it is until it has been so for `wait`; 0: it has, or it was not
 * seen yet. */
duration_ms two_key_unchanged_left(const struct two_key_unchanged *unchanged, duration_ms wait,
                                   duration_ms now);

#endif

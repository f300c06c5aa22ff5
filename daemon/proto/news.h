/*
 * What people are told of an account: one JSON object on one line, and the body of a message to a
 * webhook that carries it. Neither holds a key.
 */
#ifndef KEYROTATED_PROTO_NEWS_H
#define KEYROTATED_PROTO_NEWS_H

#include "base/buf.h"
#include "base/time.h"

enum { NEWS_MAX = 16 * 1024 };

/* All texts are borrowed. */
struct news_form {
    const char *event; /* "account.blocked" */
    time_ms time;
    const char *account, *resource_group, *subscription_id, *resource_id;
    const char *pair;  /* of the resource's keys; NULL: it has one pair */
    const char *state; /* "ok" */
    bool overdue, consumers_at_risk;
    const char *reason; /* NULL: none; likewise the next two */
    const char *text;   /* what looks like a key is redacted, here and in `remedy` */
    const char *remedy;
    time_ms since, next_at; /* TIME_NEVER: not known */
    uint64_t cycle;
};

/* Appends the object. Texts that are too long for NEWS_MAX are cut. Returns 0, -ENOMEM, or
 * -EMSGSIZE where `out` is too small for NEWS_MAX. */
int news_write(const struct news_form *form, struct buf *out);

/* Appends {"type", "timestamp", "data"}; `json`: what news_write() wrote. Returns 0 or the buffer's
 * error. */
int news_write_message(const char *event, time_ms at, const char *json, struct buf *out);

#endif

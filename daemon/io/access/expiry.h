/*
 * When the credentials of identities end, and that somebody is told ahead of it.
 */
#ifndef KEYROTATED_IO_ACCESS_EXPIRY_H
#define KEYROTATED_IO_ACCESS_EXPIRY_H

#include <stdbool.h>

#include "base/list.h"
#include "base/log.h"
#include "conf/config.h"
#include "core/look.h"

enum { EXPIRY_WHAT_MAX = 256 };

/* The credential that got a token. */
struct credential_expiry {
    time_ms at;                 /* its end; 0: unknown, or it has none */
    char what[EXPIRY_WHAT_MAX]; /* "the certificate CN=keyrotated (thumbprint …)" */
    char remedy[FAILURE_TEXT_MAX];
    bool is_replaced; /* it is no longer that of the files, because of `problem` */
    struct failure problem;
};

/* Of all identities. */
struct expiry_book {
    struct list entries;
    struct log *log;
};

void expiry_book_init(struct expiry_book *book, struct log *log);
void expiry_book_done(struct expiry_book *book);

/*
 * The identity got a token with that credential. Logs credential.expiring once for each of 30, 7
 * and 1 days that are left, and while the credential is no longer that of the files.
 */
void expiry_book_note(struct expiry_book *book, const char *identity,
                      const struct credential_expiry *expiry, time_ms now);

/* Forgets all identities but those of the configuration. */
void expiry_book_keep(struct expiry_book *book, const struct config *config);

/* The identity whose credential ends first. False: no end is known. All of it is borrowed until the
 * next change. */
bool expiry_book_first(const struct expiry_book *book, const char **ret_identity,
                       const struct credential_expiry **ret_expiry);

#endif

/*
 * What the files of a key pair hold, before it is known what belongs together. Private to key_pair.
 */
#ifndef KEYROTATED_BASE_KEY_PARTS_H
#define KEYROTATED_BASE_KEY_PARTS_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/key_pair.h"

struct key_parts {
    EVP_PKEY *key;
    X509 *certificates[KEY_PAIR_CHAIN_MAX];
    size_t count;
    char stranger[KEY_PAIR_NAME_MAX]; /* the first thing that is neither: "CERTIFICATE REQUEST" */
};

/*
 * Adds what `content` holds: PEM or PKCS#12. `keys`: private keys count, too. Returns 0, or a
 * negative code with error->problem and error->text filled.
 */
int key_parts_read(struct key_parts *parts, const struct buf *content,
                   const struct secret *password, bool keys, struct key_pair_error *error);

void key_parts_done(struct key_parts *parts);

/* Fills *error; returns its code. */
int key_pair_fail(struct key_pair_error *error, enum key_pair_problem problem, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));

/* Takes OpenSSL's queue of errors. True when one of them, or an empty queue, shows that memory ran
 * out. *ret_unsupported: one of them says that an algorithm is left out. */
bool key_pair_take_errors(bool *ret_unsupported);

#endif

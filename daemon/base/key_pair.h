/*
 * A private RSA key with the certificate that belongs to it, from PEM or PKCS#12.
 *
 * The key is kept sealed, and opened for the moment of a signature. No function asks a question on
 * a terminal.
 */
#ifndef KEYROTATED_BASE_KEY_PAIR_H
#define KEYROTATED_BASE_KEY_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/secret.h"
#include "base/time.h"

enum { KEY_PAIR_FILE_MAX = 128 * 1024, KEY_PAIR_CHAIN_MAX = 16 };
enum { KEY_PAIR_NAME_MAX = 128, KEY_PAIR_ERROR_MAX = 256, KEY_PAIR_THUMBPRINT_MAX = 41 };

struct key_pair;

struct key_pair_input {
    const struct buf *certificate; /* PEM or PKCS#12: the certificate, its chain, and the key */
    const struct buf *key;         /* the key alone, PEM; NULL: it is in `certificate` */
    const struct secret *password; /* of the key or of the PKCS#12; NULL: there is none */
};

enum key_pair_problem {
    KEY_PAIR_NO_MEMORY,
    KEY_PAIR_UNREADABLE, /* neither PEM nor PKCS#12, or damaged */
    KEY_PAIR_NO_KEY,
    KEY_PAIR_NO_CERTIFICATE,
    KEY_PAIR_MANY_KEYS,
    KEY_PAIR_PASSWORD_MISSING,
    KEY_PAIR_PASSWORD_WRONG,
    KEY_PAIR_CIPHER,   /* encrypted in a way that this OpenSSL leaves out */
    KEY_PAIR_MISMATCH, /* the key belongs to none of the certificates */
    KEY_PAIR_NOT_RSA,
    KEY_PAIR_SHORT, /* fewer than 2048 bits */
};

struct key_pair_error {
    enum key_pair_problem problem;
    bool in_key;                   /* it is about `key`, not `certificate` */
    char text[KEY_PAIR_ERROR_MAX]; /* to follow the name of the file: "holds no private key" */
};

/*
 * Reads a pair. Certificates and key may stand in any order; other text between them is skipped.
 * Where several certificates belong to the key, the one that ends last is taken. Returns 0,
 * -ENOMEM, or -EBADMSG; *error says why.
 */
int key_pair_read(struct key_pair **ret_pair, const struct key_pair_input *input,
                  struct key_pair_error *error);

/* Wipes and frees. NULL is fine. */
void key_pair_free(struct key_pair *pair);

/* The certificate is good from the one to the other. */
time_ms key_pair_not_before(const struct key_pair *pair);
time_ms key_pair_not_after(const struct key_pair *pair);

/* "CN=keyrotated", for messages. */
const char *key_pair_subject(const struct key_pair *pair);
/* The SHA-1 of the certificate in upper-case hex, by which Azure's portal names it. */
const char *key_pair_thumbprint(const struct key_pair *pair);
/* The SHA-256 of the certificate's DER. */
const uint8_t *key_pair_digest(const struct key_pair *pair);

/* The certificates from the pair's own on, each followed by its issuer, as far as the files had
 * them. key_pair_certificate() returns fresh memory: the base64 of the DER; NULL: no memory. */
size_t key_pair_chain_length(const struct key_pair *pair);
char *key_pair_certificate(const struct key_pair *pair, size_t index);

/* Appends the signature: RSASSA-PSS with SHA-256 and a salt of 32 bytes (RFC 7518, section 3.5).
 * Returns 0, -ENOMEM, or -EIO when OpenSSL fails. */
int key_pair_sign(const struct key_pair *pair, const void *bytes, size_t length, struct buf *out);

#endif

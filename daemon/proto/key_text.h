/*
 * Account keys in bytes of any format.
 *
 * A target may hold a key alone on a line, in an env file, in JSON, in YAML or in a connection
 * string. All of these have in common that the key stands there as one run of base64 characters, so
 * that is what is looked for.
 */
#ifndef KEYROTATED_PROTO_KEY_TEXT_H
#define KEYROTATED_PROTO_KEY_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "core/look.h"

enum {
    KEY_BYTES_MIN = 32,   /* shorter ones are not taken for keys */
    KEY_BYTES_USUAL = 64, /* what most resource types issue */
    KEY_TEXT_MAX = 1024   /* a longer run is a certificate or a picture */
};

struct key_text {
    struct secret *keys[SIGHTING_KEYS_MAX]; /* different ones, in the order they stand there */
    size_t key_count;
    uint64_t cycle; /* the member `cycle` of our own JSON form; 0: there is none */
};

/*
 * Finds the keys in `bytes`. Runs of the usual length are taken if there are any; only otherwise
 * other runs that decode to at least KEY_BYTES_MIN bytes and do not look like a path. JSON's
 * escapes of the characters '/', '+' and '=' are understood. Returns 0, or -ENOMEM (*found is then
 * empty).
 */
int key_text_find(struct key_text *found, const char *bytes, size_t length);
void key_text_done(struct key_text *found);

/* Blots out, in place, every run that looks like a key or a signature. For text of foreign origin
 * that is about to be shown. */
void key_text_redact(char *text);

/* The bytes that the key's base64 stands for. 0, or -EINVAL where it is not base64 of 1 to `size`
 * bytes. The caller wipes `out`. */
int key_text_decode(const struct secret *key, uint8_t *out, size_t size, size_t *ret_length);

#endif

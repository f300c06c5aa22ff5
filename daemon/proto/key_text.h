/*
 * Account keys in bytes of any format.
 *
 * A target may hold a key alone on a line, in an env file, in JSON, in YAML or in a connection
 * string. In all of these the key is one run of the characters that keys of its type consist of, so
 * the search is for such runs.
 */
#ifndef KEYROTATED_PROTO_KEY_TEXT_H
#define KEYROTATED_PROTO_KEY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "core/look.h"

enum { KEY_TEXT_MAX = 1024 /* a longer run is a certificate or a picture */ };

/* The letters of a key. */
enum key_case {
    KEY_CASE_BOTH, /* large and small ones occur */
    KEY_CASE_ONE,  /* all are large, or all are small, as in hexadecimal */
    KEY_CASE_ANY,
};

/* The form of the keys of a resource type. Sizes are of the bytes that base64 encodes; without
 * base64, of the text. */
struct key_shape {
    const char *noun;  /* "a key in base64" */
    const char *marks; /* what keys are made of besides letters and digits: "+/" */
    const char
        *begins; /* they begin like this, without anything of it before: "IR@"; NULL: anyhow */
    bool padded; /* by up to two '=' */
    bool base64; /* it is base64 */
    enum key_case letters;
    size_t usual;    /* when there are runs of this size, only these are taken; 0: none is */
    size_t shortest; /* smaller ones are not taken for keys */
};

/* 64 bytes in base64. */
extern const struct key_shape key_shape_base64;
/* Letters and digits alone: of AI services (hexadecimal, or 84 of all) and AI Search (52). */
extern const struct key_shape key_shape_alphanumeric;
/* What looks like base64, and need not be any. */
extern const struct key_shape key_shape_text;
/* Of integration runtimes: "IR@", then names and a text in base64, with '@' between them. */
extern const struct key_shape key_shape_runtime;
/* Of channels of bots: a text in base64url, or several with dots between them. Longer than a GUID.
 */
extern const struct key_shape key_shape_secret;

struct key_text {
    struct secret *keys[SIGHTING_KEYS_MAX]; /* different ones, in the order they stand there */
    size_t key_count;
    uint64_t cycle; /* the member `cycle` of our own JSON form; 0: there is none */
};

/*
 * Finds the keys of that shape in `bytes`. Runs of the usual size are taken if there are any; only
 * otherwise other runs of at least the shortest that do not look like a path. JSON's escapes of the
 * characters '/', '+' and '=' are understood. Returns 0, or -ENOMEM (*found is then empty).
 */
int key_text_find(struct key_text *found, const struct key_shape *shape, const char *bytes,
                  size_t length);
void key_text_done(struct key_text *found);

/*
 * Calls found() for every text in `bytes` that may be a key of that shape, of whatever size: more
 * than key_text_find() takes for one. The text is borrowed, and wiped afterwards. Ends early where
 * found() returns another value than 0, and returns that; or 0.
 */
typedef int key_text_found(void *context, const char *text, size_t length);
int key_text_each(const struct key_shape *shape, const char *bytes, size_t length,
                  key_text_found *found, void *context);

/* Redacts, in place, every run that looks like a key or a signature. For text of foreign origin,
 * before it is shown. */
void key_text_redact(char *text);

/* Has the key that shape? Any size is accepted, because Azure itself says that it is a key. */
bool key_text_fits(const struct secret *key, const struct key_shape *shape);

/* The bytes that the key's base64 stands for. 0, or -EINVAL where it is not base64 of 1 to `size`
 * bytes. The caller wipes `out`. */
int key_text_decode(const struct secret *key, uint8_t *out, size_t size, size_t *ret_length);

#endif

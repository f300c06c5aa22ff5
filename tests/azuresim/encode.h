/* Encodings and digests: base64, percent-encoding, SHA-256, random identifiers. Strings returned
 * are the caller's to free(3). */
#ifndef AZURESIM_ENCODE_H
#define AZURESIM_ENCODE_H

#include <stdbool.h>
#include <stddef.h>

#define UUID_TEXT_SIZE   37
#define SHA256_HEX_SIZE  65
#define RANDOM_BYTES_MAX 2048

/* Standard base64 with padding (RFC 4648 section 4). */
char *base64_encode(const unsigned char *bytes, size_t length);

/* Strict standard base64: padding required, nothing else tolerated. Returns NULL where TEXT is not
 * base64. The result carries a terminating zero beyond LENGTH. */
unsigned char *base64_decode(const char *text, size_t *length);

/* Base64 with the URL alphabet, padding optional (RFC 7515 section 2); TEXT need not be
 * terminated. */
unsigned char *base64url_decode(const char *text, size_t text_length, size_t *length);

/* base64url without padding. */
char *base64url_encode(const unsigned char *bytes, size_t length);

/* LENGTH (at most RANDOM_BYTES_MAX) random bytes in standard base64. */
char *random_base64(size_t length);

/* LENGTH (at most RANDOM_BYTES_MAX) random bytes in base64url. */
char *random_base64url(size_t length);

/* A random UUID in lower case (RFC 9562, version 4). */
void random_uuid(char text[static UUID_TEXT_SIZE]);

/* 32 random hexadecimal digits, the form of a Key Vault version. */
void random_hex32(char text[static 33]);

/* Lower-case hexadecimal SHA-256. */
void sha256_hex(const void *bytes, size_t length, char text[static SHA256_HEX_SIZE]);

/* Undoes percent-encoding in the LENGTH bytes at TEXT; with PLUS_IS_SPACE as in a form
 * (application/x-www-form-urlencoded). A broken escape is kept as it is. */
char *percent_decode(const char *text, size_t length, bool plus_is_space);

/* Percent-encodes everything but RFC 3986's unreserved characters. */
char *percent_encode(const char *text);

#endif

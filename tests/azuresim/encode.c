#include "encode.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define ENCODED_MAX (8 * 1024 * 1024)

char *base64_encode(const unsigned char *bytes, size_t length)
{
    char *text = memory_zeroed((length + 2) / 3 * 4 + 1, 1);

    EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    return text;
}

unsigned char *base64_decode(const char *text, size_t *length)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t text_length = strlen(text);
    size_t digits = strspn(text, alphabet);
    size_t padding = text_length - digits;
    unsigned char *bytes;

    if (text_length % 4 != 0 || text_length > ENCODED_MAX || padding > 2 ||
        strspn(text + digits, "=") != padding)
        return NULL;
    bytes = memory_zeroed(text_length / 4 * 3 + 1, 1);
    if (text_length > 0)
        EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)text_length);
    *length = text_length / 4 * 3 - padding;
    bytes[*length] = '\0';
    return bytes;
}

/* The standard alphabet's digit for one of the URL alphabet; the two that only the standard one has
 * become something that no alphabet has. */
static char standard_digit(char c)
{
    switch (c) {
    case '-':
        return '+';
    case '_':
        return '/';
    case '+':
    case '/':
        return '!';
    default:
        return c;
    }
}

unsigned char *base64url_decode(const char *text, size_t text_length, size_t *length)
{
    unsigned char *bytes;
    char *standard;

    while (text_length > 0 && text[text_length - 1] == '=')
        text_length--;
    standard = memory_zeroed(text_length + 4, 1);
    for (size_t i = 0; i < text_length; i++)
        standard[i] = standard_digit(text[i]);
    while (text_length % 4 != 0)
        standard[text_length++] = '=';
    bytes = base64_decode(standard, length);
    free(standard);
    return bytes;
}

char *base64url_encode(const unsigned char *bytes, size_t length)
{
    char *text = base64_encode(bytes, length);

    for (char *c = text; *c != '\0'; c++) {
        if (*c == '+')
            *c = '-';
        else if (*c == '/')
            *c = '_';
        else if (*c == '=')
            *c = '\0';
    }
    return text;
}

static void random_bytes(unsigned char *bytes, size_t length)
{
    if (RAND_bytes(bytes, (int)length) != 1) {
        fputs("azuresim: no random numbers\n", stderr);
        abort();
    }
}

char *random_base64(size_t length)
{
    unsigned char bytes[RANDOM_BYTES_MAX];

    random_bytes(bytes, length);
    return base64_encode(bytes, length);
}

char *random_base64url(size_t length)
{
    unsigned char bytes[RANDOM_BYTES_MAX];

    random_bytes(bytes, length);
    return base64url_encode(bytes, length);
}

void random_uuid(char text[static UUID_TEXT_SIZE])
{
    unsigned char b[16];

    random_bytes(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(text, UUID_TEXT_SIZE,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

static void write_hex(const unsigned char *bytes, size_t length, char *text)
{
    for (size_t i = 0; i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

void random_hex32(char text[static 33])
{
    unsigned char bytes[16];

    random_bytes(bytes, sizeof(bytes));
    write_hex(bytes, sizeof(bytes), text);
}

void sha256_hex(const void *bytes, size_t length, char text[static SHA256_HEX_SIZE])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256(bytes, length, digest);
    write_hex(digest, sizeof(digest), text);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

char *percent_decode(const char *text, size_t length, bool plus_is_space)
{
    char *decoded = memory_zeroed(length + 1, 1);
    size_t out = 0;

    for (size_t i = 0; i < length; i++) {
        bool escape = text[i] == '%' && i + 2 < length && hex_digit(text[i + 1]) >= 0 &&
                      hex_digit(text[i + 2]) >= 0;

        if (escape) {
            decoded[out++] = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else if (text[i] == '+' && plus_is_space) {
            decoded[out++] = ' ';
        } else {
            decoded[out++] = text[i];
        }
    }
    return decoded;
}

char *percent_encode(const char *text)
{
    char *encoded = memory_zeroed(3 * strlen(text) + 1, 1);
    char *out = encoded;

    for (; *text != '\0'; text++) {
        if (isalnum((unsigned char)*text) || strchr("-._~", *text))
            *out++ = *text;
        else
            out += sprintf(out, "%%%02X", (unsigned char)*text);
    }
    return encoded;
}

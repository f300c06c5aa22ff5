#include "base/encoding.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"

static const char HEX_DIGITS[] = "0123456789abcdef";

static bool is_unreserved(char c)
{
    return char_is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

int percent_encode(struct buf *out, const char *text, size_t length)
{
    static const char upper_hex[] = "0123456789ABCDEF"; /* RFC 3986, section 2.1 */

    for (size_t i = 0; i < length; i++) {
        const uint8_t byte = (uint8_t)text[i];
        const char encoded[] = {'%', upper_hex[byte >> 4], upper_hex[byte & 15]};

        if (is_unreserved(text[i]))
            (void)buf_append_char(out, text[i]);
        else
            (void)buf_append(out, encoded, sizeof(encoded));
    }
    return out->failed;
}

int percent_encode_path(struct buf *out, const char *path)
{
    while (*path != '\0') {
        const size_t length = strcspn(path, "/");

        (void)percent_encode(out, path, length);
        path += length;
        if (*path == '/')
            (void)buf_append_char(out, *path++);
    }
    return out->failed;
}

void hex_encode(const uint8_t *bytes, size_t length, char *out)
{
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = HEX_DIGITS[bytes[i] >> 4];
        out[2 * i + 1] = HEX_DIGITS[bytes[i] & 15];
    }
    out[2 * length] = '\0';
}

static int hex_digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(const char *text, uint8_t *out, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        /* The NUL of a short text is no hex digit, so the loop ends there. */
        int high = hex_digit_value(text[2 * i]);
        if (high < 0)
            return false;
        int low = hex_digit_value(text[2 * i + 1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return text[2 * length] == '\0';
}

static const char BASE64_ALPHABET[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *bytes, size_t length)
{
    char *text = length <= INT_MAX / 2 ? malloc((length + 2) / 3 * 4 + 1) : NULL;

    if (text)
        (void)EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    return text;
}

int base64url_append(struct buf *out, const void *bytes, size_t length)
{
    char *text = base64_encode(bytes, length);

    if (!text)
        return -ENOMEM;
    text[strcspn(text, "=")] = '\0';
    for (char *c = text; *c != '\0'; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    (void)buf_append_str(out, text);
    wipe(text, strlen(text));
    free(text);
    return out->failed;
}

static int base64_digit_value(char c)
{
    const char *found = c != '\0' ? strchr(BASE64_ALPHABET, c) : NULL;

    return found ? (int)(found - BASE64_ALPHABET) : -1;
}

/* Decodes four characters, the last `padding` of which are '=', into 3 - padding bytes. */
static bool base64_decode_group(const char text[4], size_t padding, uint8_t *out)
{
    uint32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? base64_digit_value(text[i]) : 0;
        if (value < 0)
            return false;
        group = group << 6 | (uint32_t)value;
    }

    uint32_t unused_bits = (UINT32_C(1) << (8 * padding)) - 1;
    if ((group & unused_bits) != 0)
        return false;
    for (size_t i = 0; i < 3 - padding; i++)
        out[i] = (uint8_t)(group >> (16 - 8 * i));
    return true;
}

long base64_decode(const char *text, size_t length, uint8_t *out, size_t size)
{
    if (length % 4 != 0)
        return -1;
    if (length == 0)
        return 0;

    size_t padding = text[length - 1] != '=' ? 0 : text[length - 2] != '=' ? 1 : 2;
    size_t decoded_length = length / 4 * 3 - padding;
    if (decoded_length > size)
        return -1;

    for (size_t i = 0; i < length / 4; i++) {
        bool last = i == length / 4 - 1;
        if (!base64_decode_group(text + 4 * i, last ? padding : 0, out + 3 * i))
            return -1;
    }
    return (long)decoded_length;
}

/* The length of the sequence that this byte starts, and the smallest code point that may be written
 * in so many bytes. */
static size_t utf8_sequence_length(uint8_t first, uint32_t *ret_smallest)
{
    if (first < 0x80) {
        *ret_smallest = 0;
        return 1;
    }
    if ((first & 0xE0) == 0xC0) {
        *ret_smallest = 0x80;
        return 2;
    }
    if ((first & 0xF0) == 0xE0) {
        *ret_smallest = 0x800;
        return 3;
    }
    if ((first & 0xF8) == 0xF0) {
        *ret_smallest = 0x10000;
        return 4;
    }
    return 0;
}

size_t utf8_character(const char *text, size_t length, uint32_t *ret_code_point)
{
    if (length == 0)
        return 0;

    uint32_t smallest;
    uint8_t first = (uint8_t)text[0];
    size_t count = utf8_sequence_length(first, &smallest);
    if (count == 0 || count > length)
        return 0;

    uint32_t code_point = count == 1 ? first : first & (0xFFu >> (count + 1));
    for (size_t i = 1; i < count; i++) {
        uint8_t byte = (uint8_t)text[i];
        if ((byte & 0xC0) != 0x80)
            return 0;
        code_point = code_point << 6 | (byte & 0x3F);
    }

    bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (code_point < smallest || code_point > 0x10FFFF || surrogate)
        return 0;
    if (ret_code_point)
        *ret_code_point = code_point;
    return count;
}

bool utf8_valid(const char *text, size_t length)
{
    size_t at = 0;

    while (at < length) {
        size_t count = utf8_character(text + at, length - at, NULL);
        if (count == 0)
            return false;
        at += count;
    }
    return true;
}

size_t utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    size_t count = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = count - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (char)((0xF00u >> count & 0xF0) | code_point);
    return count;
}

size_t utf8_whole(const char *text, size_t length)
{
    size_t start = length;

    /* Back to the start of the last character: at most three continuation bytes stand behind it. */
    while (start > 0 && length - start < 3 && ((uint8_t)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return length;

    uint32_t smallest;
    size_t count = utf8_sequence_length((uint8_t)text[start - 1], &smallest);
    bool cut_in_two = count > length - (start - 1);
    return cut_in_two ? start - 1 : length;
}

static bool is_control(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

void utf8_make_presentable(char *text)
{
    const size_t length = utf8_whole(text, strlen(text));

    text[length] = '\0';
    for (size_t i = 0; i < length;) {
        uint32_t code_point = 0;
        const size_t count = utf8_character(text + i, length - i, &code_point);

        if (count == 0)
            text[i] = '?';
        else if (is_control(code_point))
            memset(text + i, ' ', count);
        i += count > 0 ? count : 1;
    }
}

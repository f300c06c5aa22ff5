#include "proto/two_key/shared_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/str.h"
#include "proto/key_text.h"

enum { PARAMETERS_MAX = 32, TO_SIGN_MAX = 16 * 1024 };

/* --- the string to sign --- */

/* The value of a header that the request carries, or NULL. */
static const char *request_header(const struct http_request *request, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < request->header_count; i++) {
        const char *line = buf_str(&request->headers[i]);

        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " ");
    }
    return NULL;
}

static void append_standard_headers(struct buf *out, const struct http_request *request)
{
    static const char *const names[] = {"Content-Encoding",
                                        "Content-Language",
                                        "Content-Length",
                                        "Content-MD5",
                                        "Content-Type",
                                        "Date",
                                        "If-Modified-Since",
                                        "If-Match",
                                        "If-None-Match",
                                        "If-Unmodified-Since",
                                        "Range"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = request_header(request, names[i]);

        if (value)
            buf_append_str(out, value);
        else if (str_equal(names[i], "Content-Length") && request->body.length > 0)
            buf_append_format(out, "%zu", request->body.length);
        buf_append_char(out, '\n');
    }
}

static int compare_lines(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

/* Sorts lines "name:value" and appends each with `before` and `after`; frees them. */
static int append_sorted(struct buf *out, char *lines[], size_t count, const char *before,
                         const char *after)
{
    bool complete = true;

    for (size_t i = 0; i < count; i++)
        complete = complete && lines[i];
    if (complete)
        qsort(lines, count, sizeof(lines[0]), compare_lines);
    for (size_t i = 0; i < count; i++) {
        if (complete)
            buf_append_format(out, "%s%s%s", before, lines[i], after);
        free(lines[i]);
    }
    return complete ? 0 : -ENOMEM;
}

/* Every header of the service: name in lower case, colon, value. */
static int append_service_headers(struct buf *out, const struct http_request *request,
                                  const char *prefix)
{
    char *lines[HTTP_HEADERS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < request->header_count; i++) {
        const char *line = buf_str(&request->headers[i]);
        size_t name_length = strcspn(line, ":");
        char *name;

        if (!str_starts_with_nocase(line, prefix) || line[name_length] != ':')
            continue;
        name = str_dup_n(line, name_length);
        if (name)
            str_lower(name);
        line += name_length + 1;
        lines[count++] = !name ? NULL : str_format("%s:%s", name, line + strspn(line, " "));
        free(name);
    }
    return append_sorted(out, lines, count, "", "\n");
}

/* Undoes percent-encoding in place. */
static void percent_decode(char *text)
{
    char *out = text;

    while (*text != '\0') {
        uint8_t byte;

        if (text[0] == '%' && text[1] != '\0' && text[2] != '\0' &&
            hex_decode((const char[]){text[1], text[2], '\0'}, &byte, 1)) {
            *out++ = (char)byte;
            text += 3;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

/* "Name=va%20lue" becomes "name:va lue". NULL when memory is out. */
static char *canonical_parameter(const char *text, size_t length)
{
    char *line = str_dup_n(text, length);
    char *equals;

    if (!line)
        return NULL;
    equals = strchr(line, '=');
    if (!equals)
        return line;
    *equals = '\0';
    str_lower(line);
    *equals = ':';
    percent_decode(line);
    return line;
}

/* The path as it is sent, then the parameters, sorted by name, a line each. */
static int append_resource(struct buf *out, const char *url, const char *account_name)
{
    const char *authority = strstr(url, "://");
    const char *path = authority ? strchr(authority + 3, '/') : NULL;
    char *lines[PARAMETERS_MAX];
    size_t count = 0, path_length;

    if (!path)
        return -EINVAL;
    path_length = strcspn(path, "?");
    buf_append_format(out, "/%s", account_name);
    buf_append(out, path, path_length);
    for (path += path_length; *path != '\0' && count < PARAMETERS_MAX;) {
        size_t length = strcspn(++path, "&");

        if (length > 0)
            lines[count++] = canonical_parameter(path, length);
        path += length;
    }
    return append_sorted(out, lines, count, "\n", "");
}

static int append_string_to_sign(struct buf *out, const struct http_request *request,
                                 const char *account_name, const char *prefix)
{
    int rc;

    buf_append_format(out, "%s\n", request->method);
    append_standard_headers(out, request);
    rc = append_service_headers(out, request, prefix);
    if (rc == 0)
        rc = append_resource(out, buf_str(&request->url), account_name);
    return rc == 0 ? out->failed : rc;
}

/* --- the request --- */

int shared_key_sign(struct http_request *request, const char *account_name, const char *prefix,
                    const struct secret *key, struct err *err)
{
    uint8_t key_bytes[KEY_TEXT_MAX], signature[SHA256_LENGTH];
    struct buf to_sign;
    size_t key_length;
    char *encoded = NULL, *value = NULL;
    int rc;

    if (key_text_decode(key, key_bytes, sizeof(key_bytes), &key_length) < 0)
        return err_set(err, -EINVAL, "the key is not base64, so it cannot be a key of the account");
    buf_init(&to_sign, TO_SIGN_MAX);
    rc = append_string_to_sign(&to_sign, request, account_name, prefix);
    if (rc == 0)
        rc =
            crypto_hmac_sha256(key_bytes, key_length, buf_str(&to_sign), to_sign.length, signature);
    wipe(key_bytes, sizeof(key_bytes));
    buf_done(&to_sign);
    if (rc < 0)
        return err_set(err, rc, "the request cannot be signed: %s", strerror(-rc));

    encoded = base64_encode(signature, sizeof(signature));
    if (encoded)
        value = str_format("SharedKey %s:%s", account_name, encoded);
    if (value)
        http_request_header(request, "Authorization", value);
    else
        rc = err_set(err, -ENOMEM, "the request cannot be signed: there is no memory");
    free(encoded);
    free(value);
    return rc;
}

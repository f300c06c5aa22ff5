#include "sharedkey.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "encode.h"
#include "memory.h"

static void lower(char *text)
{
    for (; *text != '\0'; text++)
        *text = (char)tolower((unsigned char)*text);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct http_field *)a)->name, ((const struct http_field *)b)->name);
}

/* Copies of the fields whose lower-case names start with PREFIX, names lower-case, sorted. */
static struct http_fields sorted_fields(const struct http_fields *fields, const char *prefix)
{
    struct http_fields sorted = {0};

    for (size_t i = 0; i < fields->count; i++) {
        if (strncasecmp(fields->list[i].name, prefix, strlen(prefix)) == 0) {
            http_fields_add(&sorted, fields->list[i].name, fields->list[i].value);
            lower(sorted.list[sorted.count - 1].name);
        }
    }
    if (sorted.count > 1)
        qsort(sorted.list, sorted.count, sizeof(*sorted.list), compare_names);
    return sorted;
}

static void write_standard_headers(FILE *out, const struct http_request *request,
                                   const char *date_header)
{
    static const char *const names[] = {
        "Content-Encoding",
        "Content-Language",
        "Content-Length",
        "Content-MD5",
        "Content-Type",
        "Date",
        "If-Modified-Since",
        "If-Match",
        "If-None-Match",
        "If-Unmodified-Since",
        "Range",
    };
    bool no_body = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    bool own_date = *http_header(request, date_header) != '\0';

    fprintf(out, "%s\n", request->method);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        bool left_empty = (no_body && strcmp(names[i], "Content-Length") == 0) ||
                          (own_date && strcmp(names[i], "Date") == 0);

        fprintf(out, "%s\n", left_empty ? "" : http_header(request, names[i]));
    }
}

char *sharedkey_string_to_sign(const struct http_request *request, const char *account,
                               const char *prefix)
{
    struct http_fields own_headers = sorted_fields(&request->headers, prefix);
    char *date_header = memory_printf("%sdate", prefix);
    struct http_fields query = sorted_fields(&request->query, "");
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        abort();
    write_standard_headers(out, request, date_header);
    for (size_t i = 0; i < own_headers.count; i++)
        fprintf(out, "%s:%s\n", own_headers.list[i].name, own_headers.list[i].value);
    fprintf(out, "/%s%s", account, request->path);
    for (size_t i = 0; i < query.count; i++)
        fprintf(out, "\n%s:%s", query.list[i].name, query.list[i].value);
    fclose(out);
    http_fields_done(&own_headers);
    http_fields_done(&query);
    free(date_header);
    return text;
}

char *sharedkey_signature(const char *string_to_sign, const char *key)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_length = 0;
    size_t key_length;
    unsigned char *key_bytes = base64_decode(key, &key_length);

    if (!key_bytes)
        return NULL;
    HMAC(EVP_sha256(), key_bytes, (int)key_length, (const unsigned char *)string_to_sign,
         strlen(string_to_sign), digest, &digest_length);
    free(key_bytes);
    return base64_encode(digest, digest_length);
}

bool sharedkey_parse(const char *authorization, char **account, char **signature)
{
    static const char scheme[] = "SharedKey ";
    const char *credentials = authorization + strlen(scheme);
    const char *colon;

    if (strncasecmp(authorization, scheme, strlen(scheme)) != 0)
        return false;
    colon = strchr(credentials, ':');
    if (!colon)
        return false;
    *account = memory_text_n(credentials, (size_t)(colon - credentials));
    *signature = memory_text(colon + 1);
    return true;
}

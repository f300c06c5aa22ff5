#include "signatures.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "encode.h"
#include "memory.h"
#include "sharedkey.h"

#define DATE_TOLERANCE_S (15 * 60)

/* Base64 of the HMAC-SHA256 of TEXT, to be freed. */
static char *hmac_of(const void *key, size_t key_length, const char *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;

    HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)text, strlen(text), digest,
         &length);
    return base64_encode(digest, length);
}

/* Is SIGNATURE that of TEXT with the base64 KEY? */
static bool signs_decoded(const char *text, const char *key, const char *signature)
{
    char *computed = sharedkey_signature(text, key);
    bool same = computed && signature && strcmp(computed, signature) == 0;

    free(computed);
    return same;
}

static bool is_now(const char *date)
{
    int64_t seconds;

    return clock_parse_http_date(date, &seconds) &&
           llabs(seconds - clock_wall_us() / CLOCK_US_PER_SECOND) <= DATE_TOLERANCE_S;
}

/* --- Storage --- */

static bool signs_storage(const struct http_request *request, const struct account *account,
                          const char *key, char *text)
{
    char *name = NULL, *signature = NULL;
    bool valid = is_now(http_header(request, "x-ms-date")) &&
                 sharedkey_parse(http_header(request, "Authorization"), &name, &signature) &&
                 strcmp(name, account->name) == 0 && signs_decoded(text, key, signature);

    free(name);
    free(signature);
    free(text);
    return valid;
}

bool signature_storage(const struct http_request *request, const struct account *account,
                       const char *key)
{
    return signs_storage(request, account, key,
                         sharedkey_string_to_sign(request, account->name, "x-ms-"));
}

bool signature_table(const struct http_request *request, const struct account *account,
                     const char *key)
{
    const char *comp = http_fields_get(&request->query, "comp");

    return signs_storage(request, account, key,
                         memory_printf("%s\n%s\n%s\n%s\n/%s%s%s%s", request->method,
                                       http_header(request, "Content-MD5"),
                                       http_header(request, "Content-Type"),
                                       http_header(request, "x-ms-date"), account->name,
                                       request->path, comp ? "?comp=" : "", comp ? comp : ""));
}

/* --- Cosmos DB --- */

bool signature_cosmos(const struct http_request *request, const char *key)
{
    static const char prefix[] = "type=master&ver=1.0&sig=";
    const char *sent = http_header(request, "Authorization");
    const char *date = http_header(request, "x-ms-date");
    char *authorization = percent_decode(sent, strlen(sent), false);
    char *text = memory_printf("get\ndbs\n\n%s\n\n", date);
    bool valid;

    for (char *c = text; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    valid = strcmp(request->method, "GET") == 0 && strcmp(request->path, "/dbs") == 0 &&
            is_now(date) && *http_header(request, "x-ms-version") != '\0' &&
            strncmp(authorization, prefix, strlen(prefix)) == 0 &&
            signs_decoded(text, key, authorization + strlen(prefix));
    free(text);
    free(authorization);
    return valid;
}

/* --- App Configuration, Communication Services --- */

/* The part NAME of "Credential=a&SignedHeaders=b&Signature=c", to be freed; NULL: absent. */
static char *part_of(const char *text, const char *name)
{
    size_t length = strlen(name);

    while (*text != '\0') {
        size_t part = strcspn(text, "&");

        if (strncmp(text, name, length) == 0 && text[length] == '=')
            return memory_text_n(text + length + 1, part - length - 1);
        text += part + (text[part] == '&');
    }
    return NULL;
}

static bool has_content_hash(const struct http_request *request)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    char *computed;
    bool same;

    if (EVP_Digest(!request->body ? "" : request->body, request->body_length, digest, &length,
                   EVP_sha256(), NULL) != 1)
        abort();
    computed = base64_encode(digest, length);
    same = strcmp(computed, http_header(request, "x-ms-content-sha256")) == 0;
    free(computed);
    return same;
}

/* What is signed: method, path and query, and the values of the headers that HEADERS names. */
static char *hmac_text(const struct http_request *request, const char *headers)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        abort();
    fprintf(out, "%s\n%s%s%s\n", request->method, request->path,
            *request->query_text == '\0' ? "" : "?", request->query_text);
    while (*headers != '\0') {
        size_t length = strcspn(headers, ";");
        char *name = memory_text_n(headers, length);

        fputs(http_header(request, name), out);
        free(name);
        headers += length;
        if (*headers == ';') {
            fputc(';', out);
            headers++;
        }
    }
    fclose(out);
    return text;
}

bool signature_hmac(const struct http_request *request, const char *id, const char *key)
{
    static const char scheme[] = "HMAC-SHA256 ";
    const char *authorization = http_header(request, "Authorization");
    char *credential, *headers, *signature, *text;
    bool valid;

    if (strncasecmp(authorization, scheme, strlen(scheme)) != 0)
        return false;
    authorization += strlen(scheme);
    credential = part_of(authorization, "Credential");
    headers = part_of(authorization, "SignedHeaders");
    signature = part_of(authorization, "Signature");
    text = hmac_text(request, !headers ? "" : headers);
    valid = headers && strcasecmp(headers, "x-ms-date;host;x-ms-content-sha256") == 0 &&
            is_now(http_header(request, "x-ms-date")) && has_content_hash(request) &&
            (id ? credential && strcmp(credential, id) == 0 : !credential) &&
            signs_decoded(text, key, signature);
    free(credential);
    free(headers);
    free(signature);
    free(text);
    return valid;
}

/* --- SignalR, Web PubSub --- */

/* The JSON in a part of a token. */
static struct json_object *token_part(const char *part, size_t part_length)
{
    size_t length;
    unsigned char *text = base64url_decode(part, part_length, &length);
    struct json_object *object = !text ? NULL : json_tokener_parse((const char *)text);

    free(text);
    return object;
}

static bool claims_fit(const struct http_request *request, struct json_object *header,
                       struct json_object *claims)
{
    char *url = memory_printf("https://%s%s", http_header(request, "Host"), request->path);
    const char *algorithm = json_get_text(header, "alg");
    const char *audience = json_get_text(claims, "aud");
    struct json_object *expires;
    bool fit = algorithm && strcmp(algorithm, "HS256") == 0 && audience &&
               strcasecmp(audience, url) == 0 &&
               json_object_object_get_ex(claims, "exp", &expires) &&
               json_object_get_int64(expires) > clock_wall_us() / CLOCK_US_PER_SECOND;

    free(url);
    return fit;
}

bool signature_token(const struct http_request *request, const char *key)
{
    const char *token = http_header(request, "Authorization");
    const char *claims, *signature;
    struct json_object *header_json, *claims_json;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    char *computed;
    bool valid;

    if (strncasecmp(token, "Bearer ", 7) != 0)
        return false;
    token += 7;
    claims = strchr(token, '.');
    signature = !claims ? NULL : strchr(claims + 1, '.');
    if (!signature)
        return false;
    HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)token,
         (size_t)(signature - token), digest, &length);
    computed = base64url_encode(digest, length);
    header_json = token_part(token, (size_t)(claims - token));
    claims_json = token_part(claims + 1, (size_t)(signature - claims - 1));
    valid = strcmp(computed, signature + 1) == 0 && header_json && claims_json &&
            claims_fit(request, header_json, claims_json);
    json_object_put(header_json);
    json_object_put(claims_json);
    free(computed);
    return valid;
}

/* --- the Service Bus family --- */

/* The parts of a shared access signature; NULL: the request has none. */
static const char *access_parts(const struct http_request *request)
{
    static const char scheme[] = "SharedAccessSignature ";
    const char *text = http_header(request, "ServiceBusAuthorization");

    if (*text == '\0')
        text = http_header(request, "Authorization");
    return strncasecmp(text, scheme, strlen(scheme)) == 0 ? text + strlen(scheme) : NULL;
}

/* The part NAME, percent-decoded, to be freed; NULL: absent. */
static char *access_part(const struct http_request *request, const char *name)
{
    const char *parts = access_parts(request);
    char *raw = !parts ? NULL : part_of(parts, name);
    char *decoded = !raw ? NULL : percent_decode(raw, strlen(raw), false);

    free(raw);
    return decoded;
}

char *signature_rule(const struct http_request *request)
{
    return access_part(request, "skn");
}

/* Does PATH lie at or below ABOVE? */
static bool is_below(const char *path, const char *above)
{
    size_t length = strlen(above);

    while (length > 0 && above[length - 1] == '/')
        length--;
    return strncasecmp(path, above, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

char *signature_entity(const struct http_request *request)
{
    char *resource = access_part(request, "sr");
    const char *host = http_header(request, "Host");
    size_t length = strcspn(host, ":");
    char *entity = NULL;
    const char *place, *path;

    place = !resource ? NULL : strstr(resource, "://");
    if (place && strncasecmp(place + 3, host, length) == 0) {
        path = place + 3 + strcspn(place + 3, "/");
        if (is_below(request->path, path)) {
            path += strspn(path, "/");
            entity = memory_text_n(path, strcspn(path, "/"));
        }
    }
    free(resource);
    return entity;
}

bool signature_access(const struct http_request *request, const char *rule, const char *key)
{
    const char *parts = access_parts(request);
    char *resource, *expiry, *signature, *name, *text, *computed;
    bool valid;

    if (!parts)
        return false;
    resource = part_of(parts, "sr");
    expiry = access_part(request, "se");
    signature = access_part(request, "sig");
    name = signature_rule(request);
    text = memory_printf("%s\n%s", !resource ? "" : resource, !expiry ? "" : expiry);
    computed = hmac_of(key, strlen(key), text);
    valid = resource && expiry && signature && name && strcasecmp(name, rule) == 0 &&
            strtoll(expiry, NULL, 10) > clock_wall_us() / CLOCK_US_PER_SECOND &&
            strcmp(computed, signature) == 0;
    free(resource);
    free(expiry);
    free(signature);
    free(name);
    free(text);
    free(computed);
    return valid;
}

/* --- IoT Hub --- */

bool signature_device(const struct http_request *request, const char *policy, const char *key)
{
    const char *host = http_header(request, "Host");
    const size_t length = strcspn(host, ":");
    char *resource = access_part(request, "sr"), *expiry = access_part(request, "se");
    char *signature = access_part(request, "sig"), *name = signature_rule(request);
    char *text = memory_printf("%s\n%s", !resource ? "" : resource, !expiry ? "" : expiry);
    bool valid = resource && expiry && signature && name && strcmp(name, policy) == 0 &&
                 strlen(resource) == length && strncasecmp(resource, host, length) == 0 &&
                 strtoll(expiry, NULL, 10) > clock_wall_us() / CLOCK_US_PER_SECOND &&
                 signs_decoded(text, key, signature);

    free(resource);
    free(expiry);
    free(signature);
    free(name);
    free(text);
    return valid;
}

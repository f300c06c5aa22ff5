#include "proto/client_assertion.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "base/json_writer.h"

/* As MSAL has it. */
#define LIFETIME (10 * MS_MINUTE)

/* The certificates of a chain take 2 to 3 KiB each, and are encoded twice. */
enum { HEADER_MAX = 32 * 1024, CLAIMS_MAX = 8 * 1024, SIGNATURE_MAX = 2048 };

static int append_chain(struct buf *header, const struct key_pair *pair)
{
    json_write_open(header, "x5c", '[');
    for (size_t i = 0; i < key_pair_chain_length(pair); i++) {
        char *certificate = key_pair_certificate(pair, i);

        if (!certificate)
            return -ENOMEM;
        json_write_text(header, NULL, certificate);
        free(certificate);
    }
    json_write_close(header, ']');
    return 0;
}

static int append_header(struct buf *token, const struct client_assertion *assertion,
                         const struct key_pair *pair)
{
    struct buf header, digest;
    int rc = 0;

    buf_init(&header, HEADER_MAX);
    buf_init(&digest, 2 * SHA256_LENGTH);
    (void)base64url_append(&digest, key_pair_digest(pair), SHA256_LENGTH);
    json_write_open(&header, NULL, '{');
    json_write_text(&header, "alg", "PS256");
    json_write_text(&header, "typ", "JWT");
    json_write_text(&header, "x5t#S256", buf_str(&digest));
    if (assertion->with_chain)
        rc = append_chain(&header, pair);
    json_write_close(&header, '}');
    if (rc == 0)
        rc = digest.failed != 0 ? digest.failed : header.failed;
    if (rc == 0)
        rc = base64url_append(token, header.data, header.length);
    buf_done(&digest);
    buf_done(&header);
    return rc;
}

static int append_claims(struct buf *token, const struct client_assertion *assertion)
{
    struct buf claims;
    int rc;

    buf_init(&claims, CLAIMS_MAX);
    json_write_open(&claims, NULL, '{');
    json_write_text(&claims, "aud", assertion->token_endpoint);
    json_write_text(&claims, "iss", assertion->client_id);
    json_write_text(&claims, "sub", assertion->client_id);
    json_write_text(&claims, "jti", assertion->id);
    json_write_integer(&claims, "nbf", assertion->now / MS_SECOND);
    json_write_integer(&claims, "iat", assertion->now / MS_SECOND);
    json_write_integer(&claims, "exp", (assertion->now + LIFETIME) / MS_SECOND);
    json_write_close(&claims, '}');
    rc = claims.failed;
    if (rc == 0)
        rc = base64url_append(token, claims.data, claims.length);
    buf_done(&claims);
    return rc;
}

static int append_signature(struct buf *token, const struct key_pair *pair)
{
    struct buf signature;
    int rc;

    buf_init(&signature, SIGNATURE_MAX);
    rc = key_pair_sign(pair, token->data, token->length, &signature);
    if (rc == 0)
        rc = buf_append_char(token, '.');
    if (rc == 0)
        rc = base64url_append(token, signature.data, signature.length);
    buf_done(&signature);
    return rc;
}

int client_assertion_sign(struct secret **ret_token, const struct client_assertion *assertion,
                          const struct key_pair *pair, struct err *err)
{
    struct buf token;
    int rc;

    buf_init(&token, SECRET_MAX);
    rc = append_header(&token, assertion, pair);
    if (rc == 0)
        rc = buf_append_char(&token, '.');
    if (rc == 0)
        rc = append_claims(&token, assertion);
    if (rc == 0)
        rc = append_signature(&token, pair);
    *ret_token = rc == 0 ? secret_new(token.data, token.length) : NULL;
    if (rc == 0 && !*ret_token)
        rc = -ENOMEM;
    buf_done(&token);
    return rc < 0 ? err_set(err, rc, "the certificate's key cannot sign: %s", strerror(-rc)) : 0;
}

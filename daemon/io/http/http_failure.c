/*
 * Explains libcurl's error codes to the reader of the log: the cause, then the remedy.
 *
 * Of the request only the server's name and port go into these sentences. libcurl's own text is
 * appended when it says more, above all for certificates; it contains names, addresses and protocol
 * states, but no transferred data.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "io/http/http_private.h"

enum { DETAIL_MAX = 160, PROXY_WANTS_USER = 407 };

/* libcurl's sentence, or its general one for the code, without line breaks. */
static const char *detail(const struct http_exchange *exchange, CURLcode result, char *out)
{
    const char *text = exchange->curl_error;

    (void)str_copy(out, DETAIL_MAX, *text != '\0' ? text : curl_easy_strerror(result));
    for (char *c = out; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
            *c = '?';
    return out;
}

static bool is_resolved(const struct http_exchange *exchange)
{
    curl_off_t at = 0;

    return exchange->easy &&
           curl_easy_getinfo(exchange->easy, CURLINFO_NAMELOOKUP_TIME_T, &at) == CURLE_OK && at > 0;
}

/* CURLINFO_NUM_CONNECTS is counted once TCP is connected; the connect time is recorded only after
 * TLS. */
static bool is_connected(const struct http_exchange *exchange)
{
    long connections = 0;

    return exchange->easy &&
           curl_easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &connections) == CURLE_OK &&
           connections > 0;
}

void http_failure_describe_timeout(const struct http_exchange *exchange, struct err *err)
{
    const char *const authority = exchange->authority;
    char limit[DURATION_TEXT_MAX];

    (void)duration_to_text(exchange->request.deadline, limit);
    if (exchange->headers_complete)
        (void)err_set(err, -ETIMEDOUT, "the reply of %s did not end within %s", authority, limit);
    else if (exchange->sent)
        (void)err_set(err, -ETIMEDOUT, "%s did not answer within %s", authority, limit);
    else if (is_connected(exchange))
        (void)err_set(err, -ETIMEDOUT,
                      "the TLS handshake with %s was not done in time: a firewall or proxy may be "
                      "holding it up",
                      authority);
    else if (is_resolved(exchange))
        (void)err_set(
            err, -ETIMEDOUT, "no connection to %s in time: check firewall, route%s", authority,
            exchange->may_use_proxy ? " and the proxy option" : " and whether it needs a proxy");
    else
        (void)err_set(err, -ETIMEDOUT,
                      "the name of %s was not resolved in time: check this machine's name servers",
                      authority);
}

/* ", Digest": of a login that is not Basic. */
static const char *name_login(long offered)
{
    if ((offered & (long)(CURLAUTH_NTLM | CURLAUTH_NEGOTIATE)) != 0)
        return ", NTLM or Negotiate";
    return (offered & (long)CURLAUTH_DIGEST) != 0 ? ", Digest" : "";
}

/* The proxy wants to know who asks (RFC 9110, section 15.5.8). */
static void describe_proxy_user(const struct http_exchange *exchange, struct err *err)
{
    long offered = 0;

    (void)curl_easy_getinfo(exchange->easy, CURLINFO_PROXYAUTH_AVAIL, &offered);
    if (offered != 0 && (offered & (long)CURLAUTH_BASIC) == 0)
        (void)err_set(err, -EACCES,
                      "the proxy wants a login of a kind that is not spoken here (status 407%s): "
                      "let it offer Basic, or admit this machine without a login, or list %s in "
                      "the option no_proxy",
                      name_login(offered), exchange->authority);
    else if (exchange->names_user)
        (void)err_set(err, -EACCES,
                      "the proxy did not take the user and the password for the tunnel to %s "
                      "(status 407): correct proxy.user and the content of proxy.password_file, "
                      "then reload",
                      exchange->authority);
    else
        (void)err_set(err, -EACCES,
                      "the proxy wants a user and a password for the tunnel to %s (status 407): "
                      "write proxy: {url, user, password_file}",
                      exchange->authority);
}

/* Did the proxy refuse? libcurl reports a refusal as a failure to receive. */
static bool describe_proxy_refusal(const struct http_exchange *exchange, struct err *err)
{
    long status = 0;

    if (!exchange->easy || exchange->sent)
        return false;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status < 300)
        return false;
    if (status == PROXY_WANTS_USER) {
        describe_proxy_user(exchange, err);
        return true;
    }
    (void)err_set(err, -EACCES,
                  "the proxy refused the tunnel to %s with status %ld: allow it there, or list "
                  "the host in the option no_proxy",
                  exchange->authority, status);
    return true;
}

static void describe_connect(const struct http_exchange *exchange, struct err *err)
{
    const char *const where = exchange->may_use_proxy ? " (or to the proxy before it)" : "";
    char text[DETAIL_MAX];
    long system_error = 0;

    if (describe_proxy_refusal(exchange, err))
        return;
    if (exchange->easy)
        (void)curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &system_error);
    if (system_error != 0)
        (void)err_set_errno(err, (int)system_error, "cannot connect to %s%s", exchange->authority,
                            where);
    else
        (void)err_set(err, -ECONNREFUSED, "cannot connect to %s%s: %s", exchange->authority, where,
                      detail(exchange, CURLE_COULDNT_CONNECT, text));
}

static void describe_certificate(const struct http_exchange *exchange, CURLcode result,
                                 struct err *err)
{
    char text[DETAIL_MAX];
    long verified = 0;

    if (exchange->may_use_proxy)
        (void)curl_easy_getinfo(exchange->easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &verified);
    if (verified != 0)
        (void)err_set(err, -EPROTO,
                      "the certificate of the proxy is not accepted: %s; if its issuer is to be "
                      "trusted, add that CA to the bundle of the option ca_file",
                      detail(exchange, result, text));
    else if (result == CURLE_SSL_CACERT_BADFILE)
        (void)err_set(err, -ENOENT,
                      "the CA certificates cannot be loaded: %s; check the option ca_file",
                      detail(exchange, result, text));
    else if (result == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
        (void)err_set(err, -EPROTO,
                      "the public key of %s is not the pinned one; if it was changed on purpose, "
                      "correct the option pin",
                      exchange->authority);
    else
        (void)err_set(err, -EPROTO,
                      "the certificate of %s is not accepted: %s; if its issuer is to be trusted, "
                      "name a bundle with that CA in the option ca_file",
                      exchange->authority, detail(exchange, result, text));
}

/* OpenSSL says this of a first record whose version or length is none of TLS. */
static bool is_without_tls(const struct http_exchange *exchange)
{
    return strstr(exchange->curl_error, "wrong version number") ||
           strstr(exchange->curl_error, "packet length too long");
}

static void describe_handshake(const struct http_exchange *exchange, CURLcode result,
                               struct err *err)
{
    char text[DETAIL_MAX];

    if (is_without_tls(exchange))
        (void)err_set(err, -EPROTOTYPE, "%s%s does not speak TLS at this port", exchange->authority,
                      exchange->may_use_proxy ? " (or the proxy before it)" : "");
    else
        (void)err_set(err, -EPROTO, "the TLS handshake with %s failed: %s (TLS 1.2 is the least)",
                      exchange->authority, detail(exchange, result, text));
}

/* libcurl would have sent it again, over a new connection. */
static void describe_unrepeated(const struct http_exchange *exchange, struct err *err)
{
    (void)err_set(err, -ECONNRESET,
                  "%s closed the connection without an answer; the request was not repeated, as it "
                  "may have been carried out",
                  exchange->authority);
}

static void describe_refusal(const struct http_exchange *exchange, struct err *err)
{
    const char *const authority = exchange->authority;

    switch (exchange->refusal) {
    case REFUSED_LONG_BODY:
        (void)err_set(err, -EMSGSIZE, "the reply of %s is longer than %zu bytes", authority,
                      exchange->reply.body.maximum);
        break;
    case REFUSED_LONG_HEADERS:
        (void)err_set(err, -EMSGSIZE, "the headers of the reply of %s exceed %d bytes", authority,
                      HTTP_REPLY_HEADERS_MAX);
        break;
    case REFUSED_RESENDING:
        describe_unrepeated(exchange, err);
        break;
    case REFUSED_NOTHING:
        break;
    }
}

static void describe_broken_exchange(const struct http_exchange *exchange, CURLcode result,
                                     struct err *err)
{
    const char *const phase =
        !exchange->sent ? "before the request was sent" : "before the whole answer had arrived";
    char text[DETAIL_MAX];

    if (!describe_proxy_refusal(exchange, err))
        (void)err_set(err, -ECONNRESET, "the connection to %s broke %s: %s", exchange->authority,
                      phase, detail(exchange, result, text));
}

void http_failure_describe(const struct http_exchange *exchange, CURLcode result, struct err *err)
{
    const char *const authority = exchange->authority;
    char text[DETAIL_MAX];

    if (exchange->refusal != REFUSED_NOTHING) {
        describe_refusal(exchange, err);
        return;
    }
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
        (void)err_set(err, -EHOSTUNREACH,
                      "the name of %s cannot be resolved: check its spelling and this machine's "
                      "name servers",
                      authority);
        break;
    case CURLE_COULDNT_RESOLVE_PROXY:
        (void)err_set(err, -EHOSTUNREACH,
                      "the name of the proxy cannot be resolved: check the option proxy and this "
                      "machine's name servers");
        break;
    case CURLE_COULDNT_CONNECT:
        describe_connect(exchange, err);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        http_failure_describe_timeout(exchange, err);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        describe_certificate(exchange, result, err);
        break;
    case CURLE_SSL_CONNECT_ERROR:
        describe_handshake(exchange, result, err);
        break;
    case CURLE_SEND_FAIL_REWIND: /* a body that is sent once has no way back */
        describe_unrepeated(exchange, err);
        break;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        describe_broken_exchange(exchange, result, err);
        break;
    case CURLE_BAD_CONTENT_ENCODING:
        (void)err_set(err, -EPROTO,
                      "the reply of %s has a Content-Encoding that cannot be decoded, and the "
                      "request accepts none",
                      authority);
        break;
    case CURLE_UNSUPPORTED_PROTOCOL: /* an answer without a status line */
    case CURLE_WEIRD_SERVER_REPLY:
        (void)err_set(err, -EPROTO, "%s did not answer in HTTP: %s", authority,
                      detail(exchange, result, text));
        break;
    default:
        (void)err_set(err, -EIO, "the exchange with %s failed: %s", authority,
                      detail(exchange, result, text));
        break;
    }
}

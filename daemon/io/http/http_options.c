/*
 * The libcurl options of one exchange, and the callbacks that carry its bytes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/crypto.h"
#include "base/must.h"
#include "base/str.h"
#include "io/http/http_private.h"

/* A connection that was idle for longer is not reused: front ends drop idle connections after
 * minutes. A request on a dropped connection ends as HTTP_LOST, and after an unrepeatable one the
 * daemon has to find out its effect. */
enum { IDLE_MAX_S = 60, IDLE_MAX_UNREPEATABLE_S = 5 };

/* How long a parsed bundle of CA certificates is used before the file is read again. */
enum { CA_CACHE_S = 60 };

#define CONNECT_MAX_MS (15 * MS_SECOND)

/* libcurl's own time limit acts only if ours fails. */
#define BACKSTOP_MS MS_SECOND

static const char METADATA_ADDRESS[] = "169.254.169.254";

/* --- bytes in and out --- */

static size_t on_request_body(char *buffer, size_t size, size_t count, void *context)
{
    struct http_exchange *exchange = context;
    const struct buf *body = &exchange->request.body;
    const size_t left = body->length - exchange->body_sent;
    const size_t room = size * count;
    const size_t length = left < room ? left : room;

    if (length > 0)
        memcpy(buffer, body->data + exchange->body_sent, length);
    exchange->body_sent += length;
    return length;
}

static size_t refuse(struct http_exchange *exchange, enum http_refusal refusal)
{
    if (exchange->refusal == REFUSED_NOTHING)
        exchange->refusal = refusal;
    return 0; /* libcurl aborts when a callback takes less than it was offered */
}

static size_t on_reply_body(char *data, size_t size, size_t count, void *context)
{
    struct http_exchange *exchange = context;
    const size_t length = size * count;

    if (exchange->request.bare) {
        if (http_bare_take(exchange, data, length))
            return length;
        return exchange->has_line ? 0 : refuse(exchange, REFUSED_LONG_BODY);
    }
    switch (buf_append(&exchange->reply.body, data, length)) {
    case 0:
        return length;
    case -EMSGSIZE:
        return refuse(exchange, REFUSED_LONG_BODY);
    default:
        fault_out_of_memory();
    }
}

/*
 * One header line at a time: the lines of interim responses (1xx) first, each response starting
 * with its status line, and at the very end those of a trailer, which are ignored. A line that
 * starts with a blank continues the one before it (RFC 9112, section 5.2), so line ends are written
 * late.
 */
static size_t on_reply_header(char *data, size_t size, size_t count, void *context)
{
    struct http_exchange *exchange = context;
    struct buf *headers = &exchange->reply.headers;
    const size_t length = size * count;
    const bool continues = length > 0 && (data[0] == ' ' || data[0] == '\t');
    size_t end = length;

    if (exchange->request.bare) /* a line break, which libcurl makes up */
        return length;
    exchange->header_bytes += length;
    if (exchange->header_bytes > HTTP_REPLY_HEADERS_MAX)
        return refuse(exchange, REFUSED_LONG_HEADERS);
    if (length >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        buf_clear(headers);
        exchange->headers_complete = false;
        return length;
    }
    if (exchange->headers_complete)
        return length;

    while (end > 0 && (data[end - 1] == '\r' || data[end - 1] == '\n'))
        end--;
    if (end == 0)
        exchange->headers_complete = true;
    if (headers->length > 0 && !continues)
        (void)buf_append_char(headers, '\n');
    (void)buf_append(headers, data, end);
    if (headers->failed)
        fault_out_of_memory();
    return length;
}

/*
 * Called before the first byte of each attempt. libcurl itself repeats a request of any method when
 * a reused connection dies without an answer; attempts after the first are therefore stopped here
 * unless the request may be repeated.
 */
static int on_about_to_send(void *context, char *peer, char *local, int peer_port, int local_port)
{
    struct http_exchange *exchange = context;

    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (exchange->sent && !exchange->request.repeatable) {
        (void)refuse(exchange, REFUSED_RESENDING);
        return CURL_PREREQFUNC_ABORT;
    }
    exchange->sent = true;
    return CURL_PREREQFUNC_OK;
}

/* --- the URL --- */

/* libcurl resolves "localhost" itself, without a name server. */
static bool is_local_host(const char *host)
{
    struct in_addr address;

    if (str_equal_nocase(host, "localhost") || str_equal(host, "[::1]") ||
        str_equal(host, METADATA_ADDRESS))
        return true;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static int judge_url(struct http_exchange *exchange, const char *scheme, const char *host,
                     const char *port, struct err *err)
{
    (void)snprintf(exchange->authority, sizeof(exchange->authority), "%s:%s", host, port);
    if (str_equal(scheme, "https"))
        return 0;
    if (!str_equal(scheme, "http"))
        return err_set(err, -EPROTONOSUPPORT, "the scheme %s is not supported: use https", scheme);
    if (!is_local_host(host))
        return err_set(err, -EPROTONOSUPPORT,
                       "http:// is for loopback addresses and %s only: use https:// for %s",
                       METADATA_ADDRESS, host);
    exchange->plain = true;
    return 0;
}

/* Messages show only the authority of a URL, because the rest may hold a signature. */
static int read_url(struct http_exchange *exchange, struct err *err)
{
    CURLU *url = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    CURLUcode result = CURLUE_OUT_OF_MEMORY;
    int rc;

    if (url)
        result = curl_url_set(url, CURLUPART_URL, buf_str(&exchange->request.url),
                              CURLU_DISALLOW_USER | CURLU_PATH_AS_IS);
    if (result == CURLUE_OK)
        result = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    if (result == CURLUE_OK)
        result = curl_url_get(url, CURLUPART_HOST, &host, 0);
    if (result == CURLUE_OK)
        result = curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (result == CURLUE_OK)
        rc = judge_url(exchange, scheme, host, port, err);
    else
        rc = err_set(err, -EINVAL, "the URL is not usable: %s", curl_url_strerror(result));
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return rc;
}

/* --- options --- */

static bool set_long(CURL *easy, CURLoption option, long value)
{
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_pointer(CURL *easy, CURLoption option, const void *value)
{
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_safety_options(CURL *easy)
{
    return set_pointer(easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
           set_long(easy, CURLOPT_FOLLOWLOCATION, 0) && /* see io/http/http_redirect.c */
           set_long(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) &&
           set_long(easy, CURLOPT_HTTP09_ALLOWED, 0) &&
           /* Ask for no compression. With this option set, libcurl also decodes a reply that is
            * compressed all the same, and the limit of the reply counts the decoded bytes. */
           set_pointer(easy, CURLOPT_ACCEPT_ENCODING, "identity") &&
           set_long(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1) &&
           set_long(easy, CURLOPT_PATH_AS_IS, 1) &&
           set_long(easy, CURLOPT_NETRC, CURL_NETRC_IGNORED) &&
           set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1) &&
           set_long(easy, CURLOPT_NOSIGNAL, 1) && set_long(easy, CURLOPT_TCP_KEEPALIVE, 1) &&
           /* Without this option, ending a transfer during a name lookup would wait for the
            * resolver's thread. */
           set_long(easy, CURLOPT_QUICK_EXIT, 1);
}

static CURLcode on_tls_context(CURL *easy, void *tls_context, void *unused)
{
    (void)easy;
    (void)unused;
    crypto_wipe_received(tls_context);
    return CURLE_OK;
}

/* The type of the callback's argument is known only for OpenSSL. */
static bool set_tls_wiping(CURL *easy)
{
    const char *tls = curl_version_info(CURLVERSION_NOW)->ssl_version;

    return !tls || !str_starts_with(tls, "OpenSSL/") ||
           curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context) == CURLE_OK;
}

static bool set_tls_options(CURL *easy, const struct http_settings *settings)
{
    const long version = CURL_SSLVERSION_TLSv1_2;
    bool ok;

    /* libcurl caches the parsed bundle only when no directory of certificates is searched. */
    ok = set_pointer(easy, CURLOPT_CAPATH, NULL) && set_pointer(easy, CURLOPT_PROXY_CAPATH, NULL) &&
         set_long(easy, CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_S) &&
         set_long(easy, CURLOPT_SSLVERSION, version) && set_long(easy, CURLOPT_SSL_VERIFYPEER, 1) &&
         set_long(easy, CURLOPT_SSL_VERIFYHOST, 2) &&
         set_long(easy, CURLOPT_PROXY_SSLVERSION, version) &&
         set_long(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1) &&
         set_long(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2) && set_tls_wiping(easy);
    if (ok && settings->ca_file)
        ok = set_pointer(easy, CURLOPT_CAINFO, settings->ca_file) &&
             set_pointer(easy, CURLOPT_PROXY_CAINFO, settings->ca_file);
    return ok;
}

/* libcurl borrows the bytes: the request outlives the transfer. */
static bool set_blob(CURL *easy, CURLoption option, const struct buf *pem)
{
    struct curl_blob blob = {.data = pem->data, .len = pem->length, .flags = CURL_BLOB_NOCOPY};

    return pem->length == 0 || curl_easy_setopt(easy, option, &blob) == CURLE_OK;
}

/* Trust and identity of this request alone. A connection is reused only for requests with the
 * same. */
static bool set_own_tls(CURL *easy, const struct http_tls *tls)
{
    return set_blob(easy, CURLOPT_CAINFO_BLOB, &tls->authorities) &&
           set_blob(easy, CURLOPT_SSLCERT_BLOB, &tls->certificate) &&
           set_blob(easy, CURLOPT_SSLKEY_BLOB, &tls->private_key) &&
           (tls->pin[0] == '\0' || set_pointer(easy, CURLOPT_PINNEDPUBLICKEY, tls->pin));
}

/* libcurl copies both, in memory that it wipes. */
static bool set_proxy_user(struct http_exchange *exchange, const struct http_settings *settings)
{
    struct secret *password;
    bool set;

    exchange->names_user = exchange->may_use_proxy && settings->proxy_user;
    if (!exchange->names_user)
        return true;
    password = must(sealed_open(settings->proxy_password));
    set = set_long(exchange->easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC) &&
          set_pointer(exchange->easy, CURLOPT_PROXYUSERNAME, settings->proxy_user) &&
          set_pointer(exchange->easy, CURLOPT_PROXYPASSWORD, secret_bytes(password));
    secret_free(password);
    return set;
}

/* Set the proxy to "" rather than nothing: "" keeps libcurl from reading the environment. */
static bool set_proxy_options(struct http_exchange *exchange, const struct http_settings *settings)
{
    const bool direct = exchange->request.link_local || exchange->plain;

    exchange->may_use_proxy = !direct && *settings->proxy != '\0';
    return set_pointer(exchange->easy, CURLOPT_PROXY, direct ? "" : settings->proxy) &&
           set_pointer(exchange->easy, CURLOPT_NOPROXY, direct ? "*" : settings->no_proxy) &&
           set_proxy_user(exchange, settings);
}

static bool set_limits(CURL *easy, const struct http_request *request)
{
    const duration_ms deadline = request->deadline > 0 ? request->deadline : 1;
    const duration_ms connect = deadline < CONNECT_MAX_MS ? deadline : CONNECT_MAX_MS;

    return set_long(easy, CURLOPT_TIMEOUT_MS, (long)(deadline + BACKSTOP_MS)) &&
           set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect) &&
           set_long(easy, CURLOPT_MAXAGE_CONN,
                    request->repeatable ? IDLE_MAX_S : IDLE_MAX_UNREPEATABLE_S);
}

/* A program that is started would inherit the sockets that libcurl opens itself. */
static curl_socket_t on_open_socket(void *context, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    (void)context;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool set_callbacks(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;

    return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_reply_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_about_to_send) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket) == CURLE_OK &&
           set_pointer(easy, CURLOPT_WRITEDATA, exchange) &&
           set_pointer(easy, CURLOPT_HEADERDATA, exchange) &&
           set_pointer(easy, CURLOPT_PREREQDATA, exchange) &&
           set_pointer(easy, CURLOPT_ERRORBUFFER, exchange->curl_error);
}

/*
 * The body of a repeatable request is passed as memory. Any other body goes through a callback that
 * cannot rewind, which also keeps libcurl from sending it twice.
 */
static bool set_body(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;
    struct buf *body = &exchange->request.body;

    if (!set_long(easy, CURLOPT_POST, 1) ||
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->length) != CURLE_OK)
        return false;
    if (exchange->request.repeatable || body->length == 0)
        return set_pointer(easy, CURLOPT_POSTFIELDS, buf_str(body));
    return curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_request_body) == CURLE_OK &&
           set_pointer(easy, CURLOPT_READDATA, exchange);
}

static bool set_method(struct http_exchange *exchange)
{
    const char *method = exchange->request.method;
    CURL *easy = exchange->easy;

    if (str_equal(method, "POST") || str_equal(method, "PUT") || str_equal(method, "PATCH") ||
        exchange->request.body.length > 0) {
        if (!set_body(exchange))
            return false;
    } else if (str_equal(method, "HEAD")) {
        return set_long(easy, CURLOPT_NOBODY, 1);
    }
    return set_pointer(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* --- headers --- */

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (longer)
        *list = longer;
    return !!longer;
}

/* For libcurl "Name:" removes the header; "Name;" sends it with an empty value. */
static bool add_request_header(struct curl_slist **list, const struct buf *header)
{
    const char *const line = buf_str(header);
    const size_t name_length = strcspn(line, ":");
    struct buf empty;
    bool added;

    if (!str_equal(line + name_length, ": "))
        return add_header(list, line);
    buf_init(&empty, header->length);
    (void)buf_append(&empty, line, name_length);
    (void)buf_append_char(&empty, ';');
    added = !empty.failed && add_header(list, buf_str(&empty));
    buf_done(&empty);
    return added;
}

/* Remove the headers that libcurl adds by itself: a guessed content type, and "Expect:
 * 100-continue", which would delay the body until an interim response. */
static bool set_headers(struct http_exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    bool has_content_type = false;

    for (size_t i = 0; i < request->header_count; i++) {
        if (!add_request_header(&exchange->headers, &request->headers[i]))
            return false;
        if (str_starts_with_nocase(buf_str(&request->headers[i]), "Content-Type:"))
            has_content_type = true;
    }
    if (!add_header(&exchange->headers, "Expect:"))
        return false;
    if (!has_content_type && !add_header(&exchange->headers, "Content-Type:"))
        return false;
    return set_pointer(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers);
}

/* --- where to --- */

/*
 * Where the certificate has another name than the URL, libcurl gets a URL with that name, for TLS
 * and the Host header, and connects to the host of the original one.
 */
static bool set_named_url(struct http_exchange *exchange)
{
    CURLU *url = curl_url();
    char place[HTTP_AUTHORITY_MAX + 3];
    char *named = NULL;
    bool ok;

    (void)snprintf(place, sizeof(place), "::%s", exchange->authority);
    ok = url &&
         curl_url_set(url, CURLUPART_URL, buf_str(&exchange->request.url), CURLU_PATH_AS_IS) ==
             CURLUE_OK &&
         curl_url_set(url, CURLUPART_HOST, exchange->request.tls.server_name, 0) == CURLUE_OK &&
         curl_url_get(url, CURLUPART_URL, &named, 0) == CURLUE_OK &&
         add_header(&exchange->connect_to, place) &&
         set_pointer(exchange->easy, CURLOPT_CONNECT_TO, exchange->connect_to) &&
         set_pointer(exchange->easy, CURLOPT_URL, named);
    curl_free(named);
    curl_url_cleanup(url);
    return ok;
}

static bool set_url(struct http_exchange *exchange)
{
    return exchange->request.tls.server_name[0] != '\0'
               ? set_named_url(exchange)
               : set_pointer(exchange->easy, CURLOPT_URL, buf_str(&exchange->request.url));
}

int http_exchange_prepare(struct http_exchange *exchange, const struct http_settings *settings,
                          struct err *err)
{
    int rc;

    if (!http_request_ok(&exchange->request))
        return err_set(err, -EINVAL,
                       "the request is incomplete, or a part of it is too long or "
                       "has characters that HTTP does not allow");
    rc = read_url(exchange, err);
    if (rc != 0)
        return rc;

    exchange->easy = curl_easy_init();
    if (!exchange->easy || !set_safety_options(exchange->easy) ||
        !set_tls_options(exchange->easy, settings) ||
        !set_own_tls(exchange->easy, &exchange->request.tls) ||
        !set_proxy_options(exchange, settings) || !set_limits(exchange->easy, &exchange->request) ||
        !set_callbacks(exchange))
        return err_set(err, -EIO, "libcurl does not accept the request to %s", exchange->authority);
    if (exchange->request.bare)
        return http_bare_prepare(exchange)
                   ? 0
                   : err_set(err, -ENOTSUP,
                             "this machine's libcurl was built without gopher, by which requests "
                             "without HTTP are sent");
    if (!set_method(exchange) || !set_headers(exchange) ||
        !set_pointer(exchange->easy, CURLOPT_USERAGENT, settings->user_agent) || !set_url(exchange))
        return err_set(err, -EIO, "libcurl does not accept the request to %s", exchange->authority);
    return 0;
}

/*
 * io/http/http against TLS servers with certificates of all kinds, made here.
 */
#include "io/http/http.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crypto.h"
#include "http_fixture.h"

/* --- certificates --- */

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

static struct identity authority; /* trusted through ca_file */
static struct identity stranger;  /* another one, which is not */
static char ca_file[] = "/tmp/test_http_tls.XXXXXX";

static void add_extension(X509 *certificate, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);

    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Issued by `issuer`, or by itself (as a CA) where that is NULL; valid from yesterday until
 * `expires_in` seconds from now. */
static struct identity issue(const struct identity *issuer, const char *name,
                             const char *alternative, long expires_in)
{
    static long serial = 1;
    struct identity made = {.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
    X509 *const certificate = made.certificate;
    X509_NAME *subject = X509_get_subject_name(certificate);

    (void)X509_set_version(certificate, X509_VERSION_3);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), expires_in);
    (void)X509_set_pubkey(certificate, made.key);
    (void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                     -1, 0);
    (void)X509_set_issuer_name(certificate,
                               issuer ? X509_get_subject_name(issuer->certificate) : subject);
    if (!issuer)
        add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    if (alternative)
        add_extension(certificate, NID_subject_alt_name, alternative);
    assert_true(X509_sign(certificate, issuer ? issuer->key : made.key, EVP_sha256()) > 0);
    return made;
}

static void identity_done(struct identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
}

/* --- the server --- */

enum tls_end {
    END_PROPERLY,
    END_WITHOUT_NOTICE,
    END_BEFORE_HANDSHAKE,
    END_NEVER,
    END_WITHOUT_TLS /* answers in the clear */
};

struct tls_behaviour {
    const char *name;
    const struct identity *issuer;
    const char *alternative; /* the certificate's subjectAltName */
    long expires_in;
    int version_max;
    const char *reply;
    enum tls_end end;
    enum http_outcome outcome;
    int error_code;
    const char *error;
    const char *host;
    const char *bare; /* what is sent instead of HTTP */
    const char *body; /* of the answer; NULL: "{}" */

    SSL_CTX *context;
};

static bool tls_read_request(struct server *server, SSL *tls)
{
    char *const request = server->last_request;
    int length = 0;

    while (length == 0 || !strstr(request, "\r\n\r\n")) {
        const int count = SSL_read(tls, request + length, SERVER_REQUEST_MAX - 1 - length);

        if (count <= 0)
            return false;
        length += count;
        request[length] = '\0';
    }
    return true;
}

static void serve_tls(struct server *server, int connection)
{
    const struct tls_behaviour *behaviour = server->context;
    SSL *tls;

    if (behaviour->end == END_BEFORE_HANDSHAKE)
        return;
    if (behaviour->end == END_NEVER) {
        server_await_hangup(connection);
        return;
    }
    if (behaviour->end == END_WITHOUT_TLS) {
        assert_int_equal(write(connection, behaviour->reply, strlen(behaviour->reply)),
                         (ssize_t)strlen(behaviour->reply));
        server_await_hangup(connection);
        return;
    }
    tls = SSL_new(behaviour->context);
    (void)SSL_set_fd(tls, connection);
    if (SSL_accept(tls) == 1) {
        while (tls_read_request(server, tls)) {
            server->requests++;
            (void)SSL_write(tls, behaviour->reply, (int)strlen(behaviour->reply));
            if (!strstr(behaviour->reply, "Content-Length: 2"))
                break;
        }
        if (behaviour->end == END_PROPERLY)
            (void)SSL_shutdown(tls);
    }
    SSL_free(tls);
}

static SSL_CTX *tls_context(const struct identity *identity, int version_max)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    assert_int_equal(SSL_CTX_use_certificate(context, identity->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, identity->key), 1);
    if (version_max == TLS1_1_VERSION) {
        SSL_CTX_set_security_level(context, 0);
        assert_int_equal(SSL_CTX_set_min_proto_version(context, TLS1_VERSION), 1);
    }
    assert_int_equal(SSL_CTX_set_max_proto_version(context, version_max), 1);
    return context;
}

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define GOOD     .issuer = &authority, .alternative = "IP:127.0.0.1,DNS:server.test", .expires_in = 3600

#define BARE "*2 a%20b?c#d/../\xc3\xbc \x01&+ \"e\"\r\n\r\n"

static const struct tls_behaviour behaviours[] = {
    {.name = "TLS 1.3", GOOD, .version_max = TLS1_3_VERSION, .reply = OK_REPLY},
    {.name = "TLS 1.2", GOOD, .version_max = TLS1_2_VERSION, .reply = OK_REPLY},
    {.name = "by name", GOOD, .reply = OK_REPLY, .host = "server.test"},
    {.name = "body up to the end", GOOD, .reply = "HTTP/1.1 200 OK\r\n\r\n{}"},
    {.name = "TLS 1.1",
     GOOD,
     .version_max = TLS1_1_VERSION,
     .reply = OK_REPLY,
     .outcome = HTTP_UNSENT,
     .error_code = -EPROTO,
     .error = "TLS 1.2 is the least"},
    {.name = "unknown issuer",
     .issuer = &stranger,
     .alternative = "IP:127.0.0.1",
     .expires_in = 3600,
     .reply = OK_REPLY,
     .outcome = HTTP_UNSENT,
     .error_code = -EPROTO,
     .error = "name a bundle with that CA in the option ca_file"},
    {.name = "own issuer",
     .alternative = "IP:127.0.0.1",
     .expires_in = 3600,
     .reply = OK_REPLY,
     .outcome = HTTP_UNSENT,
     .error_code = -EPROTO,
     .error = "is not accepted"},
    {.name = "another name",
     .issuer = &authority,
     .alternative = "DNS:other.test",
     .expires_in = 3600,
     .reply = OK_REPLY,
     .host = "server.test",
     .outcome = HTTP_UNSENT,
     .error_code = -EPROTO,
     .error = "the certificate of server.test:"},
    {.name = "no name",
     .issuer = &authority,
     .expires_in = 3600,
     .reply = OK_REPLY,
     .outcome = HTTP_UNSENT,
     .error_code = -EPROTO,
     .error = "the certificate of 127.0.0.1:"},
    {.name = "expired",
     .issuer = &authority,
     .alternative = "IP:127.0.0.1",
     .expires_in = -60,
     .reply = OK_REPLY,
     .outcome = HTTP_UNSENT,
     .error_code = -EPROTO,
     .error = "expired"},
    {.name = "hangs up in the handshake",
     GOOD,
     .end = END_BEFORE_HANDSHAKE,
     .outcome = HTTP_UNSENT,
     .error_code = -EPROTO,
     .error = "TLS handshake"},
    {.name = "HTTP without TLS",
     GOOD,
     .reply = "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}",
     .end = END_WITHOUT_TLS,
     .outcome = HTTP_UNSENT,
     .error_code = -EPROTOTYPE,
     .error = " does not speak TLS at this port"},
    {.name = "SSH",
     GOOD,
     .reply = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
     .end = END_WITHOUT_TLS,
     .outcome = HTTP_UNSENT,
     .error_code = -EPROTOTYPE,
     .error = " does not speak TLS at this port"},
    {.name = "silent in the handshake",
     GOOD,
     .end = END_NEVER,
     .outcome = HTTP_UNSENT,
     .error_code = -ETIMEDOUT,
     .error = "TLS handshake with 127.0.0.1:"},
    {.name = "cut off without notice",
     GOOD,
     .reply = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
     .end = END_WITHOUT_NOTICE,
     .outcome = HTTP_LOST,
     .error_code = -ECONNRESET,
     .error = "broke"},
    {.name = "ends in the body",
     GOOD,
     .reply = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
     .outcome = HTTP_LOST,
     .error_code = -ECONNRESET,
     .error = "broke before the whole answer"},
    {.name = "no answer",
     GOOD,
     .reply = "",
     .outcome = HTTP_LOST,
     .error_code = -ECONNRESET,
     .error = "broke before the whole answer"},
    {.name = "a line", GOOD, .bare = BARE, .reply = "+OK\r\n+OK\r\n", .body = "+OK"},
    {.name = "a line with a line feed alone", GOOD, .bare = BARE, .reply = "+OK\n", .body = "+OK"},
    {.name = "a line, and then nothing",
     GOOD,
     .bare = BARE,
     .reply = "+Content-Length: 2\r\n", /* the server waits for more */
     .body = "+Content-Length: 2"},
    {.name = "a line without notice of the end",
     GOOD,
     .bare = BARE,
     .reply = "-ERR\r\n",
     .end = END_WITHOUT_NOTICE,
     .body = "-ERR"},
    {.name = "half a line",
     GOOD,
     .bare = BARE,
     .reply = "+OK",
     .outcome = HTTP_LOST,
     .error_code = -ECONNRESET,
     .error = "broke before the whole answer"},
    {.name = "a long line",
     GOOD,
     .bare = BARE,
     .reply = "+this takes more than what was asked for\r\n",
     .outcome = HTTP_LOST,
     .error_code = -EMSGSIZE,
     .error = "is longer than 30 bytes"},
    {.name = "a line of a stranger",
     .issuer = &stranger,
     .alternative = "IP:127.0.0.1",
     .expires_in = 3600,
     .bare = BARE,
     .reply = "+OK\r\n",
     .outcome = HTTP_UNSENT,
     .error_code = -EPROTO,
     .error = "name a bundle with that CA in the option ca_file"},
};

static void try_behaviour(const struct tls_behaviour *template)
{
    static const struct http_options options = {.ca_file = ca_file};
    struct tls_behaviour behaviour = *template;
    struct identity identity =
        issue(behaviour.issuer, "server", behaviour.alternative, behaviour.expires_in);
    struct server *server;
    struct fixture *fixture = fixture_new(&options);
    struct http_request request;
    struct result result;

    behaviour.context = tls_context(&identity, behaviour.version_max);
    server = server_start(serve_tls, &behaviour);
    request =
        request_to("POST", false, behaviour.host ? behaviour.host : "127.0.0.1", server->port);
    if (behaviour.end == END_NEVER)
        request.deadline = 300;
    if (behaviour.bare) {
        request.bare = true;
        request.reply_maximum = 30;
        (void)buf_append_str(&request.body, behaviour.bare);
    }
    result = run(fixture, request);
    expect_outcome(behaviour.name, &result, behaviour.outcome);
    if (behaviour.outcome == HTTP_ANSWERED) {
        assert_string_equal(result.body, behaviour.body ? behaviour.body : "{}");
        assert_int_equal(result.status, behaviour.bare ? 0 : 200);
        if (behaviour.bare)
            assert_string_equal(server->last_request, behaviour.bare);
    } else {
        expect_text(behaviour.name, result.error, behaviour.error);
        assert_int_equal(result.error_code, behaviour.error_code);
    }
    assert_int_equal(server->requests, behaviour.outcome == HTTP_UNSENT ? 0 : 1);
    fixture_free(fixture);
    server_stop(server);
    SSL_CTX_free(behaviour.context);
    identity_done(&identity);
}

static void test_behaviours(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++)
        try_behaviour(&behaviours[i]);
}

static void test_connections_are_kept(void **state)
{
    static const struct http_options options = {.ca_file = ca_file};
    struct tls_behaviour behaviour = {GOOD, .reply = OK_REPLY};
    struct identity identity = issue(&authority, "server", behaviour.alternative, 3600);
    struct fixture *fixture = fixture_new(&options);
    struct server *server;

    (void)state;
    behaviour.context = tls_context(&identity, 0);
    server = server_start(serve_tls, &behaviour);
    for (int i = 0; i < 5; i++) {
        const struct result result =
            run(fixture, request_to(i % 2 ? "POST" : "GET", false, "127.0.0.1", server->port));

        expect_outcome("keep-alive", &result, HTTP_ANSWERED);
    }
    assert_int_equal(server->requests, 5);
    assert_int_equal(server->connections, 1);
    fixture_free(fixture);
    server_stop(server);
    SSL_CTX_free(behaviour.context);
    identity_done(&identity);
}

/* --- trust and identity of one request --- */

static void append_certificate(const struct identity *identity, struct buf *pem)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length;

    assert_int_equal(PEM_write_bio_X509(memory, identity->certificate), 1);
    length = BIO_get_mem_data(memory, &text);
    assert_int_equal(buf_append(pem, text, (size_t)length), 0);
    BIO_free(memory);
}

static void append_private_key(const struct identity *identity, struct buf *pem)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length;

    assert_int_equal(PEM_write_bio_PrivateKey(memory, identity->key, NULL, NULL, 0, NULL, NULL), 1);
    length = BIO_get_mem_data(memory, &text);
    assert_int_equal(buf_append(pem, text, (size_t)length), 0);
    BIO_free(memory);
}

/* "sha256//" and the hash of the public key in base64. */
static void write_pin(const struct identity *identity, char pin[HTTP_PIN_MAX])
{
    unsigned char *der = NULL;
    const int length = i2d_PUBKEY(identity->key, &der);
    uint8_t hash[SHA256_LENGTH];

    assert_int_equal(crypto_sha256(der, (size_t)length, hash), 0);
    strcpy(pin, "sha256//");
    assert_int_equal(EVP_EncodeBlock((unsigned char *)pin + strlen(pin), hash, sizeof(hash)), 44);
    OPENSSL_free(der);
}

struct own_trust {
    const char *name;
    const struct identity *issuer;    /* of the server */
    const struct identity *authority; /* that the request trusts; NULL: the configuration's */
    bool pinned, pinned_to_other;     /* to the server's key, or to that of `stranger` */
    bool wants_client, sends_client;  /* a certificate issued by `stranger` */
    enum http_outcome outcome;
};

static const struct own_trust own_trusts[] = {
    {.name = "own CA", .issuer = &stranger, .authority = &stranger},
    {.name = "own CA replaces the configuration's",
     .issuer = &authority,
     .authority = &stranger,
     .outcome = HTTP_UNSENT},
    {.name = "pin", .issuer = &authority, .pinned = true},
    {.name = "another pin", .issuer = &authority, .pinned_to_other = true, .outcome = HTTP_UNSENT},
    {.name = "pin without trust", .issuer = &stranger, .pinned = true, .outcome = HTTP_UNSENT},
    {.name = "client certificate",
     .issuer = &authority,
     .wants_client = true,
     .sends_client = true},
    {.name = "no client certificate",
     .issuer = &authority,
     .wants_client = true,
     .outcome = HTTP_LOST},
};

static void try_own_trust(const struct own_trust *trust)
{
    static const struct http_options options = {.ca_file = ca_file};
    struct tls_behaviour behaviour = {GOOD, .reply = OK_REPLY};
    struct identity identity = issue(trust->issuer, "server", behaviour.alternative, 3600);
    struct identity client = issue(&stranger, "client", NULL, 3600);
    struct fixture *fixture = fixture_new(&options);
    struct http_request request;
    struct server *server;
    struct result result;

    behaviour.context = tls_context(&identity, 0);
    if (trust->wants_client) {
        SSL_CTX_set_verify(behaviour.context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
        (void)X509_STORE_add_cert(SSL_CTX_get_cert_store(behaviour.context), stranger.certificate);
    }
    server = server_start(serve_tls, &behaviour);
    request = request_to("POST", false, "127.0.0.1", server->port);
    if (trust->authority)
        append_certificate(trust->authority, &request.tls.authorities);
    if (trust->pinned || trust->pinned_to_other)
        write_pin(trust->pinned ? &identity : &stranger, request.tls.pin);
    if (trust->sends_client) {
        append_certificate(&client, &request.tls.certificate);
        append_private_key(&client, &request.tls.private_key);
    }
    result = run(fixture, request);
    expect_outcome(trust->name, &result, trust->outcome);
    assert_int_equal(server->requests, trust->outcome == HTTP_ANSWERED ? 1 : 0);
    fixture_free(fixture);
    server_stop(server);
    SSL_CTX_free(behaviour.context);
    identity_done(&identity);
    identity_done(&client);
}

static void test_trust_of_one_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(own_trusts) / sizeof(own_trusts[0]); i++)
        try_own_trust(&own_trusts[i]);
}

/* In a process of its own, because the first use of OpenSSL cannot be undone. */
static bool is_said_where_openssl_was_in_use(void)
{
    struct err err;
    uint8_t digest[SHA256_LENGTH];
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(crypto_sha256("abc", 3, digest) == 0 && http_global_init(&err) == 0 &&
                      http_global_gap()
                  ? 0
                  : 1);
    return waitpid(pid, &status, 0) == pid && status == 0;
}

static int init(void **state)
{
    struct err err;
    const int descriptor = mkstemp(ca_file);
    FILE *file = fdopen(descriptor, "w");

    (void)state;
    if (!is_said_where_openssl_was_in_use())
        return -1;
    if (http_global_init(&err) != 0 || http_global_gap()) /* before anything else uses OpenSSL */
        return -1;
    authority = issue(NULL, "Test CA", NULL, 3600);
    stranger = issue(NULL, "Stranger", NULL, 3600);
    return file && PEM_write_X509(file, authority.certificate) == 1 && fclose(file) == 0 ? 0 : -1;
}

static int done(void **state)
{
    (void)state;
    (void)unlink(ca_file);
    identity_done(&authority);
    identity_done(&stranger);
    http_global_done();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_behaviours),
        cmocka_unit_test(test_connections_are_kept),
        cmocka_unit_test(test_trust_of_one_request),
    };

    return cmocka_run_group_tests(tests, init, done);
}

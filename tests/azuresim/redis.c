#include "redis.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"
#include "operations.h"
#include "resp.h"

#define LISTEN_BACKLOG 1024
#define DELAY_MS       1000
#define IDLE_MS        300000
#define HANDSHAKE_S    10

struct redis {
    struct sim *sim;
    SSL_CTX *context;
    int listen_fd;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    size_t connection_count; /* whose threads run */
};

struct connection {
    struct redis *redis;
    int fd;
    SSL *ssl;
    const char *account; /* the first label of the host that the client asked for; "": none */
    char *account_text;
    bool is_known; /* who it is */
    bool is_over;
};

/* --- keys --- */

static bool is_cache(const struct account *account)
{
    return strcmp(account->type->word, "redis") == 0 ||
           strcmp(account->type->word, "redis_enterprise") == 0;
}

static bool has_key(const struct sim *sim, const struct account *account, const char *key)
{
    int64_t at = clock_wall_us() - operations_propagation_ms(sim, account) * CLOCK_US_PER_MS;

    for (size_t slot = 0; slot < TYPE_PAIR; slot++) {
        if (strcmp(account_key_at(account, slot, at), key) == 0)
            return true;
    }
    return false;
}

/* The cache that KEY opens, or NULL; counts the probe. */
static struct account *open_with(struct connection *connection, const char *key)
{
    struct sim *sim = connection->redis->sim;
    struct lh_entry *entry;

    for (entry = world_first(sim->world); entry; entry = lh_entry_next(entry)) {
        struct account *account = lh_entry_v(entry);

        if (!is_cache(account) || strcasecmp(account->names[0], connection->account) != 0 ||
            !account_allows_shared_key(account) || !has_key(sim, account, key))
            continue;
        account->probe_count++;
        return account;
    }
    return NULL;
}

/* --- the protocol --- */

static void say(struct connection *connection, const char *text)
{
    if (SSL_write(connection->ssl, text, (int)strlen(text)) <= 0)
        connection->is_over = true;
}

/* Carries out AUTH with KEY and writes it down. */
static void authenticate(struct connection *connection, const char *key)
{
    struct sim *sim = connection->redis->sim;
    struct json_object *event;

    pthread_mutex_lock(&sim->lock);
    operations_settle(sim);
    connection->is_known = !!open_with(connection, key);
    event = truth_event("request");
    json_add_text(event, "face", "data");
    json_add_text(event, "op", "probe");
    json_add_text(event, "method", "AUTH");
    json_add_text(event, "account", connection->account);
    json_object_object_add(event, "status", json_object_new_int(connection->is_known ? 200 : 401));
    truth_write(sim->truth, event);
    pthread_mutex_unlock(&sim->lock);
    say(connection, connection->is_known
                        ? "+OK\r\n"
                        : "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
}

static void wait_for_stop(const struct connection *connection, int64_t ms)
{
    struct pollfd fds[] = {{.fd = connection->redis->sim->stop_fd, .events = POLLIN},
                           {.fd = connection->fd, .events = POLLRDHUP}};

    poll(fds, 2, ms > INT32_MAX ? INT32_MAX : (int)ms);
}

/* The fault rules as far as they make sense here. Returns false where the command is not to be
 * carried out. */
static bool pass_faults(struct connection *connection)
{
    struct sim *sim = connection->redis->sim;
    struct http_request request = {
        .face = FACE_DATA, .op = "probe", .account = connection->account};
    struct fault fault;
    bool passes = true;

    pthread_mutex_lock(&sim->lock);
    faults_pick(sim->faults, &request, &sim->settings, &fault);
    pthread_mutex_unlock(&sim->lock);
    switch (fault.kind) {
    case FAULT_NONE:
        break;
    case FAULT_DELAY:
        wait_for_stop(connection, fault.delay_ms >= 0 ? fault.delay_ms : DELAY_MS);
        break;
    case FAULT_HANG:
    case FAULT_HANG_AFTER:
        wait_for_stop(connection, fault.delay_ms >= 0 ? fault.delay_ms : INT32_MAX);
        connection->is_over = true;
        passes = false;
        break;
    case FAULT_STATUS:
        say(connection, "-ERR ");
        say(connection, !fault.message ? "a fault that was asked for" : fault.message);
        say(connection, "\r\n");
        passes = false;
        break;
    case FAULT_GARBAGE:
        say(connection, "HTTP/1.1 400 Bad Request\r\n\r\n");
        passes = false;
        break;
    default:
        connection->is_over = true;
        passes = false;
        break;
    }
    fault_done(&fault);
    return passes;
}

static void carry_out(struct connection *connection, const struct resp_command *command)
{
    const char *name = command->words[0];
    size_t last = command->count - 1;

    if (strcasecmp(name, "AUTH") == 0 && (command->count == 2 || command->count == 3)) {
        if (pass_faults(connection))
            authenticate(connection, command->words[last]);
    } else if (strcasecmp(name, "QUIT") == 0) {
        say(connection, "+OK\r\n");
        connection->is_over = true;
    } else if (!connection->is_known) {
        say(connection, "-NOAUTH Authentication required.\r\n");
    } else if (strcasecmp(name, "PING") == 0) {
        say(connection, "+PONG\r\n");
    } else {
        say(connection, "-ERR unknown command\r\n");
    }
}

/* Returns false where the simulator stops first, or nothing comes for long. */
static bool wait_for_bytes(const struct connection *connection)
{
    struct pollfd fds[] = {{.fd = connection->redis->sim->stop_fd, .events = POLLIN},
                           {.fd = connection->fd, .events = POLLIN}};

    return poll(fds, 2, IDLE_MS) > 0 && fds[0].revents == 0;
}

static void serve(struct connection *connection)
{
    char buffer[RESP_MAX_LENGTH];
    size_t length = 0;

    while (!connection->is_over) {
        struct resp_command command;
        enum resp_state state = resp_parse(buffer, length, &command);
        int got;

        if (state == RESP_WRONG) {
            say(connection, "-ERR Protocol error\r\n");
            return;
        }
        if (state == RESP_WHOLE) {
            length -= command.length;
            if (command.count > 0)
                carry_out(connection, &command);
            memmove(buffer, buffer + command.length, length);
            resp_done(&command);
            continue;
        }
        if (SSL_pending(connection->ssl) == 0 && !wait_for_bytes(connection))
            return;
        got = SSL_read(connection->ssl, buffer + length, (int)(sizeof(buffer) - length));
        if (got <= 0)
            return;
        length += (size_t)got;
    }
}

/* --- connections --- */

static void take_name(struct connection *connection)
{
    const char *host = SSL_get_servername(connection->ssl, TLSEXT_NAMETYPE_host_name);

    connection->account_text = memory_text_n(!host ? "" : host, !host ? 0 : strcspn(host, "."));
    connection->account = connection->account_text;
}

static void *run_connection(void *argument)
{
    struct connection *connection = argument;
    struct redis *redis = connection->redis;

    connection->ssl = SSL_new(redis->context);
    if (connection->ssl && SSL_set_fd(connection->ssl, connection->fd) == 1 &&
        wait_for_bytes(connection) && SSL_accept(connection->ssl) == 1) {
        take_name(connection);
        serve(connection);
        SSL_shutdown(connection->ssl);
    }
    ERR_clear_error();
    SSL_free(connection->ssl);
    close(connection->fd);
    free(connection->account_text);
    free(connection);
    pthread_mutex_lock(&redis->lock);
    redis->connection_count--;
    pthread_cond_signal(&redis->idle);
    pthread_mutex_unlock(&redis->lock);
    return NULL;
}

static void start_connection(struct redis *redis, int fd)
{
    struct connection *connection = memory_zeroed(1, sizeof(*connection));
    pthread_attr_t attributes;
    pthread_t thread;

    *connection = (struct connection){.redis = redis, .fd = fd};
    pthread_mutex_lock(&redis->lock);
    redis->connection_count++;
    pthread_mutex_unlock(&redis->lock);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, run_connection, connection) != 0)
        abort();
    pthread_attr_destroy(&attributes);
}

static void *run_listener(void *argument)
{
    struct redis *redis = argument;
    struct pollfd fds[] = {{.fd = redis->sim->stop_fd, .events = POLLIN},
                           {.fd = redis->listen_fd, .events = POLLIN}};

    while (fds[0].revents == 0) {
        struct timeval limit = {.tv_sec = HANDSHAKE_S};
        int fd;

        if (poll(fds, 2, -1) < 0 || fds[1].revents == 0)
            continue;
        fd = accept4(redis->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        start_connection(redis, fd);
    }
    return NULL;
}

/* A context with the server's certificate, or NULL. */
static SSL_CTX *make_context(const struct tls_identity *identity)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    BIO *certificate_text = BIO_new_mem_buf(identity->server_pem, -1);
    BIO *key_text = BIO_new_mem_buf(identity->key_pem, -1);
    X509 *certificate = PEM_read_bio_X509(certificate_text, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(key_text, NULL, NULL, NULL);
    bool usable = context && certificate && key &&
                  SSL_CTX_use_certificate(context, certificate) == 1 &&
                  SSL_CTX_use_PrivateKey(context, key) == 1;

    BIO_free(certificate_text);
    BIO_free(key_text);
    X509_free(certificate);
    EVP_PKEY_free(key);
    if (usable)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* A socket on a port of loopback that the kernel chooses, or -1. */
static int listen_anywhere(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(fd, LISTEN_BACKLOG) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &length) == 0) {
        *ret_port = ntohs(address.sin_port);
        return fd;
    }
    close(fd);
    return -1;
}

struct redis *redis_new(struct sim *sim, const struct tls_identity *identity)
{
    struct redis *redis = memory_zeroed(1, sizeof(*redis));

    redis->sim = sim;
    pthread_mutex_init(&redis->lock, NULL);
    pthread_cond_init(&redis->idle, NULL);
    redis->context = make_context(identity);
    redis->listen_fd = !redis->context ? -1 : listen_anywhere(&sim->redis_port);
    if (redis->listen_fd >= 0 && pthread_create(&redis->thread, NULL, run_listener, redis) == 0)
        return redis;
    fprintf(stderr, "azuresim: cannot listen for Redis: %s\n", strerror(errno));
    if (redis->listen_fd >= 0)
        close(redis->listen_fd);
    SSL_CTX_free(redis->context);
    free(redis);
    return NULL;
}

void redis_free(struct redis *redis)
{
    if (!redis)
        return;
    pthread_join(redis->thread, NULL);
    pthread_mutex_lock(&redis->lock);
    while (redis->connection_count > 0)
        pthread_cond_wait(&redis->idle, &redis->lock);
    pthread_mutex_unlock(&redis->lock);
    close(redis->listen_fd);
    SSL_CTX_free(redis->context);
    pthread_cond_destroy(&redis->idle);
    pthread_mutex_destroy(&redis->lock);
    free(redis);
}

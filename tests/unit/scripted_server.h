/*
 * A server for tests that does exactly what a test says: answer, stall, cut off, reset, count.
 *
 * It listens on a loopback port. Each connection gets a thread, which runs the test's script on the
 * bare socket. The script reads requests with server_read_request() and ends when that returns
 * false or when it has done enough; the socket is closed for it.
 */
#ifndef KEYROTATED_TESTS_SCRIPTED_SERVER_H
#define KEYROTATED_TESTS_SCRIPTED_SERVER_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SERVER_CONNECTIONS_MAX = 64, SERVER_REQUEST_MAX = 64 * 1024 };

struct server;
typedef void server_script(struct server *server, int connection);

struct server {
    int listener;
    int port;
    server_script *script;
    const void *context;
    pthread_t acceptor;
    pthread_t threads[SERVER_CONNECTIONS_MAX];
    int sockets[SERVER_CONNECTIONS_MAX];
    _Atomic int connections; /* accepted so far */
    _Atomic int requests;    /* read so far */
    _Atomic int hangups;     /* connections that the client ended */
    _Atomic bool stopping;
    pthread_mutex_t lock;
    char last_request[SERVER_REQUEST_MAX]; /* valid once its reply has arrived */
};

struct server_connection {
    struct server *server;
    int index;
};

static inline void server_send(int connection, const char *text)
{
    (void)!send(connection, text, strlen(text), MSG_NOSIGNAL);
}

/* Makes the coming close() send a reset. */
static inline void server_reset(int connection)
{
    const struct linger linger = {.l_onoff = 1};

    (void)setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Waits until the client ends the connection (or the server is stopped). */
static inline void server_await_hangup(int connection)
{
    char byte;

    while (recv(connection, &byte, 1, 0) > 0)
        continue;
}

static inline size_t server_body_length(const char *head)
{
    for (const char *line = head; line; line = strstr(line, "\r\n")) {
        line += line == head ? 0 : 2;
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            return strtoul(line + 15, NULL, 10);
    }
    return 0;
}

/* Reads the head of a request, and its body if `with_body`. False at the end of the connection. */
static inline bool server_read(struct server *server, int connection, bool with_body)
{
    char *request = calloc(1, SERVER_REQUEST_MAX);
    size_t length = 0;
    size_t expected = SERVER_REQUEST_MAX - 1; /* until the head is there */
    bool has_head = false;

    while (length < expected && recv(connection, request + length, 1, 0) == 1) {
        length++;
        if (!has_head && length >= 4 && strcmp(request + length - 4, "\r\n\r\n") == 0) {
            has_head = true;
            expected = length + (with_body ? server_body_length(request) : 0);
        }
    }
    if (length == expected) {
        pthread_mutex_lock(&server->lock);
        memcpy(server->last_request, request, length + 1);
        pthread_mutex_unlock(&server->lock);
        server->requests++;
    } else if (length == 0) {
        server->hangups++;
    }
    free(request);
    return length == expected;
}

static inline bool server_read_request(struct server *server, int connection)
{
    return server_read(server, connection, true);
}

static inline void *server_run_connection(void *argument)
{
    struct server_connection *connection = argument;
    struct server *server = connection->server;
    const int socket = server->sockets[connection->index];

    server->script(server, socket);
    pthread_mutex_lock(&server->lock);
    server->sockets[connection->index] = -1;
    close(socket);
    pthread_mutex_unlock(&server->lock);
    free(connection);
    return NULL;
}

static inline void *server_accept(void *argument)
{
    struct server *server = argument;

    while (!server->stopping && server->connections < SERVER_CONNECTIONS_MAX) {
        const int accepted = accept(server->listener, NULL, NULL);
        struct server_connection *connection;

        if (accepted < 0)
            break;
        connection = malloc(sizeof(*connection));
        connection->server = server;
        connection->index = server->connections++;
        server->sockets[connection->index] = accepted;
        pthread_create(&server->threads[connection->index], NULL, server_run_connection,
                       connection);
    }
    return NULL;
}

static inline struct server *server_start(server_script *script, const void *context)
{
    struct server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->script = script;
    server->context = context;
    pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(server->listener, SERVER_CONNECTIONS_MAX) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0)
        abort();
    server->port = ntohs(address.sin_port);
    pthread_create(&server->acceptor, NULL, server_accept, server);
    return server;
}

/* Ends every connection and waits for the threads. */
static inline void server_stop(struct server *server)
{
    server->stopping = true;
    (void)shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    for (int i = 0; i < server->connections; i++) {
        pthread_mutex_lock(&server->lock);
        if (server->sockets[i] >= 0)
            (void)shutdown(server->sockets[i], SHUT_RDWR);
        pthread_mutex_unlock(&server->lock);
        pthread_join(server->threads[i], NULL);
    }
    close(server->listener);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

#endif

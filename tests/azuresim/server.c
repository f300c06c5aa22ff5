#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "arm.h"
#include "batch_data.h"
#include "clock.h"
#include "cloud.h"
#include "control.h"
#include "data_plane.h"
#include "entra.h"
#include "faulty.h"
#include "imds.h"
#include "keyvault.h"
#include "memory.h"
#include "operations.h"
#include "redis.h"
#include "wire.h"

#define MAX_CONNECTIONS   2000
#define IDLE_TIMEOUT_S    300
#define CONNECTION_MEMORY (64 * 1024)
#define LISTEN_BACKLOG    1024
#define THREAD_STACK_SIZE (512 * 1024)

struct listener {
    struct sim *sim;
    struct MHD_Daemon *daemon;
    bool imds;
};

struct server {
    struct listener https;
    struct listener imds;
    struct redis *redis;
};

/* Each connection keeps its present request in its socket context: the library does not report the
 * end of a request that failed before its headers were complete, so it is freed from there. */
static void note_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct http_request **current = *socket_context;

    (void)cls;
    (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = memory_zeroed(1, sizeof(*current));
        return;
    }
    if (current)
        http_request_free(*current);
    free(current);
    *socket_context = NULL;
}

static struct http_request **current_request(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* The request line comes here before the library decodes it. */
static void *start_request(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct http_request **current = current_request(connection);

    (void)cls;
    http_request_free(*current);
    *current = http_request_new(target);
    return *current;
}

static void end_request(void *cls, struct MHD_Connection *connection, void **request_cls,
                        enum MHD_RequestTerminationCode code)
{
    struct http_request **current = current_request(connection);

    (void)cls;
    (void)code;
    http_request_free(*current);
    *current = NULL;
    *request_cls = NULL;
}

static enum MHD_Result copy_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct http_request *request = cls;

    (void)kind;
    http_fields_add(&request->headers, name, !value ? "" : value);
    return MHD_YES;
}

/* Sets the account where only the world knows it. */
static void name_account(struct sim *sim, struct http_request *request)
{
    bool is_poll = strcmp(request->op, "poll") == 0;

    if (!is_poll && request->face != FACE_DATA)
        return;
    pthread_mutex_lock(&sim->lock);
    if (is_poll) {
        request->own_text = memory_text(operations_account(sim, request->item));
        request->account = request->own_text;
    } else {
        data_plane_name_account(sim, request);
    }
    pthread_mutex_unlock(&sim->lock);
}

static void identify(const struct listener *listener, struct http_request *request)
{
    static const struct {
        enum http_face face;
        bool (*identify)(struct http_request *);
    } faces[] = {
        {FACE_CONTROL, control_identify}, {FACE_BATCH, batch_identify},
        {FACE_DATA, data_plane_identify}, {FACE_KEYVAULT, keyvault_identify},
        {FACE_ENTRA, entra_identify},     {FACE_METADATA, cloud_metadata_identify},
        {FACE_ARM, arm_identify},
    };

    if (listener->imds) {
        imds_identify(request);
        request->face = FACE_IMDS;
        return;
    }
    for (size_t i = 0; i < sizeof(faces) / sizeof(faces[0]); i++) {
        if (faces[i].identify(request)) {
            request->face = faces[i].face;
            name_account(listener->sim, request);
            return;
        }
    }
}

static enum MHD_Result handle_control(struct sim *sim, struct MHD_Connection *connection,
                                      const struct http_request *request)
{
    enum MHD_Result result;
    struct http_reply reply;

    http_reply_init(&reply);
    pthread_mutex_lock(&sim->lock);
    control_handle(sim, request, &reply);
    pthread_mutex_unlock(&sim->lock);
    result = wire_send(connection, &reply);
    http_reply_done(&reply);
    return result;
}

/* Called with the request line and headers, with each piece of the body, and once more. */
static enum MHD_Result handle_access(void *cls, struct MHD_Connection *connection, const char *url,
                                     const char *method, const char *version, const char *upload,
                                     size_t *upload_size, void **request_cls)
{
    struct listener *listener = cls;
    struct http_request *request = *request_cls;

    (void)url;
    (void)version;
    if (!request->method) {
        request->method = memory_text(method);
        MHD_get_connection_values(connection, MHD_HEADER_KIND, copy_header, request);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        http_request_append_body(request, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    identify(listener, request);
    if (request->face == FACE_CONTROL)
        return handle_control(listener->sim, connection, request);
    return faulty_handle(listener->sim, connection, request);
}

static uint16_t port_of(struct MHD_Daemon *daemon)
{
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static bool listener_start(struct listener *listener, struct sim *sim, uint16_t port,
                           const struct tls_identity *identity)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_OptionItem tls_options[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, !identity ? NULL : identity->key_pem},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, !identity ? NULL : identity->server_pem},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem no_options[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                         MHD_USE_POLL | MHD_USE_ITC | MHD_USE_SUPPRESS_DATE_NO_CLOCK;

    *listener = (struct listener){.sim = sim, .imds = !identity};
    if (identity)
        flags |= MHD_USE_TLS;
    listener->daemon = MHD_start_daemon(
        flags, port, NULL, NULL, handle_access, listener, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_NOTIFY_CONNECTION, note_connection, NULL, MHD_OPTION_URI_LOG_CALLBACK,
        start_request, NULL, MHD_OPTION_NOTIFY_COMPLETED, end_request, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK_SIZE, MHD_OPTION_LISTEN_BACKLOG_SIZE,
        (unsigned int)LISTEN_BACKLOG, MHD_OPTION_ARRAY, !identity ? no_options : tls_options,
        MHD_OPTION_END);
    if (!listener->daemon)
        fprintf(stderr, "azuresim: cannot listen on 127.0.0.1:%u: %s\n", port, strerror(errno));
    return !!listener->daemon;
}

/* The usual soft limit of 1024 descriptors is less than MAX_CONNECTIONS need. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

struct server *server_new(struct sim *sim, const struct tls_identity *identity)
{
    struct server *server = memory_zeroed(1, sizeof(*server));
    bool listening = false;

    raise_descriptor_limit();
    /* Requests wait until the ports are known: answers name them. */
    pthread_mutex_lock(&sim->lock);
    if (listener_start(&server->https, sim, sim->options.port, identity) &&
        listener_start(&server->imds, sim, sim->options.imds_port, NULL)) {
        sim->port = port_of(server->https.daemon);
        sim->imds_port = port_of(server->imds.daemon);
        server->redis = redis_new(sim, identity);
        listening = !!server->redis;
    }
    pthread_mutex_unlock(&sim->lock);
    if (listening)
        return server;
    server_free(server);
    return NULL;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    if (server->https.daemon)
        MHD_stop_daemon(server->https.daemon);
    if (server->imds.daemon)
        MHD_stop_daemon(server->imds.daemon);
    redis_free(server->redis);
    free(server);
}

#include "io/target/kubernetes_access.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "conf/kubeconfig.h"
#include "proto/failure.h"

/* Where a pod finds its service account. (kubernetes.io: "Accessing the Kubernetes API from a
 * Pod") */
#define ACCOUNT_DIRECTORY "/var/run/secrets/kubernetes.io/serviceaccount"

/* For taking one target's access. */
struct access_reader {
    struct kubernetes_reach *reach;
    const struct target_reading *reading;
    struct failure *failure;
};

static bool fail_so(const struct access_reader *reader, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail_so(const struct access_reader *reader, const char *remedy, const char *format, ...)
{
    char text[2 * FAILURE_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    failure_set(reader->failure, REASON_TARGET_FAILED, "%s", text);
    failure_set_remedy(reader->failure, "%s", remedy);
    return false;
}

/* What the credential is made of is wrong, or all of it. */
#define fail(reader, ...) fail_so(reader, (reader)->reach->credential_remedy, __VA_ARGS__)

/* --- files --- */

static void add(struct kubernetes_reach *reach, struct target_reading *reading,
                enum kubernetes_file kind, const struct secret_file *file, size_t maximum)
{
    reach->files[target_reading_add(reading, file, maximum)] = kind;
    reach->file_count++;
}

/* `configured`: it is the configuration that names the file. */
static void add_token(struct kubernetes_reach *reach, struct target_reading *reading,
                      const char *key, const char *path, bool configured)
{
    const struct secret_file file = {
        .key = key, .path = path, .reason = REASON_TARGET_DENIED, .stays = !configured};

    add(reach, reading, KUBERNETES_FILE_TOKEN, &file, SECRET_FILE_MAX);
}

static void add_other(struct kubernetes_reach *reach, struct target_reading *reading,
                      enum kubernetes_file kind, const char *key, const char *path, bool configured)
{
    const struct secret_file file = {
        .key = key, .path = path, .reason = REASON_TARGET_FAILED, .stays = !configured};

    add(reach, reading, kind, &file,
        kind == KUBERNETES_FILE_KUBECONFIG ? KUBECONFIG_MAX : HTTP_PEM_MAX);
}

/* libcurl and OpenSSL tell what is wrong with it only in their own words; an encrypted key would
 * make them ask for its password. */
static bool check_pem(const struct access_reader *reader, const char *remedy, const char *key,
                      const struct buf *pem, const char *block)
{
    const char *problem = NULL;

    if (pem->length == 0)
        return true;
    if (memchr(pem->data, '\0', pem->length) || !strstr(buf_str(pem), block))
        problem = "it holds no PEM text of that kind";
    else if (strstr(buf_str(pem), "ENCRYPTED"))
        problem = "it is encrypted; give it without a password, readable for the daemon alone";
    return !problem || fail_so(reader, remedy, "%s cannot be used: %s", key, problem);
}

static bool check_all_pem(const struct access_reader *reader)
{
    const struct http_tls *tls = &reader->reach->tls;
    const char *remedy = reader->reach->credential_remedy;

    return check_pem(reader, reader->reach->server_remedy, "the file of certificate authorities",
                     &tls->authorities, "-----BEGIN CERTIFICATE-----") &&
           check_pem(reader, remedy, "the client certificate", &tls->certificate,
                     "-----BEGIN CERTIFICATE-----") &&
           check_pem(reader, remedy, "the key of the client certificate", &tls->private_key,
                     "PRIVATE KEY-----");
}

/* --- as a pod --- */

static bool begin_pod(const struct access_reader *reader, struct target_reading *reading)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    struct kubernetes_reach *reach = reader->reach;

    (void)str_copy(reach->credential_remedy, sizeof(reach->credential_remedy),
                   "see that the pod has a service account with a token "
                   "(automountServiceAccountToken), or give `kubeconfig`, or `server`");
    (void)str_copy(reach->server_remedy, sizeof(reach->server_remedy),
                   "see KUBERNETES_SERVICE_HOST and the service account of the pod");
    if (!host || !port || host[0] == '\0' || port[0] == '\0')
        return fail(reader,
                    "this is no pod of Kubernetes: KUBERNETES_SERVICE_HOST and "
                    "KUBERNETES_SERVICE_PORT are not set");
    reach->direct = true;
    reach->url = must(strchr(host, ':') ? str_format("https://[%s]:%s", host, port)
                                        : str_format("https://%s:%s", host, port));
    add_token(reach, reading, "the service account's token", ACCOUNT_DIRECTORY "/token", false);
    add_other(reach, reading, KUBERNETES_FILE_AUTHORITIES,
              "the service account's certificate authority", ACCOUNT_DIRECTORY "/ca.crt", false);
    return true;
}

/* --- by `server` --- */

static void begin_server(struct kubernetes_reach *reach, const struct kubernetes_cluster *cluster,
                         struct target_reading *reading)
{
    (void)snprintf(reach->credential_remedy, sizeof(reach->credential_remedy),
                   "write a valid token to token_file %s",
                   cluster->token_file ? cluster->token_file : "of the target");
    (void)str_copy(reach->server_remedy, sizeof(reach->server_remedy),
                   "correct `server` and `ca_file` of the target");
    reach->url = must_dup(cluster->server);
    if (cluster->token_file)
        add_token(reach, reading, "token_file", cluster->token_file, true);
    if (cluster->ca_file)
        add_other(reach, reading, KUBERNETES_FILE_AUTHORITIES, "ca_file", cluster->ca_file, true);
}

/* --- by a kubeconfig --- */

static void take_pem(const struct access_reader *reader, struct target_reading *more,
                     enum kubernetes_file kind, const char *key, struct kubeconfig_pem *pem,
                     struct buf *out)
{
    if (pem->file) {
        add_other(reader->reach, more, kind, key, pem->file, false);
        return;
    }
    buf_done(out);
    *out = pem->text;
    pem->text = (struct buf){0};
}

static bool take_kubeconfig(const struct access_reader *reader, struct kubeconfig *kubeconfig,
                            struct target_reading *more)
{
    struct kubernetes_reach *reach = reader->reach;

    reach->url = kubeconfig->server;
    kubeconfig->server = NULL;
    reach->token = kubeconfig->token;
    kubeconfig->token = NULL;
    if (kubeconfig->server_name &&
        !str_copy(reach->tls.server_name, sizeof(reach->tls.server_name), kubeconfig->server_name))
        return fail(reader, "tls-server-name of the kubeconfig is too long");
    if (kubeconfig->token_file)
        add_token(reach, more, "tokenFile", kubeconfig->token_file, false);
    take_pem(reader, more, KUBERNETES_FILE_AUTHORITIES, "certificate-authority",
             &kubeconfig->authorities, &reach->tls.authorities);
    take_pem(reader, more, KUBERNETES_FILE_CERTIFICATE, "client-certificate",
             &kubeconfig->certificate, &reach->tls.certificate);
    take_pem(reader, more, KUBERNETES_FILE_PRIVATE_KEY, "client-key", &kubeconfig->private_key,
             &reach->tls.private_key);
    return true;
}

static bool parse_kubeconfig(const struct access_reader *reader, const char *context,
                             const struct buf *text, struct target_reading *more)
{
    struct kubernetes_reach *reach = reader->reach;
    const char *path = target_reading_path(reader->reading, 0);
    struct kubeconfig kubeconfig;
    struct err err = {.code = 0};
    int rc = kubeconfig_read(&kubeconfig, path, buf_str(text), text->length, context, &err);
    bool ok = false;

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc != 0) {
        (void)snprintf(reach->credential_remedy, sizeof(reach->credential_remedy),
                       "correct the kubeconfig %s; it is read again by itself", path);
        (void)fail(reader, "%s", err.text);
    } else {
        (void)snprintf(reach->credential_remedy, sizeof(reach->credential_remedy),
                       "renew the credential of user %s in the kubeconfig %s", kubeconfig.user,
                       path);
        (void)snprintf(reach->server_remedy, sizeof(reach->server_remedy),
                       "correct the cluster of context %s in the kubeconfig %s", kubeconfig.context,
                       path);
        ok = take_kubeconfig(reader, &kubeconfig, more);
    }
    kubeconfig_done(&kubeconfig);
    return ok;
}

static void begin_kubeconfig(struct kubernetes_reach *reach,
                             const struct kubernetes_cluster *cluster,
                             struct target_reading *reading)
{
    add_other(reach, reading, KUBERNETES_FILE_KUBECONFIG, "kubeconfig", cluster->kubeconfig, true);
    (void)snprintf(reach->credential_remedy, sizeof(reach->credential_remedy),
                   "put the kubeconfig at %s, readable for the daemon (systemd: LoadCredential=)",
                   target_reading_path(reading, 0));
}

/* --- for all --- */

static bool take_token(const struct access_reader *reader, size_t i)
{
    struct kubernetes_reach *reach = reader->reach;

    reach->token = target_reading_secret(reader->reading, i, reader->failure);
    if (!reach->token && reach->direct)
        failure_set_remedy(reader->failure, "%s", reach->credential_remedy);
    return !!reach->token;
}

/* An empty file of authorities would count as none, and let each authority of the system sign. */
static bool take_bytes(const struct access_reader *reader, size_t i, const char *remedy,
                       struct buf *out)
{
    const struct buf *bytes = target_reading_bytes(reader->reading, i, remedy, reader->failure);

    if (bytes && bytes->length == 0)
        return fail_so(reader, remedy, "%s cannot be used: it is empty",
                       target_reading_path(reader->reading, i));
    if (bytes && buf_append(out, bytes->data, bytes->length) != 0)
        fault_out_of_memory(); /* it is no longer than the buffer may become */
    return !!bytes;
}

static bool take_authorities(const struct access_reader *reader, size_t i)
{
    struct kubernetes_reach *reach = reader->reach;
    char remedy[2 * KUBERNETES_REMEDY_MAX];

    if (reach->direct) /* Kubernetes writes the file */
        return take_bytes(reader, i, reach->server_remedy, &reach->tls.authorities);
    (void)snprintf(remedy, sizeof(remedy),
                   "write the PEM certificates of the authorities that sign the API server's to "
                   "%s, readable for the daemon, or %s",
                   target_reading_path(reader->reading, i), reach->server_remedy);
    return take_bytes(reader, i, remedy, &reach->tls.authorities);
}

static bool take_file(const struct access_reader *reader, size_t i, enum kubernetes_file kind,
                      const char *context, struct target_reading *more)
{
    struct http_tls *tls = &reader->reach->tls;
    const struct buf *text;

    switch (kind) {
    case KUBERNETES_FILE_TOKEN:
        return take_token(reader, i);
    case KUBERNETES_FILE_AUTHORITIES:
        return take_authorities(reader, i);
    case KUBERNETES_FILE_CERTIFICATE:
        return take_bytes(reader, i, reader->reach->credential_remedy, &tls->certificate);
    case KUBERNETES_FILE_PRIVATE_KEY:
        return take_bytes(reader, i, reader->reach->credential_remedy, &tls->private_key);
    case KUBERNETES_FILE_KUBECONFIG:
        break;
    }
    text =
        target_reading_bytes(reader->reading, i, reader->reach->credential_remedy, reader->failure);
    return text && parse_kubeconfig(reader, context, text, more);
}

bool kubernetes_reach_begin(struct kubernetes_reach *reach,
                            const struct kubernetes_cluster *cluster,
                            struct target_reading *reading, struct failure *failure)
{
    const struct access_reader reader = {.reach = reach, .failure = failure};

    *reach = (struct kubernetes_reach){.url = NULL};
    buf_init(&reach->tls.authorities, HTTP_PEM_MAX);
    buf_init(&reach->tls.certificate, HTTP_PEM_MAX);
    buf_init(&reach->tls.private_key, HTTP_PEM_MAX);
    if (cluster->kubeconfig)
        begin_kubeconfig(reach, cluster, reading);
    else if (cluster->server)
        begin_server(reach, cluster, reading);
    else
        return begin_pod(&reader, reading);
    return true;
}

enum kubernetes_reached kubernetes_reach_take(struct kubernetes_reach *reach,
                                              const struct kubernetes_cluster *cluster,
                                              const struct target_reading *reading,
                                              struct target_reading *more, struct failure *failure)
{
    const struct access_reader reader = {.reach = reach, .reading = reading, .failure = failure};
    enum kubernetes_file files[TARGET_READING_MAX];
    const size_t count = reach->file_count;

    memcpy(files, reach->files, sizeof(files));
    reach->file_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!take_file(&reader, i, files[i], cluster->context, more))
            return KUBERNETES_UNREACHABLE;
    }
    if (reach->file_count > 0)
        return KUBERNETES_NEEDS_MORE;
    return check_all_pem(&reader) ? KUBERNETES_REACHABLE : KUBERNETES_UNREACHABLE;
}

void kubernetes_reach_done(struct kubernetes_reach *reach)
{
    free(reach->url);
    secret_free(reach->token);
    buf_done(&reach->tls.authorities);
    buf_done(&reach->tls.certificate);
    buf_done(&reach->tls.private_key);
    *reach = (struct kubernetes_reach){.url = NULL};
}

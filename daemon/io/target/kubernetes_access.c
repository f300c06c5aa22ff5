#include "io/target/kubernetes_access.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/must.h"
#include "base/str.h"
#include "conf/kubeconfig.h"
#include "io/access/secret_file.h"
#include "proto/failure.h"

/* Where a pod finds its service account. (kubernetes.io: "Accessing the Kubernetes API from a
 * Pod") */
#define ACCOUNT_DIRECTORY "/var/run/secrets/kubernetes.io/serviceaccount"

/* For reading one target's access. */
struct access_reader {
    struct kubernetes_reach *reach;
    const char *credentials_directory;
    struct failure *failure;
};

static bool fail(const struct access_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(const struct access_reader *reader, const char *format, ...)
{
    char text[2 * FAILURE_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    failure_init(reader->failure, REASON_TARGET_FAILED);
    failure_set_text(reader->failure, "%s", text);
    failure_set_remedy(reader->failure, "%s", reader->reach->credential_remedy);
    return false;
}

/* --- files --- */

/* Fresh memory; NULL where a relative path has no directory, which has been reported. */
static char *full_path(const struct access_reader *reader, const char *key, const char *path)
{
    const struct secret_file file = {.key = key, .path = path, .reason = REASON_TARGET_FAILED};

    return secret_file_path(&file, reader->credentials_directory, reader->failure);
}

/* Appends the file to `out`. `configured`: what the configuration says for `path`; NULL where the
 * path stands elsewhere. */
static bool read_file(const struct access_reader *reader, const char *key, const char *configured,
                      const char *path, struct buf *out)
{
    const struct secret_file file = {
        .key = key, .path = configured ? configured : path, .stays = !configured};
    struct err err = {.code = 0};
    int rc = fs_read(path, out, &err);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0)
        return true;
    (void)fail(reader, "%s %s cannot be used: %s", key, path, err.text);
    (void)secret_file_set_remedy(&file, path, rc, reader->failure);
    return false;
}

/* libcurl and OpenSSL tell what is wrong with it only in their own words; an encrypted key would
 * make them ask for its password. */
static bool check_pem(const struct access_reader *reader, const char *key, const struct buf *pem,
                      const char *block)
{
    const char *problem = NULL;

    if (pem->length == 0)
        return true;
    if (memchr(pem->data, '\0', pem->length) || !strstr(buf_str(pem), block))
        problem = "it holds no PEM text of that kind";
    else if (strstr(buf_str(pem), "ENCRYPTED"))
        problem = "it is encrypted; give it without a password, readable for the daemon alone";
    return !problem || fail(reader, "%s cannot be used: %s", key, problem);
}

static bool check_all_pem(const struct access_reader *reader)
{
    const struct http_tls *tls = &reader->reach->tls;

    return check_pem(reader, "the file of certificate authorities", &tls->authorities,
                     "-----BEGIN CERTIFICATE-----") &&
           check_pem(reader, "the client certificate", &tls->certificate,
                     "-----BEGIN CERTIFICATE-----") &&
           check_pem(reader, "the key of the client certificate", &tls->private_key,
                     "PRIVATE KEY-----");
}

/* `configured`: it is the configuration that names the file. */
static bool read_token(const struct access_reader *reader, const char *key, const char *path,
                       bool configured)
{
    const struct secret_file file = {
        .key = key, .path = path, .reason = REASON_TARGET_DENIED, .stays = !configured};

    reader->reach->token = secret_file_read(&file, reader->credentials_directory, reader->failure);
    return !!reader->reach->token;
}

/* --- as a pod --- */

static bool read_pod(const struct access_reader *reader)
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
    if (!read_token(reader, "the service account's token", ACCOUNT_DIRECTORY "/token", false)) {
        failure_set_remedy(reader->failure, "%s", reach->credential_remedy);
        return false;
    }
    return read_file(reader, "the service account's certificate authority", NULL,
                     ACCOUNT_DIRECTORY "/ca.crt", &reach->tls.authorities);
}

/* --- by `server` --- */

static bool read_server(const struct access_reader *reader,
                        const struct kubernetes_cluster *cluster)
{
    struct kubernetes_reach *reach = reader->reach;
    char *ca_file;
    bool ok;

    (void)snprintf(reach->credential_remedy, sizeof(reach->credential_remedy),
                   "write a valid token to token_file %s",
                   cluster->token_file ? cluster->token_file : "of the target");
    (void)str_copy(reach->server_remedy, sizeof(reach->server_remedy),
                   "correct `server` and `ca_file` of the target");
    reach->url = must_dup(cluster->server);
    if (cluster->token_file && !read_token(reader, "token_file", cluster->token_file, true))
        return false;
    if (!cluster->ca_file)
        return true;
    ca_file = full_path(reader, "ca_file", cluster->ca_file);
    ok =
        ca_file && read_file(reader, "ca_file", cluster->ca_file, ca_file, &reach->tls.authorities);
    free(ca_file);
    return ok;
}

/* --- by a kubeconfig --- */

static bool take_pem(const struct access_reader *reader, const char *key,
                     struct kubeconfig_pem *pem, struct buf *out)
{
    if (pem->file)
        return read_file(reader, key, NULL, pem->file, out);
    buf_done(out);
    *out = pem->text;
    pem->text = (struct buf){0};
    return true;
}

static bool take_kubeconfig(const struct access_reader *reader, struct kubeconfig *kubeconfig)
{
    struct kubernetes_reach *reach = reader->reach;

    reach->url = kubeconfig->server;
    kubeconfig->server = NULL;
    reach->token = kubeconfig->token;
    kubeconfig->token = NULL;
    if (kubeconfig->server_name &&
        !str_copy(reach->tls.server_name, sizeof(reach->tls.server_name), kubeconfig->server_name))
        return fail(reader, "tls-server-name of the kubeconfig is too long");
    return (!kubeconfig->token_file ||
            read_token(reader, "tokenFile", kubeconfig->token_file, false)) &&
           take_pem(reader, "certificate-authority", &kubeconfig->authorities,
                    &reach->tls.authorities) &&
           take_pem(reader, "client-certificate", &kubeconfig->certificate,
                    &reach->tls.certificate) &&
           take_pem(reader, "client-key", &kubeconfig->private_key, &reach->tls.private_key);
}

static bool parse_kubeconfig(const struct access_reader *reader, const char *path,
                             const struct buf *text, const char *context)
{
    struct kubernetes_reach *reach = reader->reach;
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
        ok = take_kubeconfig(reader, &kubeconfig);
    }
    kubeconfig_done(&kubeconfig);
    return ok;
}

static bool read_kubeconfig(const struct access_reader *reader,
                            const struct kubernetes_cluster *cluster)
{
    struct kubernetes_reach *reach = reader->reach;
    char *path = full_path(reader, "kubeconfig", cluster->kubeconfig);
    struct buf text;
    bool ok = false;

    if (!path)
        return false;
    (void)snprintf(reach->credential_remedy, sizeof(reach->credential_remedy),
                   "put the kubeconfig at %s, readable for the daemon (systemd: LoadCredential=)",
                   path);
    buf_init(&text, KUBECONFIG_MAX);
    ok = read_file(reader, "kubeconfig", cluster->kubeconfig, path, &text) &&
         parse_kubeconfig(reader, path, &text, cluster->context);
    buf_done(&text);
    free(path);
    return ok;
}

/* --- for all --- */

bool kubernetes_reach_read(struct kubernetes_reach *reach, const struct kubernetes_cluster *cluster,
                           const char *credentials_directory, struct failure *failure)
{
    const struct access_reader reader = {
        .reach = reach, .credentials_directory = credentials_directory, .failure = failure};

    *reach = (struct kubernetes_reach){.url = NULL};
    buf_init(&reach->tls.authorities, HTTP_PEM_MAX);
    buf_init(&reach->tls.certificate, HTTP_PEM_MAX);
    buf_init(&reach->tls.private_key, HTTP_PEM_MAX);
    return (cluster->kubeconfig ? read_kubeconfig(&reader, cluster)
            : cluster->server   ? read_server(&reader, cluster)
                                : read_pod(&reader)) &&
           check_all_pem(&reader);
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

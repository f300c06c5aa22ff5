#include "conf/kubeconfig.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "base/str.h"
#include "conf/masked_text.h"
#include "conf/report.h"
#include "conf/url.h"
#include "conf/yaml_tree.h"

enum { ARENA_MAX = 8 * 1024 * 1024, NAME_SHOWN_MAX = 100 };

/* Names of the format that are as long as a secret. */
static const char *const long_names[] = {"certificate-authority-data", "insecure-skip-tls-verify",
                                         NULL};

struct reader {
    const char *path;
    struct arena *arena;
    struct masked_text masked;
    struct kubeconfig *out;
    struct err *err;
};

/* --- values --- */

/* A scalar that is there and is not null. */
static const struct tree_node *value_of(const struct tree_node *map, const char *name)
{
    const struct tree_node *node = tree_child(map, name);

    if (node && node->kind == TREE_SCALAR && !node->quoted &&
        (node->text[0] == '\0' || str_equal(node->text, "~") || str_equal(node->text, "null")))
        return NULL;
    return node;
}

static bool is_named(const struct reader *reader, const struct tree_node *node, const char *name)
{
    return node && node->kind == TREE_SCALAR && masked_text_is(&reader->masked, node->text, name);
}

/* Fills `text` with a member that is a scalar; empty where there is none. */
static int restore(const struct reader *reader, const struct tree_node *map, const char *name,
                   struct buf *text)
{
    const struct tree_node *node = value_of(map, name);

    if (!node)
        return 0;
    if (node->kind != TREE_SCALAR)
        return err_set(reader->err, -EINVAL, "%s:%u: %s is not a text", reader->path,
                       node->mark.line, name);
    switch (masked_text_restore(&reader->masked, node->text, text)) {
    case 0:
        return 0;
    case -ENOMEM:
        return err_set(reader->err, -ENOMEM, "out of memory");
    default:
        return err_set(reader->err, -EINVAL, "%s:%u: %s is too long", reader->path, node->mark.line,
                       name);
    }
}

/* A copy in fresh memory; NULL where the member is absent or empty. */
static int copy_text(const struct reader *reader, const struct tree_node *map, const char *name,
                     char **ret_text)
{
    struct buf text;
    int rc;

    buf_init(&text, KUBECONFIG_MAX);
    rc = restore(reader, map, name, &text);
    if (rc == 0 && text.length > 0) {
        *ret_text = str_dup(buf_str(&text));
        if (!*ret_text)
            rc = err_set(reader->err, -ENOMEM, "out of memory");
    }
    buf_done(&text);
    return rc;
}

/* The same for a path. Relative ones start from the folder of the kubeconfig. */
static int copy_path(const struct reader *reader, const struct tree_node *map, const char *name,
                     char **ret_path)
{
    const char *slash = strrchr(reader->path, '/');
    char *path = NULL;
    int rc = copy_text(reader, map, name, &path);

    if (rc == 0 && path && path[0] != '/' && slash) {
        *ret_path = str_format("%.*s/%s", (int)(slash - reader->path), reader->path, path);
        free(path);
        return *ret_path ? 0 : err_set(reader->err, -ENOMEM, "out of memory");
    }
    *ret_path = path;
    return rc;
}

/* Base64 may be folded over lines, which YAML turns into blanks. */
static int decode(const struct reader *reader, const char *name, struct buf *text, struct buf *out)
{
    size_t length = 0;
    uint8_t *bytes;
    long decoded;

    for (size_t i = 0; i < text->length; i++) {
        if (text->data[i] != ' ')
            text->data[length++] = text->data[i];
    }
    bytes = malloc(length + 1);
    decoded = bytes ? base64_decode(buf_str(text), length, bytes, length) : 0;
    if (decoded > 0)
        (void)buf_append(out, bytes, (size_t)decoded);
    wiping_free(bytes);
    if (!bytes || out->failed == -ENOMEM)
        return err_set(reader->err, -ENOMEM, "out of memory");
    if (out->failed != 0)
        return err_set(reader->err, -EINVAL, "%s: %s is too long", reader->path, name);
    if (decoded <= 0)
        return err_set(reader->err, -EINVAL, "%s: %s is not PEM text in base64", reader->path,
                       name);
    return 0;
}

/* "client-key" as a path, or "client-key-data" in place. */
static int copy_pem(const struct reader *reader, const struct tree_node *map, const char *name,
                    const char *data_name, struct kubeconfig_pem *out)
{
    struct buf text;
    int rc = copy_path(reader, map, name, &out->file);

    if (rc != 0)
        return rc;
    buf_init(&text, KUBECONFIG_MAX);
    rc = restore(reader, map, data_name, &text);
    if (rc == 0 && text.length > 0 && out->file)
        rc = err_set(reader->err, -EINVAL, "%s: %s and %s are both given; keep one", reader->path,
                     name, data_name);
    else if (rc == 0 && text.length > 0)
        rc = decode(reader, data_name, &text, &out->text);
    buf_done(&text);
    return rc;
}

/* --- parts --- */

/* The `what` ("cluster") of that name in the list ("clusters"). NULL with err set. */
static const struct tree_node *find(const struct reader *reader, const struct tree_node *root,
                                    const char *list, const char *what, const char *name)
{
    const struct tree_node *items = tree_child(root, list);

    for (const struct tree_node *item = items && items->kind == TREE_LIST ? items->first : NULL;
         item; item = item->next) {
        const struct tree_node *body = tree_child(item, what);

        if (is_named(reader, tree_child(item, "name"), name) && body && body->kind == TREE_MAP)
            return body;
    }
    (void)err_set(reader->err, -EINVAL, "%s: there is no %s \"%.*s\" in it", reader->path, what,
                  NAME_SHOWN_MAX, name);
    return NULL;
}

struct refusal {
    const char *member;
    const char *remedy;
};

/* Members that would have to be followed, and are not. */
static int refuse(const struct reader *reader, const struct tree_node *map, const char *what,
                  const char *name, const struct refusal *refusals)
{
    for (; refusals->member; refusals++) {
        const struct tree_node *node = value_of(map, refusals->member);
        const bool is_off = node && node->kind == TREE_SCALAR &&
                            (node->text[0] == '\0' || str_equal(node->text, "false"));

        if (node && !is_off)
            return err_set(reader->err, -EINVAL,
                           "%s: %s \"%.*s\" has %s, which is not supported; %s", reader->path, what,
                           NAME_SHOWN_MAX, name, refusals->member, refusals->remedy);
    }
    return 0;
}

static int read_cluster(const struct reader *reader, const struct tree_node *root, const char *name)
{
    static const struct refusal refusals[] = {
        {"insecure-skip-tls-verify", "give certificate-authority, and remove it"},
        {"proxy-url", "give `proxy` in the configuration of keyrotated"},
        {NULL, NULL},
    };
    const struct tree_node *map = find(reader, root, "clusters", "cluster", name);
    struct kubeconfig *out = reader->out;
    const char *problem;
    int rc = map ? refuse(reader, map, "cluster", name, refusals) : -EINVAL;

    if (rc == 0)
        rc = copy_text(reader, map, "server", &out->server);
    if (rc == 0)
        rc = copy_text(reader, map, "tls-server-name", &out->server_name);
    if (rc == 0)
        rc = copy_pem(reader, map, "certificate-authority", "certificate-authority-data",
                      &out->authorities);
    if (rc != 0)
        return rc;
    problem = out->server ? url_problem(out->server) : "is missing; write https://HOST:PORT";
    if (problem)
        return err_set(reader->err, -EINVAL, "%s: server of cluster \"%.*s\" %s", reader->path,
                       NAME_SHOWN_MAX, name, problem);
    return 0;
}

static int copy_token(const struct reader *reader, const struct tree_node *map)
{
    struct buf text;
    int rc;

    buf_init(&text, KUBECONFIG_MAX);
    rc = restore(reader, map, "token", &text);
    if (rc == 0 && text.length > 0) {
        reader->out->token = secret_new(buf_str(&text), text.length);
        if (!reader->out->token)
            rc = err_set(reader->err, text.length > SECRET_MAX ? -EINVAL : -ENOMEM,
                         "%s: token is too long, or memory is out", reader->path);
    }
    buf_done(&text);
    return rc;
}

/* One credential, and a whole one. */
static int check_credential(const struct reader *reader, const char *name)
{
    const struct kubeconfig *out = reader->out;
    const bool has_certificate = out->certificate.file || out->certificate.text.length > 0;
    const bool has_key = out->private_key.file || out->private_key.text.length > 0;

    if (out->token && out->token_file)
        return err_set(reader->err, -EINVAL,
                       "%s: user \"%.*s\" has both token and tokenFile; keep one", reader->path,
                       NAME_SHOWN_MAX, name);
    if (has_certificate != has_key)
        return err_set(reader->err, -EINVAL, "%s: user \"%.*s\" has no %s; give both", reader->path,
                       NAME_SHOWN_MAX, name,
                       has_key ? "client-certificate to its client-key"
                               : "client-key to its client-certificate");
    if (!has_certificate && !out->token && !out->token_file)
        return err_set(reader->err, -EINVAL,
                       "%s: user \"%.*s\" has no credential; give it token, tokenFile, or "
                       "client-certificate and client-key",
                       reader->path, NAME_SHOWN_MAX, name);
    return 0;
}

static int read_user(const struct reader *reader, const struct tree_node *root, const char *name)
{
    static const struct refusal refusals[] = {
        {"exec", "give it a token, a tokenFile or a client certificate"},
        {"auth-provider", "give it a token, a tokenFile or a client certificate"},
        {"username", "give it a token, a tokenFile or a client certificate"},
        {"password", "give it a token, a tokenFile or a client certificate"},
        {"as", "give the user itself the permissions"},
        {"as-uid", "give the user itself the permissions"},
        {"as-groups", "give the user itself the permissions"},
        {"as-user-extra", "give the user itself the permissions"},
        {NULL, NULL},
    };
    const struct tree_node *map = find(reader, root, "users", "user", name);
    struct kubeconfig *out = reader->out;
    int rc = map ? refuse(reader, map, "user", name, refusals) : -EINVAL;

    if (rc == 0)
        rc = copy_token(reader, map);
    if (rc == 0)
        rc = copy_path(reader, map, "tokenFile", &out->token_file);
    if (rc == 0)
        rc = copy_pem(reader, map, "client-certificate", "client-certificate-data",
                      &out->certificate);
    if (rc == 0)
        rc = copy_pem(reader, map, "client-key", "client-key-data", &out->private_key);
    return rc == 0 ? check_credential(reader, name) : rc;
}

/* --- the whole --- */

static int read_context(const struct reader *reader, const struct tree_node *root,
                        const char *context)
{
    const struct tree_node *map = find(reader, root, "contexts", "context", context);
    char *cluster = NULL;
    int rc = map ? copy_text(reader, map, "cluster", &cluster) : -EINVAL;

    if (rc == 0)
        rc = copy_text(reader, map, "user", &reader->out->user);
    if (rc == 0 && (!cluster || !reader->out->user))
        rc = err_set(reader->err, -EINVAL, "%s: context \"%.*s\" has no %s", reader->path,
                     NAME_SHOWN_MAX, context, cluster ? "user" : "cluster");
    if (rc == 0)
        rc = read_cluster(reader, root, cluster);
    if (rc == 0)
        rc = read_user(reader, root, reader->out->user);
    free(cluster);
    return rc;
}

static int choose_context(const struct reader *reader, const struct tree_node *root,
                          const char *wanted)
{
    int rc = 0;

    if (wanted) {
        reader->out->context = str_dup(wanted);
        return reader->out->context ? 0 : err_set(reader->err, -ENOMEM, "out of memory");
    }
    rc = copy_text(reader, root, "current-context", &reader->out->context);
    if (rc == 0 && !reader->out->context)
        rc = err_set(reader->err, -EINVAL,
                     "%s: it names no current-context; name one there, or give `context` of the "
                     "target",
                     reader->path);
    return rc;
}

/* The first message of the parser, without its line end. */
static int say_first(const struct reader *reader, struct report *report, bool empty)
{
    struct config_messages messages;
    int rc = -EINVAL;

    config_messages_init(&messages);
    /* The parser tells in words alone that memory is out. */
    if (!report_finish(report, &messages) || strstr(buf_str(&messages.text), "out of memory"))
        rc = err_set(reader->err, -ENOMEM, "out of memory");
    else if (empty)
        (void)err_set(reader->err, rc, "%s is empty", reader->path);
    else
        (void)err_set(reader->err, rc, "%.*s", (int)strcspn(buf_str(&messages.text), "\n"),
                      buf_str(&messages.text));
    config_messages_done(&messages);
    return rc;
}

static int read_text(struct reader *reader, const char *context)
{
    const struct mark file = {.file = reader->path};
    struct tree_node *root;
    struct report report;
    bool empty = false;
    int rc;

    report_init(&report, reader->arena);
    root = tree_parse(reader->arena, file, buf_str(&reader->masked.text),
                      reader->masked.text.length, &report, &empty);
    if (!root || report.error_count > 0)
        return say_first(reader, &report, empty);
    if (arena_failed(reader->arena))
        return err_set(reader->err, -ENOMEM, "out of memory");
    rc = choose_context(reader, root, context);
    return rc == 0 ? read_context(reader, root, reader->out->context) : rc;
}

int kubeconfig_read(struct kubeconfig *kubeconfig, const char *path, const char *text,
                    size_t length, const char *context, struct err *err)
{
    struct reader reader = {.path = path, .out = kubeconfig, .err = err};
    int rc;

    *kubeconfig = (struct kubeconfig){.context = NULL};
    buf_init(&kubeconfig->authorities.text, KUBECONFIG_PEM_MAX);
    buf_init(&kubeconfig->certificate.text, KUBECONFIG_PEM_MAX);
    buf_init(&kubeconfig->private_key.text, KUBECONFIG_PEM_MAX);
    rc = masked_text_init(&reader.masked, text, length, long_names);
    reader.arena = rc == 0 ? arena_new(ARENA_MAX) : NULL;
    if (rc == -EMSGSIZE)
        (void)err_set(err, rc, "%s is too long for a kubeconfig", path);
    else if (!reader.arena)
        rc = err_set(err, -ENOMEM, "out of memory");
    else
        rc = read_text(&reader, context);
    arena_free(reader.arena);
    masked_text_done(&reader.masked);
    return rc;
}

static void pem_done(struct kubeconfig_pem *pem)
{
    free(pem->file);
    buf_done(&pem->text);
}

void kubeconfig_done(struct kubeconfig *kubeconfig)
{
    free(kubeconfig->context);
    free(kubeconfig->server);
    free(kubeconfig->server_name);
    free(kubeconfig->user);
    pem_done(&kubeconfig->authorities);
    pem_done(&kubeconfig->certificate);
    pem_done(&kubeconfig->private_key);
    free(kubeconfig->token_file);
    secret_free(kubeconfig->token);
    *kubeconfig = (struct kubeconfig){.context = NULL};
}

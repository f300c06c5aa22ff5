#include "proto/vault_failure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "proto/failure.h"
#include "proto/key_text.h"
#include "proto/stranger.h"

enum { ERRORS_MAX = 2048, ERRORS_SHOWN_MAX = 199, PATH_SHOWN_MAX = 200, FLAG_MAX = 160 };

/* --- what the answer says --- */

/* Appends a sentence with each run of blanks and control characters as one blank. */
static void append_sentence(char *out, size_t size, const char *sentence)
{
    size_t length = strlen(out);

    if (length > 0 && length + 2 < size)
        length += (size_t)snprintf(out + length, size - length, "; ");
    for (; *sentence != '\0' && length + 1 < size; sentence++) {
        if ((unsigned char)*sentence > ' ')
            out[length++] = *sentence;
        else if (length > 0 && out[length - 1] != ' ')
            out[length++] = ' ';
    }
    while (length > 0 && out[length - 1] == ' ')
        length--;
    out[length] = '\0';
}

static void append_list(struct json_object *list, char *out, size_t size)
{
    for (size_t i = 0;
         json_object_is_type(list, json_type_array) && i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);

        if (json_object_is_type(item, json_type_string))
            append_sentence(out, size, json_object_get_string(item));
    }
}

/* What the body of an answer says. */
struct explanation {
    bool is_object; /* of JSON */
    bool out_of_memory;
    char errors[ERRORS_MAX]; /* one line of printable text */
};

static void explain(const struct http_reply *reply, struct explanation *out)
{
    struct err err = {.code = 0};
    struct json_object *document =
        json_parse_foreign(buf_str(&reply->body), reply->body.length, &err);

    *out = (struct explanation){
        .is_object = json_object_is_type(document, json_type_object),
        .out_of_memory = !document && err.code == -ENOMEM,
    };
    append_list(json_member(document, "errors"), out->errors, sizeof(out->errors));
    if (reply->status >= 400)
        append_list(json_member(document, "warnings"), out->errors, sizeof(out->errors));
    json_free_wiped(document);
    utf8_make_presentable(out->errors);
    key_text_redact(out->errors); /* before the cut, because a part of a key is not recognised */
    if (strlen(out->errors) > ERRORS_SHOWN_MAX)
        out->errors[utf8_whole(out->errors, ERRORS_SHOWN_MAX)] = '\0';
}

/* The sentences that tell causes of one status apart. */
static enum vault_trouble trouble_in(const char *errors, int status)
{
    static const struct {
        const char *part;
        enum vault_trouble trouble;
    } sentences[] = {
        {"is sealed", VAULT_TROUBLE_SEALED},
        {"not initialized", VAULT_TROUBLE_UNINITIALIZED},
        {"local node not active", VAULT_TROUBLE_STANDBY},
        {"disabled in replication DR secondary", VAULT_TROUBLE_STANDBY},
        {"no handler for route", VAULT_TROUBLE_NO_MOUNT},
        {"unsupported path", VAULT_TROUBLE_NO_MOUNT},
        {"Invalid path for a versioned K/V", VAULT_TROUBLE_VERSIONED},
        {"check-and-set parameter did not match", VAULT_TROUBLE_OTHER_VERSION},
        {"Upgrading from non-versioned", VAULT_TROUBLE_UPGRADING},
        {"quota exceeded", VAULT_TROUBLE_QUOTA},
        {"request body too large", VAULT_TROUBLE_TOO_LARGE},
    };

    for (size_t i = 0; status >= 400 && i < sizeof(sentences) / sizeof(sentences[0]); i++) {
        if (strcasestr(errors, sentences[i].part))
            return sentences[i].trouble;
    }
    return VAULT_TROUBLE_NONE;
}

static enum vault_trouble trouble_by_status(int status)
{
    switch (status) {
    case 403:
        return VAULT_TROUBLE_DENIED;
    case 412:
        return VAULT_TROUBLE_BEHIND;
    case 413:
        return VAULT_TROUBLE_TOO_LARGE;
    case 429:
        return VAULT_TROUBLE_QUOTA;
    case 472:
    case 473:
        return VAULT_TROUBLE_STANDBY;
    default:
        return status >= 500 ? VAULT_TROUBLE_SERVER : VAULT_TROUBLE_REFUSED;
    }
}

/* A policy refuses with "1 error occurred: * permission denied". Of a bad token the sentence stands
 * alone, in newer servers with "invalid token" beside it. */
static bool is_about_token(const char *errors)
{
    return str_equal(errors, "permission denied") || strcasestr(errors, "invalid token") ||
           strcasestr(errors, "bad token");
}

static enum vault_trouble judge(const struct http_reply *reply, enum vault_engine engine,
                                const struct explanation *said)
{
    enum vault_trouble trouble;

    if (reply->status >= 300 && reply->status < 400)
        return VAULT_TROUBLE_REDIRECT;
    if (reply->status == 204)
        return engine == VAULT_KV2 ? VAULT_TROUBLE_UNVERSIONED : VAULT_TROUBLE_NONE;
    if (said->out_of_memory)
        return reply->status < 300 ? VAULT_TROUBLE_NONE : trouble_by_status(reply->status);
    if (!said->is_object)
        return reply->status >= 500 || reply->status == 429 ? trouble_by_status(reply->status)
                                                            : VAULT_TROUBLE_STRANGER;
    if (reply->status < 300)
        return VAULT_TROUBLE_NONE;
    trouble = trouble_in(said->errors, reply->status);
    if (reply->status == 403 && is_about_token(said->errors))
        trouble = VAULT_TROUBLE_BAD_TOKEN;
    return trouble != VAULT_TROUBLE_NONE ? trouble : trouble_by_status(reply->status);
}

enum vault_trouble vault_trouble_of(const struct http_reply *reply, enum vault_engine engine)
{
    struct explanation said;

    explain(reply, &said);
    return judge(reply, engine, &said);
}

/* --- texts --- */

static enum reason reason_of(enum vault_trouble trouble)
{
    return trouble == VAULT_TROUBLE_DENIED || trouble == VAULT_TROUBLE_BAD_TOKEN
               ? REASON_TARGET_DENIED
               : REASON_TARGET_FAILED;
}

/* " -namespace=team-a", or nothing: for vault's command line. */
static const char *namespace_flag(const struct vault_object *object, char out[FLAG_MAX])
{
    out[0] = '\0';
    if (object->name_space)
        (void)snprintf(out, FLAG_MAX, " -namespace=%s", object->name_space);
    return out;
}

static void set_policy_remedy(struct failure *failure, const struct vault_object *object)
{
    failure_set_remedy(failure,
                       "give the token a policy%s%s with: path \"%s/%s%s\" { capabilities = "
                       "[\"create\", \"read\", \"update\"] }",
                       object->name_space ? " in namespace " : "",
                       object->name_space ? object->name_space : "", object->mount,
                       object->engine == VAULT_KV2 ? "data/" : "", object->path);
}

/* What the state of the server calls for, whatever the call was. */
static bool set_server_remedy(struct failure *failure, const char *address,
                              enum vault_trouble trouble)
{
    switch (trouble) {
    case VAULT_TROUBLE_SEALED:
        failure_set_remedy(failure,
                           "unseal it: `vault operator unseal -address=%s`; delivery continues by "
                           "itself",
                           address);
        return true;
    case VAULT_TROUBLE_UNINITIALIZED:
        failure_set_remedy(failure,
                           "initialize it: `vault operator init -address=%s`, or correct `address`",
                           address);
        return true;
    case VAULT_TROUBLE_STANDBY:
    case VAULT_TROUBLE_REDIRECT:
        failure_set_remedy(failure,
                           "set `address` to the active node, or to a load balancer that finds it "
                           "by /v1/sys/health: the token is not sent on to another host");
        return true;
    case VAULT_TROUBLE_QUOTA:
        failure_set_remedy(failure,
                           "nothing: it is tried again; if it lasts, raise the rate limit quota "
                           "(`vault list -address=%s sys/quotas/rate-limit`)",
                           address);
        return true;
    case VAULT_TROUBLE_BEHIND:
        failure_set_remedy(failure, "nothing: the node catches up, and it is tried again");
        return true;
    case VAULT_TROUBLE_SERVER:
        failure_set_remedy(failure,
                           "see the server's own log, and `vault status -address=%s`; it is tried "
                           "again by itself",
                           address);
        return true;
    case VAULT_TROUBLE_STRANGER:
        failure_set_remedy(failure,
                           "check `address`: something else than Vault answers at %s (a proxy, "
                           "another port)",
                           address);
        return true;
    default:
        return false;
    }
}

static void set_object_remedy(struct failure *failure, const struct vault_object *object,
                              enum vault_trouble trouble)
{
    char flag[FLAG_MAX];

    switch (trouble) {
    case VAULT_TROUBLE_NO_MOUNT:
        failure_set_remedy(failure,
                           "correct `mount` or `namespace`, or make the engine: `vault secrets "
                           "enable%s -path=%s -version=%d kv`",
                           namespace_flag(object, flag), object->mount,
                           object->engine == VAULT_KV2 ? 2 : 1);
        break;
    case VAULT_TROUBLE_VERSIONED:
        failure_set_remedy(failure, "set `engine: kv2`: mount %s keeps versions", object->mount);
        break;
    case VAULT_TROUBLE_UNVERSIONED:
        failure_set_remedy(failure,
                           "set `engine: kv1`, or `vault kv enable-versioning%s %s`; then remove "
                           "what was written beside the place, `vault delete%s %s/data/%s`",
                           namespace_flag(object, flag), object->mount, flag, object->mount,
                           object->path);
        break;
    case VAULT_TROUBLE_UPGRADING:
        failure_set_remedy(failure, "nothing: the upgrade of mount %s ends by itself",
                           object->mount);
        break;
    case VAULT_TROUBLE_OTHER_VERSION:
        failure_set_remedy(failure,
                           "find out who else writes %s/%s (Vault's audit log names them): the "
                           "object belongs to this target alone",
                           object->mount, object->path);
        break;
    case VAULT_TROUBLE_BAD_TOKEN: /* the caller knows where the token comes from */
    case VAULT_TROUBLE_DENIED:
        set_policy_remedy(failure, object);
        break;
    case VAULT_TROUBLE_TOO_LARGE:
        failure_set_remedy(failure,
                           "shorten the fields in `keys`, or raise the listener's "
                           "max_request_size");
        break;
    default:
        failure_set_remedy(failure,
                           "check `mount`, `path` and `engine` of the target; `vault kv get%s "
                           "-mount=%s %s` shows what stands there",
                           namespace_flag(object, flag), object->mount, object->path);
        break;
    }
}

static void set_answer_text(struct failure *failure, const struct http_reply *reply,
                            const char *doing, const struct explanation *said)
{
    char stranger[STRANGER_TEXT_MAX];

    if (said->out_of_memory)
        failure_set_text(failure,
                         "Vault answered %s with %d, and there is no memory to read what it says",
                         doing, reply->status);
    else
        failure_set_text(failure, "Vault answered %s with %d%s%s%s", doing, reply->status,
                         said->errors[0] != '\0' ? ": " : "", said->errors,
                         said->errors[0] != '\0' ? "" : stranger_describe(reply, stranger));
}

/* Without an answer. */
static void set_silence(struct failure *failure, const struct http_reply *reply,
                        const char *address, const char *doing)
{
    if (reply->outcome == HTTP_UNSENT) {
        failure_set_text(failure, "Vault cannot be reached for %s: %s", doing, reply->error.text);
        if (reply->error.code == -EPROTOTYPE)
            failure_set_remedy(failure,
                               "correct the port in `address`, or give the server's listener a "
                               "certificate (tls_cert_file); http:// is accepted for loopback "
                               "hosts alone");
        else
            failure_set_remedy(
                failure,
                "check `address` and `ca_file` of the target, and whether this machine "
                "reaches %s: `vault status -address=%s`",
                address, address);
    } else {
        failure_set_text(failure, "Vault's answer to %s was lost: %s", doing, reply->error.text);
        failure_set_remedy(failure,
                           "nothing: it is tried again; if it lasts, see the server's own log and "
                           "what stands between it and this machine");
    }
}

static enum vault_trouble begin(struct failure *failure, const struct http_reply *reply,
                                const char *address, enum vault_engine engine, const char *doing,
                                time_ms now)
{
    enum vault_trouble trouble;
    struct explanation said;

    failure_init(failure, REASON_TARGET_FAILED);
    failure->http_status = reply->status;
    if (reply->outcome != HTTP_ANSWERED) {
        set_silence(failure, reply, address, doing);
        return VAULT_TROUBLE_NONE;
    }
    explain(reply, &said);
    trouble = judge(reply, engine, &said);
    failure_init(failure, reason_of(trouble));
    failure_note_status(failure, reply, now);
    set_answer_text(failure, reply, doing, &said);
    return trouble;
}

enum vault_trouble vault_failure_begin(struct failure *failure, const struct http_reply *reply,
                                       const char *address, const char *doing, time_ms now)
{
    /* What is asked of no engine counts as version 1: 204 is an answer like others. */
    enum vault_trouble trouble = begin(failure, reply, address, VAULT_KV1, doing, now);

    (void)set_server_remedy(failure, address, trouble);
    return trouble;
}

/* After such an answer nobody knows whether a write was carried out. */
static bool leaves_doubt(enum vault_trouble trouble)
{
    return trouble == VAULT_TROUBLE_SERVER || trouble == VAULT_TROUBLE_STRANGER;
}

void vault_failure_fill(struct failure *failure, const struct http_reply *reply,
                        const struct vault_object *object, enum vault_call call, time_ms now)
{
    static const char *const words[] = {
        [VAULT_CALL_READ] = "the read of",
        [VAULT_CALL_WRITE] = "the write of",
        [VAULT_CALL_CHECK] = "a question about",
    };
    enum vault_trouble trouble;
    char doing[PATH_SHOWN_MAX];

    (void)snprintf(doing, sizeof(doing), "%s %s/%s", words[call], object->mount, object->path);
    trouble = begin(failure, reply, object->address, object->engine, doing, now);
    if (reply->outcome != HTTP_ANSWERED) {
        failure->outcome_unknown = call == VAULT_CALL_WRITE && reply->outcome == HTTP_LOST;
        return;
    }
    /* A success that cannot be understood. Version 1 answers a path of version 2 so. */
    if (trouble == VAULT_TROUBLE_NONE && object->engine == VAULT_KV2 && call == VAULT_CALL_READ)
        trouble = VAULT_TROUBLE_UNVERSIONED;
    else if (trouble == VAULT_TROUBLE_NONE)
        trouble = VAULT_TROUBLE_STRANGER;
    failure->outcome_unknown = call == VAULT_CALL_WRITE && leaves_doubt(trouble);
    if (trouble == VAULT_TROUBLE_UNVERSIONED)
        failure_set_text(failure,
                         "Vault answered %s with %d, as an engine of version 1 does: `engine` says "
                         "kv2",
                         doing, reply->status);
    if (!set_server_remedy(failure, object->address, trouble))
        set_object_remedy(failure, object, trouble);
}

void vault_failure_engine(struct failure *failure, const struct vault_object *object, int version,
                          const char *type)
{
    failure_init(failure, REASON_TARGET_FAILED);
    if (type[0] != '\0') {
        failure_set_text(failure, "mount %s is an engine of type %s, not kv", object->mount, type);
        failure_set_remedy(failure, "set `mount` to a KV engine (`vault secrets list -address=%s`)",
                           object->address);
        return;
    }
    failure_set_text(failure, "mount %s is a KV engine of version %d, and `engine` says kv%d",
                     object->mount, version, object->engine == VAULT_KV2 ? 2 : 1);
    failure_set_remedy(failure, "set `engine: kv%d`", version);
}

void vault_failure_lacks(struct failure *failure, const struct vault_object *object,
                         const char *lacking)
{
    failure_set(failure, REASON_TARGET_DENIED, "the token may not %s %s/%s", lacking, object->mount,
                object->path);
    set_policy_remedy(failure, object);
}

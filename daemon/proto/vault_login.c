#include "proto/vault_login.h"

#include <errno.h>
#include <stdio.h>

#include "base/encoding.h"
#include "base/json_writer.h"
#include "proto/failure.h"
#include "proto/vault.h"
#include "proto/vault_failure.h"

enum { DOING_MAX = 160 };

#define LIFETIME_LONGEST ((int64_t)10 * 365 * 24 * 3600) /* s */

int vault_login_request(struct http_request *request, const struct vault_login *login,
                        const struct secret *proof)
{
    const bool is_approle = login->kind == VAULT_LOGIN_APPROLE;
    struct buf *body = &request->body;
    int rc;

    vault_request_init(request, "POST", login->address, login->name_space, NULL);
    request->repeatable = !login->wrapped; /* a secret id may serve a limited number of logins */
    buf_append_str(&request->url, "auth/");
    rc = percent_encode_path(&request->url, login->mount);
    buf_append_str(&request->url, "/login");
    http_request_header(request, "Content-Type", "application/json");
    json_write_open(body, NULL, '{');
    json_write_text(body, is_approle ? "role_id" : "role", login->role);
    json_write_text(body, is_approle ? "secret_id" : "jwt", secret_bytes(proof));
    json_write_close(body, '}');
    return rc < 0 ? rc : http_request_check(request);
}

/* The wrapping token stands in the header alone: with a token of our own there, it would stand in
 * the body. */
int vault_unwrap_request(struct http_request *request, const struct vault_login *login,
                         const struct secret *wrapping_token)
{
    vault_request_init(request, "POST", login->address, login->name_space, wrapping_token);
    buf_append_str(&request->url, "sys/wrapping/unwrap");
    return http_request_check(request);
}

static void describe_login(const struct vault_login *login, char out[DOING_MAX])
{
    (void)snprintf(out, DOING_MAX, "the login at auth/%s", login->mount);
}

static bool is_refusal(enum vault_trouble trouble)
{
    return trouble == VAULT_TROUBLE_REFUSED || trouble == VAULT_TROUBLE_DENIED ||
           trouble == VAULT_TROUBLE_BAD_TOKEN;
}

static void set_login_remedy(struct failure *failure, const struct vault_login *login,
                             enum vault_trouble trouble)
{
    if (trouble == VAULT_TROUBLE_NO_MOUNT) {
        failure_set_remedy(failure,
                           "correct `mount` of the login or `namespace`: `vault auth list "
                           "-address=%s` shows what there is",
                           login->address);
        return;
    }
    if (!is_refusal(trouble))
        return;
    failure->reason = REASON_TARGET_DENIED;
    if (login->kind == VAULT_LOGIN_KUBERNETES)
        failure_set_remedy(failure,
                           "let the role admit this service account: `vault read auth/%s/role/%s`; "
                           "the token is read from %s",
                           login->mount, login->role, login->file);
    else if (login->wrapped)
        failure_set_remedy(failure,
                           "check `role_id`, and write a new wrapping token to %s: `vault write "
                           "-wrap-ttl=24h -field=wrapping_token -f auth/%s/role/ROLE/secret-id`",
                           login->file, login->mount);
    else
        failure_set_remedy(failure,
                           "check `role_id`, and write a new secret id to %s (the old one may have "
                           "expired): `vault write -field=secret_id -f "
                           "auth/%s/role/ROLE/secret-id`",
                           login->file, login->mount);
}

static duration_ms lifetime_of(struct json_object *auth)
{
    int64_t seconds = 0;

    if (!json_int64(auth, "lease_duration", &seconds) || seconds < 0)
        return 0;
    return (seconds < LIFETIME_LONGEST ? seconds : LIFETIME_LONGEST) * MS_SECOND;
}

static void set_strange_success(struct failure *failure, const struct http_reply *reply,
                                const char *doing, const char *what)
{
    failure_init(failure, REASON_TARGET_FAILED);
    failure->http_status = reply->status;
    failure_set_text(failure, "Vault answered %s with %d, and gave no %s", doing, reply->status,
                     what);
}

/* A copy of document[part][name] as a secret, if it is there and not empty. -ENOENT, -EBADMSG where
 * the reply is no success, or -ENOMEM. */
static int take_secret(struct secret **ret_secret, duration_ms *ret_lifetime,
                       const struct http_reply *reply, const char *part, const char *name)
{
    struct json_object *document, *member;
    struct err err = {.code = 0};
    const char *text;
    int rc = -ENOENT;

    *ret_secret = NULL;
    *ret_lifetime = 0;
    if (reply->outcome != HTTP_ANSWERED || reply->status != 200)
        return -EBADMSG;
    document = json_parse_foreign(buf_str(&reply->body), reply->body.length, &err);
    if (!document)
        return err.code == -ENOMEM ? -ENOMEM : -EBADMSG;
    member = json_member(document, part);
    text = json_string(member, name);
    if (text && text[0] != '\0') {
        *ret_secret = json_secret(member, name);
        *ret_lifetime = lifetime_of(member);
        rc = *ret_secret ? 0 : -ENOMEM;
    }
    json_free_wiped(document);
    return rc;
}

int vault_login_answer(struct secret **ret_token, duration_ms *ret_lifetime,
                       const struct http_reply *reply, const struct vault_login *login, time_ms now,
                       struct failure *failure)
{
    char doing[DOING_MAX];
    int rc = take_secret(ret_token, ret_lifetime, reply, "auth", "client_token");

    describe_login(login, doing);
    if (rc == 0 || rc == -ENOMEM)
        return rc;
    if (rc == -ENOENT) {
        set_strange_success(failure, reply, doing, "token");
        failure_set_remedy(failure,
                           "a login for programs must not ask for a second factor: `vault list "
                           "-address=%s identity/mfa/login-enforcement`",
                           login->address);
    } else {
        set_login_remedy(failure, login,
                         vault_failure_begin(failure, reply, login->address, doing, now));
    }
    return -EIO;
}

static void set_unwrap_remedy(struct failure *failure, const struct vault_login *login,
                              const char *when, const char *why)
{
    failure_set_remedy(failure,
                       "%swrite a new wrapping token to %s: `vault write -wrap-ttl=24h "
                       "-field=wrapping_token -f auth/%s/role/ROLE/secret-id`. %s",
                       when, login->file, login->mount, why);
}

int vault_unwrap_answer(struct secret **ret_secret_id, const struct http_reply *reply,
                        const struct vault_login *login, bool was_lost, time_ms now,
                        struct failure *failure)
{
    static const char doing[] = "the unwrapping of the secret id";
    duration_ms unused;
    int rc = take_secret(ret_secret_id, &unused, reply, "data", "secret_id");

    if (rc == 0 || rc == -ENOMEM)
        return rc;
    if (rc == -ENOENT) {
        set_strange_success(failure, reply, doing, "secret id");
        failure_set_remedy(failure, "write a token that wraps a secret id to %s", login->file);
    } else if (is_refusal(vault_failure_begin(failure, reply, login->address, doing, now))) {
        failure->reason = REASON_TARGET_DENIED;
        set_unwrap_remedy(failure, login, "",
                          was_lost ? "Such a token works once, and the answer to its first use, by "
                                     "the daemon itself, was lost"
                                   : "Such a token works once: if it was new, find out in Vault's "
                                     "audit log who used it");
    } else if (reply->outcome == HTTP_LOST) {
        set_unwrap_remedy(failure, login, "if the next attempt is refused, ",
                          "Such a token works once, and may have been used up by this attempt");
    }
    return -EIO;
}

void vault_login_explain_token(struct failure *failure, const struct vault_login *login)
{
    if (login->kind == VAULT_LOGIN_TOKEN)
        failure_set_remedy(
            failure,
            "write a valid token to %s, `vault token create -field=token -policy=POLICY`: "
            "this one has expired, was revoked, or belongs to another server or "
            "namespace",
            login->file);
    else
        failure_set_remedy(failure,
                           "see in Vault's audit log why the token of a new login at auth/%s is "
                           "refused: `namespace`, or limits of its role (token_num_uses, "
                           "token_bound_cidrs)",
                           login->mount);
}

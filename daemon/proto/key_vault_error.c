#include "proto/key_vault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/str.h"
#include "proto/azure_failure.h"
#include "proto/cloud_error.h"
#include "proto/failure.h"

enum { SERVICE_MAX = 128 };

/* What to do about it: a fixed text, or one that names vault, secret and principal. */
enum words {
    WORDS_NONE,
    WORDS_FIXED,
    WORDS_ROLE,
    WORDS_ACCESS_POLICY,
    WORDS_FIREWALL,
    WORDS_PRIVATE,
    WORDS_ENABLE,
    WORDS_RECOVER,
    WORDS_TENANT
};

/* The meaning of a code or a status. The first row that matches an answer applies. */
struct meaning {
    const char *code; /* NULL: any code, given that the body is an error of Azure's at all */
    int status;       /* 0: any */
    enum reason reason;
    enum words words;
    const char *remedy; /* WORDS_FIXED */
};

static const struct meaning meanings[] = {
    {"ForbiddenByRbac", 0, REASON_TARGET_DENIED, WORDS_ROLE, NULL},
    {"AccessDenied", 0, REASON_TARGET_DENIED, WORDS_ACCESS_POLICY, NULL},
    {"ForbiddenByFirewall", 0, REASON_TARGET_DENIED, WORDS_FIREWALL, NULL},
    {"ForbiddenByConnection", 0, REASON_TARGET_DENIED, WORDS_PRIVATE, NULL},
    {"ForbiddenByPolicy", 0, REASON_TARGET_DENIED, WORDS_FIXED,
     "adapt `expires` or `content_type` of the target to the Azure Policy that the message names, "
     "or exempt the vault from it"},
    {"SecretDisabled", 0, REASON_TARGET_DENIED, WORDS_ENABLE, NULL},
    {"ObjectIsDeletedButRecoverable", 0, REASON_TARGET_FAILED, WORDS_RECOVER, NULL},
    {"ObjectIsBeingDeleted", 0, REASON_TARGET_FAILED, WORDS_FIXED,
     "none needed, unless somebody keeps deleting the secret: the vault finishes its deletion by "
     "itself"},
    {"ObjectIsBeingRecovered", 0, REASON_TARGET_FAILED, WORDS_FIXED,
     "none needed: the vault finishes the recovery by itself, and delivery goes on"},
    {"SecretNotFound", 0, REASON_TARGET_FAILED, WORDS_FIXED,
     "none needed: the next delivery creates the secret"},
    {"VaultNotFound", 0, REASON_TARGET_FAILED, WORDS_FIXED,
     "check `vault`: `az keyvault list --output table` shows the vaults there are"},
    {NULL, 400, REASON_TARGET_FAILED, WORDS_FIXED,
     "check `secret_name` and `content_type` of the target, and the tags of the secret"},
    {NULL, 401, REASON_TARGET_DENIED, WORDS_TENANT, NULL},
    {NULL, 403, REASON_TARGET_DENIED, WORDS_ROLE, NULL},
    {NULL, 409, REASON_TARGET_FAILED, WORDS_FIXED,
     "none needed if it passes: somebody else is changing the secret"},
    {NULL, 429, REASON_THROTTLED, WORDS_FIXED,
     "none needed: requests to this vault go on at the pace that it permits; if it lasts, see what "
     "else uses the vault (`az monitor metrics list`, ServiceApiHit)"},
    {NULL, 0, REASON_TARGET_FAILED, WORDS_FIXED,
     "none needed if it passes; else look at Azure's status page, and quote the request id to "
     "Azure's support"},
};

static const char *const operation_names[] = {
    [KEY_VAULT_GET] = "getting the secret",
    [KEY_VAULT_SET] = "setting the secret",
    [KEY_VAULT_UPDATE] = "updating the secret's attributes",
    [KEY_VAULT_GET_DELETED] = "looking for a deleted secret",
    [KEY_VAULT_RECOVER] = "recovering the deleted secret",
};

static const struct meaning *find_meaning(int status, const struct cloud_error *error)
{
    const struct meaning *meaning = meanings;

    while ((meaning->code && !cloud_error_find(error, meaning->code)) ||
           (meaning->status != 0 && meaning->status != status))
        meaning++;
    return meaning;
}

/* Key Vault's messages name the caller: "… appid=GUID;oid=GUID;iss=…". */
static bool find_object_id(const char *message, char out[UUID_TEXT_MAX])
{
    const char *id = strstr(message, "oid=");

    if (!id || strspn(id + strlen("oid="), "0123456789abcdefABCDEF-") != UUID_TEXT_MAX - 1)
        return false;
    memcpy(out, id + strlen("oid="), UUID_TEXT_MAX - 1);
    out[UUID_TEXT_MAX - 1] = '\0';
    return true;
}

static void set_grant_remedy(struct failure *failure, const struct key_vault_subject *subject,
                             bool by_policy, const char *message)
{
    char object_id[UUID_TEXT_MAX];
    const bool has_object_id = find_object_id(message, object_id);
    const char *assignee = has_object_id ? object_id : subject->assignee;

    if (!assignee)
        assignee = "PRINCIPAL";
    if (by_policy)
        failure_set_remedy(failure,
                           "allow %s in the vault's access policies: `az keyvault set-policy "
                           "--name %s --%s %s --secret-permissions get set recover`",
                           subject->principal, subject->vault_name,
                           has_object_id ? "object-id" : "spn", assignee);
    else
        failure_set_remedy(failure,
                           "assign %s the role \"Key Vault Secrets Officer\": `az role assignment "
                           "create --assignee %s --role \"Key Vault Secrets Officer\" --scope "
                           "\"$(az keyvault show --name %s --query id --output tsv)\"`; it takes "
                           "some minutes to work",
                           subject->principal, assignee, subject->vault_name);
}

static void set_remedy(struct failure *failure, const struct key_vault_subject *subject,
                       const struct meaning *meaning, const char *message)
{
    switch (meaning->words) {
    case WORDS_NONE:
        break;
    case WORDS_FIXED:
        failure_set_remedy(failure, "%s", meaning->remedy);
        break;
    case WORDS_ROLE:
    case WORDS_ACCESS_POLICY:
        set_grant_remedy(failure, subject, meaning->words == WORDS_ACCESS_POLICY, message);
        break;
    case WORDS_FIREWALL:
        failure_set_remedy(failure,
                           "let this machine through the vault's firewall (`az keyvault "
                           "network-rule add --name %s --ip-address ADDRESS`, with the address in "
                           "the message), or give it a private endpoint",
                           subject->vault_name);
        break;
    case WORDS_PRIVATE:
        failure_set_remedy(failure,
                           "the vault takes requests by private endpoint alone: let this machine "
                           "resolve %s to one, or permit public access (`az keyvault update --name "
                           "%s --public-network-access Enabled`)",
                           subject->vault, subject->vault_name);
        break;
    case WORDS_ENABLE:
        failure_set_remedy(failure,
                           "enable the secret, `az keyvault secret set-attributes --vault-name %s "
                           "--name %s --enabled true`, or let the target name another",
                           subject->vault_name, subject->name);
        break;
    case WORDS_RECOVER:
        failure_set_remedy(failure,
                           "recover it, `az keyvault secret recover --vault-name %s --name %s`, or "
                           "set `recover_deleted: true` for the target",
                           subject->vault_name, subject->name);
        break;
    case WORDS_TENANT:
        failure_set_remedy(
            failure,
            "use an identity of the vault's tenant%s%s instead of %s, and check this machine's "
            "clock",
            subject->tenant[0] == '\0' ? "" : " ", subject->tenant, subject->principal);
        break;
    }
}

/* "Key Vault contoso" */
static const char *name_service(const struct key_vault_subject *subject, char out[SERVICE_MAX])
{
    (void)snprintf(out, SERVICE_MAX, "Key Vault %s", subject->vault_name);
    return out;
}

/* The innermost code says most: "Forbidden" is explained by "ForbiddenByRbac". */
static const char *innermost_code(const struct cloud_error *error)
{
    for (size_t i = error->count; i > 0; i--) {
        if (error->items[i - 1].code[0] != '\0')
            return error->items[i - 1].code;
    }
    return "";
}

static void explain_error(struct failure *failure, const struct key_vault_subject *subject,
                          const struct cloud_error *error)
{
    const struct meaning *meaning = find_meaning(failure->http_status, error);
    const char *message = cloud_error_message(error);
    const char *code = innermost_code(error);
    char service[SERVICE_MAX];

    failure->reason = meaning->reason;
    azure_failure_set_error(failure, name_service(subject, service),
                            operation_names[subject->operation], code, message);
    set_remedy(failure, subject, meaning, message);
}

/* Explains a body that is not Azure's: something on the way answered instead. */
static void explain_stranger(struct failure *failure, const struct key_vault_subject *subject,
                             const struct http_reply *reply)
{
    char service[SERVICE_MAX];

    if (failure->http_status == 429)
        failure->reason = REASON_THROTTLED;
    azure_failure_set_stranger(failure, name_service(subject, service),
                               operation_names[subject->operation], reply);
    failure_set_remedy(failure,
                       "check `vault`, and what stands between this machine and Azure (proxy, "
                       "firewall)");
}

static void explain_silence(struct failure *failure, const struct http_reply *reply,
                            const struct key_vault_subject *subject)
{
    failure->reason = REASON_TARGET_FAILED;
    if (reply->outcome == HTTP_UNSENT && reply->error.code == -EPROTOTYPE)
        failure_set_remedy(failure,
                           "take the port out of `vault`; where it has none, see what answers "
                           "there instead of Azure (name server, firewall, proxy)");
    else if (reply->outcome == HTTP_UNSENT)
        failure_set_remedy(failure,
                           "check `vault` (`az keyvault show --name %s --query "
                           "properties.vaultUri`) and the way to it: name server, firewall, proxy, "
                           "ca_file; a vault with a private endpoint needs the zone "
                           "privatelink.vaultcore.azure.net",
                           subject->vault_name);
    else
        failure_set_remedy(failure, "none needed if it passes: delivery goes on by itself");
}

bool key_vault_reply_check(const struct http_reply *reply, const struct key_vault_subject *subject,
                           time_ms now, struct failure *failure)
{
    const bool changes = subject->operation == KEY_VAULT_SET;
    const bool redirected = reply->status >= 300 && reply->status < 400;
    struct cloud_error error;
    char service[SERVICE_MAX];

    if (failure_from_transport(failure, reply, name_service(subject, service), changes)) {
        explain_silence(failure, reply, subject);
        failure_note_ids(failure, reply);
        return false;
    }
    if (reply->status == 200)
        return true;
    azure_failure_begin(failure, REASON_TARGET_FAILED, reply, changes, now);
    if (!redirected && cloud_error_parse(&error, buf_str(&reply->body), reply->body.length))
        explain_error(failure, subject, &error);
    else if (!redirected && error.out_of_memory)
        azure_failure_set_shortage(failure, name_service(subject, service),
                                   operation_names[subject->operation]);
    else
        explain_stranger(failure, subject, reply);
    return false;
}

void key_vault_reply_unreadable(const struct http_reply *reply,
                                const struct key_vault_subject *subject, const char *problem,
                                struct failure *failure)
{
    char service[SERVICE_MAX];

    azure_failure_unusable(failure, REASON_TARGET_FAILED, reply,
                           subject->operation == KEY_VAULT_SET, name_service(subject, service),
                           operation_names[subject->operation], problem);
    failure_set_remedy(failure,
                       "check `vault`, and what stands between this machine and Azure (proxy, "
                       "firewall)");
}

bool key_vault_is_missing(const struct failure *failure)
{
    return failure->http_status == 404 && str_equal_nocase(failure->error_code, "SecretNotFound");
}

bool key_vault_is_deleted(const struct failure *failure)
{
    return failure->http_status == 409 &&
           str_equal_nocase(failure->error_code, "ObjectIsDeletedButRecoverable");
}

static void fail_by(const struct key_vault_subject *subject, const char *code, const char *what,
                    struct failure *failure)
{
    const struct meaning *meaning = meanings;

    while (!str_equal(meaning->code, code))
        meaning++;
    failure_init(failure, meaning->reason);
    failure_set_code(failure, code);
    failure_set_text(failure, "Key Vault %s: the secret %s %s", subject->vault_name, subject->name,
                     what);
    set_remedy(failure, subject, meaning, "");
}

void key_vault_fail_disabled(const struct key_vault_subject *subject, struct failure *failure)
{
    fail_by(subject, "SecretDisabled", "is disabled", failure);
}

void key_vault_fail_deleted(const struct key_vault_subject *subject, struct failure *failure)
{
    fail_by(subject, "ObjectIsDeletedButRecoverable",
            "is deleted but recoverable, so that its name cannot be used", failure);
}

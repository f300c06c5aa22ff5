#include "directory.h"

#include <json-c/linkhash.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "encode.h"
#include "http.h"
#include "memory.h"

#define TOKEN_BYTES 1152 /* in text as long as those of Entra ID are */

/* An action that is denied, or one of the few that are not. */
struct rule {
    char *client_id; /* NULL: every client */
    char *action;
    char *scope; /* NULL: everywhere */
};

struct rules {
    struct rule items[DIRECTORY_MAX_RULES];
    size_t count;
};

struct directory {
    struct principal *principals[DIRECTORY_MAX_PRINCIPALS];
    size_t principal_count;
    struct lh_table *tokens; /* token text → struct token, oldest first */
    struct rules denied;
    struct rules only; /* where there are any, no other action is allowed to their clients */
};

static void principal_free(struct principal *principal)
{
    for (size_t i = 0; i < principal->secret_count; i++)
        free(principal->secrets[i].value);
    X509_free(principal->certificate);
    X509_free(principal->authority);
    free(principal->subject);
    free(principal->tenant_id);
    free(principal->client_id);
    free(principal->object_id);
    free(principal->resource_id);
    free(principal->federated_issuer);
    free(principal->federated_subject);
    free(principal->federated_audience);
    EVP_PKEY_free(principal->federated_key);
    free(principal);
}

static void free_token_entry(struct lh_entry *entry)
{
    struct token *token = (struct token *)lh_entry_v(entry);

    free(lh_entry_k(entry));
    free(token->audience);
    free(token->claims);
    free(token);
}

static void add_default_principals(struct directory *directory)
{
    static const char *const defaults[] = {
        "{\"client_id\":\"" DIRECTORY_DEFAULT_CLIENT "\",\"object_id\":\"" DIRECTORY_DEFAULT_OBJECT
        "\",\"secret\":\"" DIRECTORY_DEFAULT_SECRET "\"}",
        "{\"client_id\":\"" DIRECTORY_MANAGED_CLIENT "\",\"object_id\":\"" DIRECTORY_MANAGED_OBJECT
        "\",\"managed\":true}",
    };
    char message[128];

    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
        struct json_object *properties = json_tokener_parse(defaults[i]);

        if (!directory_put(directory, properties, message, sizeof(message)))
            abort();
        json_object_put(properties);
    }
}

struct directory *directory_new(void)
{
    struct directory *directory = memory_zeroed(1, sizeof(*directory));

    directory->tokens = lh_kchar_table_new(64, free_token_entry);
    add_default_principals(directory);
    return directory;
}

void directory_free(struct directory *directory)
{
    if (!directory)
        return;
    lh_table_free(directory->tokens);
    for (size_t i = 0; i < directory->principal_count; i++)
        principal_free(directory->principals[i]);
    directory_clear_permissions(directory);
    free(directory);
}

static struct principal *find_by_client(const struct directory *directory, const char *client_id)
{
    for (size_t i = 0; i < directory->principal_count; i++) {
        struct principal *principal = directory->principals[i];

        if (!principal->deleted && strcasecmp(principal->client_id, client_id) == 0)
            return principal;
    }
    return NULL;
}

static bool replace_federated_key(struct principal *principal, const char *pem)
{
    BIO *input;

    if (!pem)
        return true;
    input = BIO_new_mem_buf(pem, -1);
    EVP_PKEY_free(principal->federated_key);
    principal->federated_key = PEM_read_bio_PUBKEY(input, NULL, NULL, NULL);
    BIO_free(input);
    return !!principal->federated_key;
}

/* *OLD stays where PEM holds no certificate. */
static bool replace_certificate(X509 **old, const char *pem)
{
    BIO *input = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(input, NULL, NULL, NULL);

    BIO_free(input);
    if (!certificate)
        return false;
    X509_free(*old);
    *old = certificate;
    return true;
}

static void replace_text(char **field, const char *text)
{
    if (text) {
        free(*field);
        *field = memory_text(text);
    }
}

static void add_secret(struct principal *principal, struct json_object *properties)
{
    const char *value = json_get_text(properties, "secret");
    struct json_object *expires = NULL;
    struct principal_secret *secret = NULL;

    if (!value)
        return;
    for (size_t i = 0; i < principal->secret_count; i++) {
        if (strcmp(principal->secrets[i].value, value) == 0)
            secret = &principal->secrets[i];
    }
    if (!secret && principal->secret_count == PRINCIPAL_MAX_SECRETS)
        free(principal->secrets[--principal->secret_count].value);
    if (!secret) {
        secret = &principal->secrets[principal->secret_count++];
        secret->value = memory_text(value);
    }
    json_object_object_get_ex(properties, "secret_expires", &expires);
    secret->expires = json_object_get_int64(expires);
}

/* Removes the secret, as somebody can in the portal. */
static void remove_secret(struct principal *principal, const char *value)
{
    for (size_t i = 0; value && i < principal->secret_count; i++) {
        if (strcmp(principal->secrets[i].value, value) == 0) {
            free(principal->secrets[i].value);
            principal->secrets[i] = principal->secrets[--principal->secret_count];
            return;
        }
    }
}

static struct principal *add_principal(struct directory *directory, const char *client_id)
{
    struct principal *principal = memory_zeroed(1, sizeof(*principal));
    char object_id[UUID_TEXT_SIZE];

    random_uuid(object_id);
    principal->client_id = memory_text(client_id);
    principal->tenant_id = memory_text(DIRECTORY_DEFAULT_TENANT);
    principal->object_id = memory_text(object_id);
    directory->principals[directory->principal_count++] = principal;
    return principal;
}

bool directory_put(struct directory *directory, struct json_object *properties, char *message,
                   size_t size)
{
    const char *client_id = json_get_text(properties, "client_id");
    const char *certificate = json_get_text(properties, "certificate");
    const char *authority = json_get_text(properties, "authority");
    struct json_object *federated = NULL, *managed = NULL;
    struct principal *principal;

    if (!client_id || *client_id == '\0') {
        snprintf(message, size, "client_id is required");
        return false;
    }
    principal = find_by_client(directory, client_id);
    if (!principal && directory->principal_count == DIRECTORY_MAX_PRINCIPALS) {
        snprintf(message, size, "there are %d clients already", DIRECTORY_MAX_PRINCIPALS);
        return false;
    }
    if (!principal)
        principal = add_principal(directory, client_id);
    if ((certificate && !replace_certificate(&principal->certificate, certificate)) ||
        (authority && !replace_certificate(&principal->authority, authority))) {
        snprintf(message, size, "certificate and authority must be PEM certificates");
        return false;
    }
    replace_text(&principal->subject, json_get_text(properties, "subject"));
    replace_text(&principal->tenant_id, json_get_text(properties, "tenant_id"));
    replace_text(&principal->object_id, json_get_text(properties, "object_id"));
    replace_text(&principal->resource_id, json_get_text(properties, "resource_id"));
    add_secret(principal, properties);
    remove_secret(principal, json_get_text(properties, "remove_secret"));
    if (json_object_object_get_ex(properties, "managed", &managed))
        principal->managed = json_object_get_boolean(managed);
    if (json_object_object_get_ex(properties, "federated", &federated)) {
        replace_text(&principal->federated_issuer, json_get_text(federated, "issuer"));
        replace_text(&principal->federated_subject, json_get_text(federated, "subject"));
        replace_text(&principal->federated_audience, json_get_text(federated, "audience"));
        if (!replace_federated_key(principal, json_get_text(federated, "public_key"))) {
            snprintf(message, size, "federated.public_key must be a PEM public key");
            return false;
        }
    }
    return true;
}

bool directory_delete(struct directory *directory, const char *client_id)
{
    struct principal *principal = find_by_client(directory, client_id);

    if (principal)
        principal->deleted = true;
    return !!principal;
}

bool directory_has_tenant(const struct directory *directory, const char *tenant_id)
{
    for (size_t i = 0; i < directory->principal_count; i++) {
        if (strcasecmp(directory->principals[i]->tenant_id, tenant_id) == 0)
            return true;
    }
    return false;
}

const struct principal *directory_find(const struct directory *directory, const char *tenant_id,
                                       const char *client_id)
{
    const struct principal *principal = find_by_client(directory, client_id);

    if (!principal || principal->managed || strcasecmp(principal->tenant_id, tenant_id) != 0)
        return NULL;
    return principal;
}

static bool matches_selector(const char *wanted, const char *value)
{
    return !wanted || (value && strcasecmp(wanted, value) == 0);
}

const struct principal *directory_find_managed(const struct directory *directory,
                                               const char *client_id, const char *object_id,
                                               const char *resource_id)
{
    for (size_t i = 0; i < directory->principal_count; i++) {
        const struct principal *principal = directory->principals[i];

        if (!principal->deleted && principal->managed &&
            matches_selector(client_id, principal->client_id) &&
            matches_selector(object_id, principal->object_id) &&
            matches_selector(resource_id, principal->resource_id))
            return principal;
    }
    return NULL;
}

const char *directory_issue_token(struct directory *directory, const struct principal *principal,
                                  const char *audience, const char *claims, int64_t lifetime_s)
{
    struct token *token = memory_zeroed(1, sizeof(*token));
    char *text = random_base64url(TOKEN_BYTES);

    if (lh_table_length(directory->tokens) >= DIRECTORY_MAX_TOKENS)
        lh_table_delete_entry(directory->tokens, directory->tokens->head);
    token->principal = principal;
    token->audience = memory_text(audience);
    token->claims = !claims ? NULL : memory_text(claims);
    token->expires_us = clock_wall_us() + lifetime_s * CLOCK_US_PER_SECOND;
    lh_table_insert(directory->tokens, text, token);
    return text;
}

enum bearer_state directory_check_bearer(struct directory *directory, const char *authorization,
                                         const struct token **token)
{
    static const char scheme[] = "Bearer ";
    void *found;

    *token = NULL;
    if (*authorization == '\0')
        return BEARER_ABSENT;
    if (strncasecmp(authorization, scheme, strlen(scheme)) != 0 ||
        !lh_table_lookup_ex(directory->tokens, authorization + strlen(scheme), &found))
        return BEARER_UNKNOWN;
    *token = found;
    return (*token)->expires_us <= clock_wall_us() ? BEARER_EXPIRED : BEARER_VALID;
}

void directory_forget_tokens(struct directory *directory)
{
    lh_table_free(directory->tokens);
    directory->tokens = lh_kchar_table_new(64, free_token_entry);
}

static void rule_done(struct rule *rule)
{
    free(rule->client_id);
    free(rule->action);
    free(rule->scope);
}

static bool same_or_both_null(const char *a, const char *b)
{
    return !a || !b ? a == b : strcasecmp(a, b) == 0;
}

static void take_away(struct rules *rules, const char *client_id, const char *action,
                      const char *scope)
{
    for (size_t i = 0; i < rules->count; i++) {
        struct rule *rule = &rules->items[i];

        if (strcasecmp(rule->action, action) != 0 ||
            !same_or_both_null(rule->client_id, client_id) ||
            !same_or_both_null(rule->scope, scope))
            continue;
        rule_done(rule);
        *rule = rules->items[--rules->count];
        return;
    }
}

bool directory_put_permission(struct directory *directory, struct json_object *properties,
                              char *message, size_t size)
{
    const char *effect = json_get_text(properties, "effect");
    const char *action = json_get_text(properties, "action");
    const char *client_id = json_get_text(properties, "client_id");
    const char *scope = json_get_text(properties, "scope");
    bool allow = effect && strcmp(effect, "allow") == 0;
    bool only = effect && strcmp(effect, "only") == 0;
    struct rules *rules = only ? &directory->only : &directory->denied;

    if (!action || (effect && !allow && !only && strcmp(effect, "deny") != 0)) {
        snprintf(message, size, "action is required; effect must be deny, allow or only");
        return false;
    }
    take_away(rules, client_id, action, scope);
    if (allow)
        return true;
    if (rules->count == DIRECTORY_MAX_RULES) {
        snprintf(message, size, "there are %d such permissions already", DIRECTORY_MAX_RULES);
        return false;
    }
    rules->items[rules->count++] =
        (struct rule){memory_text(client_id), memory_text(action), memory_text(scope)};
    return true;
}

void directory_clear_permissions(struct directory *directory)
{
    while (directory->denied.count > 0)
        rule_done(&directory->denied.items[--directory->denied.count]);
    while (directory->only.count > 0)
        rule_done(&directory->only.items[--directory->only.count]);
}

static bool is_about(const struct rule *rule, const struct principal *principal)
{
    return !rule->client_id || strcasecmp(rule->client_id, principal->client_id) == 0;
}

static bool covers(const struct rule *rule, const char *action, const char *scope)
{
    return strcasecmp(rule->action, action) == 0 &&
           (!rule->scope || strncasecmp(rule->scope, scope, strlen(rule->scope)) == 0);
}

bool directory_denies(const struct directory *directory, const struct principal *principal,
                      const char *action, const char *scope)
{
    bool limited = false, granted = false;

    for (size_t i = 0; i < directory->denied.count; i++)
        if (is_about(&directory->denied.items[i], principal) &&
            covers(&directory->denied.items[i], action, scope))
            return true;
    for (size_t i = 0; i < directory->only.count; i++) {
        const struct rule *rule = &directory->only.items[i];

        limited = limited || is_about(rule, principal);
        granted = granted || (is_about(rule, principal) && covers(rule, action, scope));
    }
    return limited && !granted;
}

/* Who may do what: principals (applications and managed identities) with their credentials, the
 * tokens issued to them, and denied actions. Callers hold the simulator's lock. */
#ifndef AZURESIM_DIRECTORY_H
#define AZURESIM_DIRECTORY_H

#include <json-c/json.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIRECTORY_DEFAULT_TENANT "11111111-1111-1111-1111-111111111111"
#define DIRECTORY_DEFAULT_CLIENT "22222222-2222-2222-2222-222222222222"
#define DIRECTORY_DEFAULT_SECRET "sim-client-secret"
#define DIRECTORY_DEFAULT_OBJECT "44444444-4444-4444-4444-444444444444"
#define DIRECTORY_MANAGED_CLIENT "33333333-3333-3333-3333-333333333333"
#define DIRECTORY_MANAGED_OBJECT "55555555-5555-5555-5555-555555555555"
#define DIRECTORY_MAX_PRINCIPALS 1000
#define DIRECTORY_MAX_TOKENS     100000
#define DIRECTORY_MAX_RULES      1000
#define PRINCIPAL_MAX_SECRETS    16

struct principal_secret {
    char *value;
    int64_t expires; /* epoch seconds; 0: never */
};

struct principal {
    char *tenant_id;
    char *client_id;
    char *object_id;
    char *resource_id; /* of a user-assigned managed identity; may be NULL */
    bool managed;      /* reached through IMDS, not through the token endpoint */
    bool deleted;      /* tokens may still point here */
    struct principal_secret secrets[PRINCIPAL_MAX_SECRETS];
    size_t secret_count;
    X509 *certificate;      /* checks client assertions; may be NULL */
    X509 *authority;        /* instead: it signed the certificate, in the assertion's chain … */
    char *subject;          /* … of this subject: "CN=app" */
    char *federated_issuer; /* workload identity federation; NULL: none */
    char *federated_subject;
    char *federated_audience;
    EVP_PKEY *federated_key; /* of the issuer; NULL: signatures are not checked */
};

struct token {
    const struct principal *principal;
    char *audience;
    char *claims;       /* that it was asked for with, as JSON; NULL: none */
    int64_t expires_us; /* wall clock */
};

struct directory;

/* A directory with the default application and managed identity. */
struct directory *directory_new(void);
void directory_free(struct directory *directory);

/* Adds or changes the principal that PROPERTIES (body of POST /_sim/clients) describe. Returns
 * false with a reason in MESSAGE. */
bool directory_put(struct directory *directory, struct json_object *properties, char *message,
                   size_t size);

/* Marks the client as deleted. Returns false where there is none. */
bool directory_delete(struct directory *directory, const char *client_id);

bool directory_has_tenant(const struct directory *directory, const char *tenant_id);

/* The application CLIENT_ID in TENANT_ID, or NULL. */
const struct principal *directory_find(const struct directory *directory, const char *tenant_id,
                                       const char *client_id);

/* The managed identity that the selector names (NULL: not given; all NULL: the default one). */
const struct principal *directory_find_managed(const struct directory *directory,
                                               const char *client_id, const char *object_id,
                                               const char *resource_id);

/* Issues a token that lives LIFETIME_S seconds; the text is owned by the directory. Whoever hands
 * it out writes it down (truth_token()). */
const char *directory_issue_token(struct directory *directory, const struct principal *principal,
                                  const char *audience, const char *claims, int64_t lifetime_s);

enum bearer_state { BEARER_ABSENT, BEARER_UNKNOWN, BEARER_EXPIRED, BEARER_VALID };

/* Looks up the token in an Authorization header; *TOKEN is set for expired and valid ones. */
enum bearer_state directory_check_bearer(struct directory *directory, const char *authorization,
                                         const struct token **token);

/* Makes every token issued so far unknown. */
void directory_forget_tokens(struct directory *directory);

/* Adds (or with "effect":"allow" removes) a denial: {"client_id","action","scope"}; client and
 * scope may be absent, meaning all. With "effect":"only", all actions but these are denied. */
bool directory_put_permission(struct directory *directory, struct json_object *properties,
                              char *message, size_t size);

void directory_clear_permissions(struct directory *directory);

/* Whether PRINCIPAL is denied ACTION at SCOPE or above it. */
bool directory_denies(const struct directory *directory, const struct principal *principal,
                      const char *action, const char *scope);

#endif

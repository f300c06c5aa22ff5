#include "io/access/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/must.h"
#include "base/sealed.h"
#include "base/str.h"
#include "core/backoff.h"
#include "conf/identity.h"
#include "core/reason.h"
#include "io/access/credential.h"
#include "io/access/identity_copy.h"
#include "proto/claims.h"
#include "proto/failure.h"

/* A token must outlive the request that carries it. */
#define EXPIRY_MARGIN    (30 * MS_SECOND)
#define FAILURE_INITIAL  (2 * MS_SECOND)
#define FAILURE_LONGEST  MS_MINUTE
#define INVALIDATE_EVERY (10 * MS_SECOND)

enum { KEY_MAX = 64 * 1024 };

struct token_entry {
    struct list link;
    struct token_cache *cache;
    char *key; /* all that the token depends on, in one string */
    char *login;
    char *audience;
    struct identity identity; /* with strings of its own */
    struct list waiting;
    struct credential credential;

    struct sealed *token;
    uint64_t generation;
    duration_ms good_until;
    duration_ms refresh_at;
    duration_ms invalidated_at;
    bool invalidated;
    char *claims; /* that the next token must carry; NULL: none */
    char *asked;  /* those of the last request */
    duration_ms challenged_at;
    bool challenged;
    bool fetch_is_stale; /* the token under way was asked for before `claims` were demanded */

    uint64_t seed;     /* random, so that machines with the same configuration do not send
                        * requests in step */
    uint32_t failures; /* in a row */
    duration_ms silent_until;
};

struct token_cache {
    struct loop *loop;
    struct log *log;
    duration_ms (*clock)(void);
    struct credential_world world;
    char *login;
    char *credentials_directory;
    struct list entries;
    struct expiry_book expiries;
    struct deferred settle;
    uint64_t last_generation;
    bool closing;
    void (*closed)(void *context);
    void *closed_context;
};

static void start_fetch(struct token_entry *entry);
static void on_fetched(struct credential *credential, struct access_token *token, bool canceled);
static void maybe_closed(struct token_cache *cache);

/* --- entries --- */

static char *compose_key(const char *login, const struct identity *identity, const char *audience)
{
    struct buf key;
    char *text;

    buf_init(&key, KEY_MAX);
    buf_append_format(&key, "%s\n%s\n%s\n%s", identity->name, identity->type->variant.name,
                      login ? login : "", audience);
    for (size_t i = 0; i < IDENTITY_SETTINGS_MAX; i++)
        buf_append_format(&key, "\n%s", identity->settings[i] ? identity->settings[i] : "");
    if (key.failed)
        fault_out_of_memory();
    text = must_dup(buf_str(&key));
    buf_done(&key);
    return text;
}

static struct token_entry *find_entry(struct token_cache *cache, const char *key)
{
    list_for_each_entry (entry, &cache->entries, struct token_entry, link) {
        if (strcmp(entry->key, key) == 0)
            return entry;
    }
    return NULL;
}

static void entry_free(struct token_entry *entry)
{
    identity_copy_done(&entry->identity);
    sealed_free(entry->token);
    free(entry->key);
    free(entry->login);
    free(entry->audience);
    free(entry->claims);
    free(entry->asked);
    free(entry);
}

/* Takes the key. */
static struct token_entry *entry_new(struct token_cache *cache, char *key,
                                     const struct identity *identity, const char *audience)
{
    struct token_entry *entry = must_alloc(sizeof(*entry));

    entry->cache = cache;
    entry->key = key;
    entry->login = must_dup(cache->login ? cache->login : "");
    entry->audience = must_dup(audience);
    entry->identity = identity_copy(identity);
    (void)crypto_random(&entry->seed, sizeof(entry->seed)); /* without it, 0 will do */
    list_init(&entry->waiting);
    credential_init(&entry->credential, &cache->world, on_fetched);
    list_append(&cache->entries, &entry->link);
    return entry;
}

static bool is_good(const struct token_entry *entry, duration_ms now)
{
    return entry->token && now < entry->good_until;
}

static void on_entry_closed(struct credential *credential)
{
    struct token_entry *entry = container_of(credential, struct token_entry, credential);
    struct token_cache *cache = entry->cache;

    list_remove(&entry->link);
    entry_free(entry);
    maybe_closed(cache);
}

/* Closes entries of identities that a reload removed, once their token is of no more use. */
static void close_stale_entries(struct token_cache *cache)
{
    duration_ms now = cache->clock();

    list_for_each_entry (entry, &cache->entries, struct token_entry, link) {
        if (!entry->credential.closed && !entry->credential.under_way &&
            list_empty(&entry->waiting) && !is_good(entry, now) && now >= entry->silent_until) {
            log_ended(cache->log, loop_now(cache->loop), "token.failed", entry->key, true);
            entry->key[0] = '\0';
            credential_close(&entry->credential, on_entry_closed);
        }
    }
}

/* --- handing out --- */

/* Completes all waiting requests at once. They are moved aside first, so that a new request from a
 * callback waits for the next token. */
static void complete_all(struct token_entry *entry, const struct token_result *result)
{
    struct list told, *link;

    list_init(&told);
    while ((link = list_pop(&entry->waiting)))
        list_append(&told, link);
    while ((link = list_pop(&told))) {
        struct token_request *request = container_of(link, struct token_request, link);

        request->done(request, result);
    }
}

/* The only place that decides the result of waiting requests: the token, the failure, or a longer
 * wait. */
static void settle(struct token_entry *entry)
{
    struct token_cache *cache = entry->cache;
    duration_ms now = cache->clock();
    bool wanted = !list_empty(&entry->waiting);

    if (is_good(entry, now)) {
        if (wanted && now >= entry->refresh_at && now >= entry->silent_until &&
            !entry->credential.under_way)
            start_fetch(entry);
        complete_all(entry, &(struct token_result){.failure = NULL});
    } else if (!wanted || entry->credential.under_way) {
        return;
    } else if (now < entry->silent_until) {
        struct failure failure = entry->credential.failure;

        failure.retry_after = entry->silent_until - now;
        complete_all(entry, &(struct token_result){.failure = &failure});
    } else {
        start_fetch(entry);
    }
}

static void on_settle(struct deferred *deferred)
{
    struct token_cache *cache = container_of(deferred, struct token_cache, settle);

    close_stale_entries(cache);
    list_for_each (link, &cache->entries)
        settle(container_of(link, struct token_entry, link));
}

/* --- fetching --- */

static void log_failure(struct token_entry *entry)
{
    const struct failure *failure = &entry->credential.failure;
    struct token_cache *cache = entry->cache;
    time_ms now = loop_now(cache->loop);
    struct log_line line;

    log_line_start(&line, now, LEVEL_WARNING, "token.failed", "%s", failure->text);
    log_line_lasts(&line, entry->key);
    log_line_text(&line, "identity", entry->identity.name);
    log_line_text(&line, "reason", reason_describe(failure->reason)->name);
    log_line_text(&line, "remedy",
                  failure->remedy[0] != '\0' ? failure->remedy
                                             : reason_describe(failure->reason)->remedy);
    if (failure->http_status != 0)
        log_line_number(&line, "http_status", failure->http_status);
    log_line_text(&line, "error_code", str_or_null(failure->error_code));
    log_line_text(&line, "request_id", str_or_null(failure->request_id));
    log_line_text(&line, "correlation_id", str_or_null(failure->correlation_id));
    log_line_number(&line, "attempt", entry->failures);
    log_line_time(&line, "retry_at", time_add(now, entry->silent_until - cache->clock()));
    log_emit(cache->log, &line);
}

static void fetch_failed(struct token_entry *entry)
{
    entry->failures++;
    entry->silent_until =
        entry->cache->clock() + backoff_delay(FAILURE_INITIAL, FAILURE_LONGEST, entry->failures,
                                              entry->seed, entry->credential.failure.retry_after);
    log_failure(entry);
    settle(entry);
}

static void log_acquired(struct token_entry *entry, duration_ms lifetime)
{
    struct token_cache *cache = entry->cache;
    char words[DURATION_TEXT_MAX];
    struct log_line line;

    log_line_start(&line, loop_now(cache->loop), LEVEL_DEBUG, "token.acquired",
                   "token for %s acquired, good for %s", entry->audience,
                   duration_to_words(lifetime, words));
    log_line_text(&line, "identity", entry->identity.name);
    log_emit(cache->log, &line);
}

/* One token carries the claims; whether its successors must, the service says again. */
static void forget_claims(struct token_entry *entry)
{
    free(entry->claims);
    entry->claims = NULL;
}

/* Takes the token. */
static void fetch_succeeded(struct token_entry *entry, struct access_token *token)
{
    duration_ms now = entry->cache->clock();
    duration_ms margin =
        token->lifetime / 10 < EXPIRY_MARGIN ? token->lifetime / 10 : EXPIRY_MARGIN;
    struct sealed *sealed = must(sealed_new(token->token));

    access_token_done(token);
    log_ended(entry->cache->log, loop_now(entry->cache->loop), "token.failed", entry->key, false);
    entry->failures = 0;
    entry->silent_until = 0;
    sealed_free(entry->token);
    entry->token = sealed;
    entry->generation = ++entry->cache->last_generation;
    entry->good_until = now + token->lifetime - margin;
    entry->refresh_at = now + token->refresh_after;
    forget_claims(entry);
    log_acquired(entry, token->lifetime);
    expiry_book_note(&entry->cache->expiries, entry->identity.name, &entry->credential.expiry,
                     loop_now(entry->cache->loop));
    settle(entry);
}

static void on_fetched(struct credential *credential, struct access_token *token, bool canceled)
{
    struct token_entry *entry = container_of(credential, struct token_entry, credential);

    if (token && entry->fetch_is_stale) {
        access_token_done(token);
        settle(entry);
    } else if (canceled) {
        complete_all(entry, &(struct token_result){.canceled = true});
    } else if (token) {
        fetch_succeeded(entry, token);
    } else {
        fetch_failed(entry);
    }
}

static void start_fetch(struct token_entry *entry)
{
    struct credential_wish wish = {
        .identity = &entry->identity,
        .login = entry->login,
        .audience = entry->audience,
        .credentials_directory = entry->cache->credentials_directory,
    };

    free(entry->asked);
    entry->asked = must_dup(entry->claims);
    wish.claims = entry->asked;
    entry->fetch_is_stale = false;
    credential_start(&entry->credential, credential_source_of(entry->identity.type), &wish);
}

/* --- for those who need a token --- */

void token_request_init(struct token_request *request,
                        void (*done)(struct token_request *request,
                                     const struct token_result *result))
{
    list_init(&request->link);
    request->done = done;
}

void token_get(struct token_cache *cache, struct token_request *request,
               const struct identity *identity, const char *audience)
{
    char *key = compose_key(cache->login, identity, audience);
    struct token_entry *entry = find_entry(cache, key);

    if (entry)
        free(key);
    else
        entry = entry_new(cache, key, identity, audience);
    list_append(&entry->waiting, &request->link);
    loop_defer(cache->loop, &cache->settle);
}

void token_cancel(struct token_request *request)
{
    list_remove(&request->link);
}

static struct token_entry *find_for(struct token_cache *cache, const struct identity *identity,
                                    const char *audience)
{
    char *key = compose_key(cache->login, identity, audience);
    struct token_entry *entry = find_entry(cache, key);

    free(key);
    return entry;
}

bool token_open(struct token_cache *cache, const struct identity *identity, const char *audience,
                struct secret **ret_token, uint64_t *ret_generation)
{
    struct token_entry *entry = find_for(cache, identity, audience);

    *ret_token = NULL;
    if (!entry || !is_good(entry, cache->clock()))
        return false;
    *ret_token = must(sealed_open(entry->token));
    *ret_generation = entry->generation;
    return true;
}

/* Takes the claims, which may be NULL. Returns true where they have not been asked for just now. */
static bool take_claims(struct token_entry *entry, char *claims, duration_ms now)
{
    if (!claims || (entry->challenged && now - entry->challenged_at < INVALIDATE_EVERY)) {
        free(claims);
        return false;
    }
    free(entry->claims);
    entry->claims = claims;
    entry->challenged = true;
    entry->challenged_at = now;
    entry->fetch_is_stale = entry->credential.under_way;
    return true;
}

bool token_invalidate(struct token_cache *cache, const struct identity *identity,
                      const char *audience, uint64_t generation, const struct http_reply *refusal)
{
    struct token_entry *entry = find_for(cache, identity, audience);
    duration_ms now = cache->clock();
    bool has_new_claims;

    if (!entry || entry->generation != generation || !entry->token)
        return true;
    has_new_claims = take_claims(entry, refusal ? claims_of_challenge(refusal) : NULL, now);
    if (!has_new_claims && entry->invalidated && now - entry->invalidated_at < INVALIDATE_EVERY)
        return false;
    entry->invalidated = true;
    entry->invalidated_at = now;
    sealed_free(entry->token);
    entry->token = NULL;
    return true;
}

void token_explain_refusal(const struct identity *identity, const struct http_reply *refusal,
                           struct failure *failure)
{
    char principal[IDENTITY_PRINCIPAL_MAX];
    char *claims = claims_of_challenge(refusal);

    if (!claims)
        return;
    free(claims);
    identity_describe_principal(identity, principal);
    if (identity_setting(identity, "tenant_id") && identity_setting(identity, "client_id"))
        failure_set_remedy(failure,
                           "see the sign-in log of %s (Service principal sign-ins): the service "
                           "refuses a token that carries the claims which it demanded, as it does "
                           "where a conditional access policy does not admit this address, or the "
                           "application was disabled just now",
                           principal);
    else
        failure_set_remedy(failure,
                           "let the conditional access policies admit %s from here: the service "
                           "demands claims, which a token of that kind cannot carry, and a new one "
                           "was refused as well; an identity of type client_certificate or "
                           "workload_identity can answer it",
                           principal);
}

/* --- life --- */

struct token_cache *token_cache_new(struct loop *loop, struct http *http, struct log *log,
                                    duration_ms (*clock)(void))
{
    struct token_cache *cache = must_alloc(sizeof(*cache));

    cache->loop = loop;
    cache->log = log;
    cache->clock = clock;
    cache->world = (struct credential_world){.loop = loop, .http = http, .clock = clock};
    list_init(&cache->entries);
    expiry_book_init(&cache->expiries, log);
    deferred_init(&cache->settle, on_settle);
    return cache;
}

void token_cache_set_login(struct token_cache *cache, const char *login)
{
    free(cache->login);
    cache->login = must_dup(login);
    list_for_each (link, &cache->entries)
        container_of(link, struct token_entry, link)->silent_until = 0;
}

void token_cache_keep_expiries(struct token_cache *cache, const struct config *config)
{
    expiry_book_keep(&cache->expiries, config);
}

bool token_cache_first_expiry(const struct token_cache *cache, const char **ret_identity,
                              const struct credential_expiry **ret_expiry)
{
    return expiry_book_first(&cache->expiries, ret_identity, ret_expiry);
}

void token_cache_set_credentials_directory(struct token_cache *cache, const char *directory)
{
    free(cache->credentials_directory);
    cache->credentials_directory = must_dup(directory);
}

void token_cache_set_spawner(struct token_cache *cache, struct spawner *spawner)
{
    cache->world.spawner = spawner;
}

static void maybe_closed(struct token_cache *cache)
{
    void (*closed)(void *context) = cache->closed;
    void *context = cache->closed_context;

    if (!cache->closing || !list_empty(&cache->entries))
        return;
    loop_defer_cancel(&cache->settle);
    expiry_book_done(&cache->expiries);
    free(cache->login);
    free(cache->credentials_directory);
    free(cache);
    closed(context);
}

static void on_close(struct deferred *deferred)
{
    maybe_closed(container_of(deferred, struct token_cache, settle));
}

void token_cache_close(struct token_cache *cache, void (*closed)(void *context), void *context)
{
    cache->closing = true;
    cache->closed = closed;
    cache->closed_context = context;
    list_for_each (link, &cache->entries)
        credential_close(&container_of(link, struct token_entry, link)->credential,
                         on_entry_closed);
    loop_defer_cancel(&cache->settle);
    deferred_init(&cache->settle, on_close);
    loop_defer(cache->loop, &cache->settle);
}

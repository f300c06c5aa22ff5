#include "io/access/token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/sealed.h"
#include "base/str.h"
#include "core/backoff.h"
#include "core/reason.h"
#include "io/access/client_secret.h"
#include "proto/entra.h"
#include "proto/failure.h"
#include "proto/imds.h"

/* A token must outlive the request that carries it. */
#define EXPIRY_MARGIN    (30 * MS_SECOND)
#define FAILURE_INITIAL  (2 * MS_SECOND)
#define FAILURE_LONGEST  MS_MINUTE
#define INVALIDATE_EVERY (10 * MS_SECOND)

struct token_entry {
    struct list link;
    struct token_cache *cache;
    char *key; /* all that the token depends on, in one string */
    char *login;
    char *audience;
    struct identity identity; /* with strings of its own */
    struct list waiting;

    struct http_call *call; /* may be NULL even while `exchanging` */
    bool exchanging;        /* on_reply() is still to come */
    bool fetching;          /* a request is under way, or will be repeated shortly */
    unsigned attempts;
    duration_ms fetch_started;
    struct timer repeat;

    struct sealed *token;
    uint64_t generation;
    duration_ms good_until;
    duration_ms refresh_at;
    duration_ms invalidated_at;
    bool invalidated;

    uint64_t seed;     /* random: machines with one configuration are not to ask in step */
    uint32_t failures; /* in a row */
    duration_ms silent_until;
    struct failure failure; /* the last one */
};

struct token_cache {
    struct loop *loop;
    struct http *http;
    struct log *log;
    duration_ms (*clock)(void);
    char *login;
    char *credentials_directory;
    struct list entries;
    struct deferred settle;
    uint64_t last_generation;
    bool closing;
    void (*closed)(void *context);
    void *closed_context;
};

static void start_fetch(struct token_entry *entry);
static void maybe_closed(struct token_cache *cache);

/* --- entries --- */

static const char *or_blank(const char *text)
{
    return text ? text : "";
}

static char *compose_key(const char *login, const struct identity *identity, const char *audience)
{
    return str_format("%s\n%d\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s", identity->name, identity->type,
                      or_blank(login), or_blank(identity->tenant_id), or_blank(identity->client_id),
                      or_blank(identity->client_secret_file), or_blank(identity->object_id),
                      or_blank(identity->resource_id), or_blank(identity->endpoint), audience);
}

static struct token_entry *find_entry(struct token_cache *cache, const char *key)
{
    list_for_each (link, &cache->entries) {
        struct token_entry *entry = container_of(link, struct token_entry, link);

        if (strcmp(entry->key, key) == 0)
            return entry;
    }
    return NULL;
}

static bool copy_text(const char **out, const char *text)
{
    *out = str_dup(text);
    return *out || !text;
}

static bool copy_identity(struct identity *out, const struct identity *identity)
{
    out->type = identity->type;
    return copy_text(&out->name, identity->name) &&
           copy_text(&out->tenant_id, identity->tenant_id) &&
           copy_text(&out->client_id, identity->client_id) &&
           copy_text(&out->client_secret_file, identity->client_secret_file) &&
           copy_text(&out->object_id, identity->object_id) &&
           copy_text(&out->resource_id, identity->resource_id) &&
           copy_text(&out->endpoint, identity->endpoint);
}

static void entry_free(struct token_entry *entry)
{
    const char *const texts[] = {entry->identity.name,      entry->identity.tenant_id,
                                 entry->identity.client_id, entry->identity.client_secret_file,
                                 entry->identity.object_id, entry->identity.resource_id,
                                 entry->identity.endpoint};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free((void *)(uintptr_t)texts[i]);
    sealed_free(entry->token);
    free(entry->key);
    free(entry->login);
    free(entry->audience);
    free(entry);
}

static void on_repeat(struct timer *timer)
{
    start_fetch(container_of(timer, struct token_entry, repeat));
}

/* Takes the key. */
static struct token_entry *entry_new(struct token_cache *cache, char *key,
                                     const struct identity *identity, const char *audience)
{
    struct token_entry *entry = calloc(1, sizeof(*entry));

    if (!entry) {
        free(key);
        return NULL;
    }
    entry->cache = cache;
    entry->key = key;
    entry->login = str_dup(or_blank(cache->login));
    entry->audience = str_dup(audience);
    if (!entry->login || !entry->audience || !copy_identity(&entry->identity, identity)) {
        entry_free(entry);
        return NULL;
    }
    (void)crypto_random(&entry->seed, sizeof(entry->seed)); /* without it, 0 will do */
    list_init(&entry->waiting);
    timer_init(cache->loop, &entry->repeat, on_repeat);
    list_append(&cache->entries, &entry->link);
    return entry;
}

static bool is_good(const struct token_entry *entry, duration_ms now)
{
    return entry->token && now < entry->good_until;
}

static void on_entry_closed(struct timer *timer)
{
    struct token_entry *entry = container_of(timer, struct token_entry, repeat);
    struct token_cache *cache = entry->cache;

    list_remove(&entry->link);
    entry_free(entry);
    maybe_closed(cache);
}

/* Entries of identities that a reload took away have nothing left to give after a while. */
static void close_stale_entries(struct token_cache *cache)
{
    duration_ms now = cache->clock();

    list_for_each (link, &cache->entries) {
        struct token_entry *entry = container_of(link, struct token_entry, link);

        if (!entry->repeat.closing && !entry->fetching && list_empty(&entry->waiting) &&
            !is_good(entry, now) && now >= entry->silent_until) {
            log_ended(cache->log, loop_now(cache->loop), "token.failed", entry->key, true);
            entry->key[0] = '\0';
            timer_close(&entry->repeat, on_entry_closed);
        }
    }
}

/* --- handing out --- */

/* Everybody who waits is told at once. They are taken aside first: one who asks again right away
 * waits for the next time. */
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

/* The one place that decides what those who wait get: the token, the failure, or patience. */
static void settle(struct token_entry *entry)
{
    struct token_cache *cache = entry->cache;
    duration_ms now = cache->clock();
    bool wanted = !list_empty(&entry->waiting);

    if (is_good(entry, now)) {
        if (wanted && now >= entry->refresh_at && now >= entry->silent_until && !entry->fetching)
            start_fetch(entry);
        complete_all(entry, &(struct token_result){.failure = NULL});
    } else if (!wanted || entry->fetching) {
        return;
    } else if (now < entry->silent_until) {
        struct failure failure = entry->failure;

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
    const struct failure *failure = &entry->failure;
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
    log_line_text(&line, "error_code", failure->error_code[0] ? failure->error_code : NULL);
    log_line_text(&line, "request_id", failure->request_id[0] ? failure->request_id : NULL);
    log_line_text(&line, "correlation_id",
                  failure->correlation_id[0] ? failure->correlation_id : NULL);
    log_line_number(&line, "attempt", entry->failures);
    log_line_time(&line, "retry_at", time_add(now, entry->silent_until - cache->clock()));
    log_emit(cache->log, &line);
}

static void fetch_failed(struct token_entry *entry)
{
    entry->fetching = false;
    entry->failures++;
    entry->silent_until =
        entry->cache->clock() + backoff_delay(FAILURE_INITIAL, FAILURE_LONGEST, entry->failures,
                                              entry->seed, entry->failure.retry_after);
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

static void fetch_lacks_memory(struct token_entry *entry)
{
    failure_init(&entry->failure, REASON_TOKEN_FAILED);
    failure_set_text(&entry->failure, "there is no memory for the token");
    fetch_failed(entry);
}

/* Takes the token. */
static void fetch_succeeded(struct token_entry *entry, struct access_token *token)
{
    duration_ms now = entry->cache->clock();
    duration_ms margin =
        token->lifetime / 10 < EXPIRY_MARGIN ? token->lifetime / 10 : EXPIRY_MARGIN;
    struct sealed *sealed = sealed_new(token->token);

    access_token_done(token);
    if (!sealed) {
        fetch_lacks_memory(entry);
        return;
    }
    entry->fetching = false;
    log_ended(entry->cache->log, loop_now(entry->cache->loop), "token.failed", entry->key, false);
    entry->failures = 0;
    entry->silent_until = 0;
    sealed_free(entry->token);
    entry->token = sealed;
    entry->generation = ++entry->cache->last_generation;
    entry->good_until = now + token->lifetime - margin;
    entry->refresh_at = now + token->refresh_after;
    log_acquired(entry, token->lifetime);
    settle(entry);
}

static struct imds_identity imds_identity_of(const struct token_entry *entry)
{
    return (struct imds_identity){.endpoint = entry->identity.endpoint,
                                  .client_id = entry->identity.client_id,
                                  .object_id = entry->identity.object_id,
                                  .resource_id = entry->identity.resource_id,
                                  .audience = entry->audience};
}

static struct entra_client entra_client_of(const struct token_entry *entry)
{
    return (struct entra_client){.login = entry->login,
                                 .tenant_id = entry->identity.tenant_id,
                                 .client_id = entry->identity.client_id,
                                 .audience = entry->audience};
}

static void fetch_canceled(struct token_entry *entry)
{
    entry->fetching = false;
    complete_all(entry, &(struct token_result){.canceled = true});
    if (entry->cache->closing)
        timer_close(&entry->repeat, on_entry_closed);
}

static void on_reply(void *context, struct http_reply *reply)
{
    struct token_entry *entry = context;
    struct token_cache *cache = entry->cache;
    time_ms now = loop_now(cache->loop);
    struct access_token token;
    int rc;

    entry->call = NULL;
    entry->exchanging = false;
    if (reply->outcome == HTTP_CANCELED || cache->closing) {
        fetch_canceled(entry);
        return;
    }
    if (entry->identity.type == IDENTITY_MANAGED_IDENTITY) {
        struct imds_identity identity = imds_identity_of(entry);
        duration_ms pause =
            imds_retry_delay(reply, entry->attempts, cache->clock() - entry->fetch_started, now);

        if (pause > 0) {
            timer_set_delay(&entry->repeat, pause);
            return;
        }
        rc = imds_token_reply(&token, reply, &identity, now, &entry->failure);
    } else {
        struct entra_client client = entra_client_of(entry);

        rc = entra_token_reply(&token, reply, &client, now, &entry->failure);
    }
    if (rc < 0)
        fetch_failed(entry);
    else
        fetch_succeeded(entry, &token);
}

static void not_built(struct failure *failure, const struct err *err)
{
    failure_init(failure, REASON_TOKEN_FAILED);
    failure_set_text(failure, "%s", err->text);
}

static int build_entra_request(struct token_entry *entry, struct http_request *request)
{
    struct entra_client client = entra_client_of(entry);
    char client_request_id[UUID_TEXT_MAX];
    struct err err = {.code = 0};
    struct secret *secret = client_secret_read(
        entry->identity.client_secret_file, entry->cache->credentials_directory, &entry->failure);
    int rc;

    if (!secret)
        return -ENOENT;
    client.client_secret = secret;
    rc = crypto_uuid(client_request_id);
    if (rc < 0)
        err_set(&err, rc, "no random number can be had");
    else
        rc = entra_token_request(request, &client, client_request_id, &err);
    secret_free(secret);
    if (rc < 0)
        not_built(&entry->failure, &err);
    return rc;
}

static int build_request(struct token_entry *entry, struct http_request *request)
{
    struct imds_identity identity = imds_identity_of(entry);
    struct err err = {.code = 0};
    int rc;

    http_request_init(request, "GET", 0);
    if (entry->identity.type != IDENTITY_MANAGED_IDENTITY)
        return build_entra_request(entry, request);
    rc = imds_token_request(request, &identity, &err);
    if (rc < 0)
        not_built(&entry->failure, &err);
    return rc;
}

static void start_fetch(struct token_entry *entry)
{
    struct token_cache *cache = entry->cache;
    struct http_request request;

    if (!entry->fetching) {
        entry->fetching = true;
        entry->attempts = 0;
        entry->fetch_started = cache->clock();
    }
    entry->attempts++;
    if (build_request(entry, &request) < 0) {
        fetch_failed(entry);
    } else {
        entry->exchanging = true;
        entry->call = http_start(cache->http, &request, on_reply, entry);
    }
    http_request_done(&request);
}

/* --- for those who need a token --- */

void token_request_init(struct token_request *request,
                        void (*done)(struct token_request *request,
                                     const struct token_result *result))
{
    list_init(&request->link);
    request->done = done;
}

int token_get(struct token_cache *cache, struct token_request *request,
              const struct identity *identity, const char *audience)
{
    char *key = compose_key(cache->login, identity, audience);
    struct token_entry *entry = key ? find_entry(cache, key) : NULL;

    if (entry)
        free(key);
    else if (key)
        entry = entry_new(cache, key, identity, audience);
    if (!entry)
        return -ENOMEM;
    list_append(&entry->waiting, &request->link);
    loop_defer(cache->loop, &cache->settle);
    return 0;
}

void token_cancel(struct token_request *request)
{
    list_remove(&request->link);
}

static struct token_entry *find_for(struct token_cache *cache, const struct identity *identity,
                                    const char *audience)
{
    char *key = compose_key(cache->login, identity, audience);
    struct token_entry *entry = key ? find_entry(cache, key) : NULL;

    free(key);
    return entry;
}

int token_open(struct token_cache *cache, const struct identity *identity, const char *audience,
               struct secret **ret_token, uint64_t *ret_generation)
{
    struct token_entry *entry = find_for(cache, identity, audience);

    *ret_token = NULL;
    if (!entry || !is_good(entry, cache->clock()))
        return -ENOENT;
    *ret_token = sealed_open(entry->token);
    *ret_generation = entry->generation;
    return *ret_token ? 0 : -ENOMEM;
}

bool token_invalidate(struct token_cache *cache, const struct identity *identity,
                      const char *audience, uint64_t generation)
{
    struct token_entry *entry = find_for(cache, identity, audience);
    duration_ms now = cache->clock();

    if (!entry || entry->generation != generation || !entry->token)
        return true;
    if (entry->invalidated && now - entry->invalidated_at < INVALIDATE_EVERY)
        return false;
    entry->invalidated = true;
    entry->invalidated_at = now;
    sealed_free(entry->token);
    entry->token = NULL;
    return true;
}

/* --- life --- */

struct token_cache *token_cache_new(struct loop *loop, struct http *http, struct log *log,
                                    duration_ms (*clock)(void))
{
    struct token_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        return NULL;
    cache->loop = loop;
    cache->http = http;
    cache->log = log;
    cache->clock = clock;
    list_init(&cache->entries);
    deferred_init(&cache->settle, on_settle);
    return cache;
}

void token_cache_set_login(struct token_cache *cache, const char *login)
{
    char *copy = str_dup(login);

    if (copy) {
        free(cache->login);
        cache->login = copy;
    }
    list_for_each (link, &cache->entries)
        container_of(link, struct token_entry, link)->silent_until = 0;
}

void token_cache_set_credentials_directory(struct token_cache *cache, const char *directory)
{
    free(cache->credentials_directory);
    cache->credentials_directory = str_dup(directory);
}

static void maybe_closed(struct token_cache *cache)
{
    void (*closed)(void *context) = cache->closed;
    void *context = cache->closed_context;

    if (!cache->closing || !list_empty(&cache->entries))
        return;
    loop_defer_cancel(&cache->settle);
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
    list_for_each (link, &cache->entries) {
        struct token_entry *entry = container_of(link, struct token_entry, link);

        if (entry->call)
            http_cancel(entry->call);
        else if (!entry->exchanging && !entry->repeat.closing)
            timer_close(&entry->repeat, on_entry_closed);
    }
    loop_defer_cancel(&cache->settle);
    deferred_init(&cache->settle, on_close);
    loop_defer(cache->loop, &cache->settle);
}

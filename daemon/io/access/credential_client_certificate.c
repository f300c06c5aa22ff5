#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/must.h"
#include "base/str.h"
#include "io/access/certificate_files.h"
#include "io/access/credential.h"
#include "io/access/entra_exchange.h"
#include "proto/client_assertion.h"
#include "proto/entra.h"
#include "proto/failure.h"

#define DEADLINE       MS_MINUTE
#define REPLACED_PAUSE MS_SECOND

/* Files that are being replaced are read so often. */
enum { READINGS_MAX = 3, ENDPOINT_MAX = 1024 };

/* The certificate is not the application's; the assertion is of another time. */
static const char unknown_certificate[] = "AADSTS700027";
static const char another_time[] = "AADSTS700024";

struct certificate_state {
    unsigned readings;
    struct key_pair *pair; /* that signed the last assertion */
    bool is_kept;          /* it is not that of the files, because of `problem` */
    struct failure problem;
};

/* The last pair that got a token. It serves while the files hold a pair that does not: when they
 * are replaced one after the other, or before the application knows the new certificate. */
struct certificate_kept {
    struct key_pair *pair;
};

static void sign(struct credential *credential, struct key_pair *pair);
static void read_files(struct credential *credential);

/* --- names --- */

static struct certificate_files files_of(const struct credential_wish *wish)
{
    const struct identity *identity = wish->identity;

    return (struct certificate_files){
        .certificate = identity_setting(identity, "client_certificate_file"),
        .key = identity_setting(identity, "client_certificate_key_file"),
        .password = identity_setting(identity, "client_certificate_password_file"),
        .directory = wish->credentials_directory,
        .client_id = identity_setting(identity, "client_id"),
    };
}

static struct entra_client client_of(const struct credential_wish *wish)
{
    return (struct entra_client){.login = wish->login,
                                 .tenant_id = identity_setting(wish->identity, "tenant_id"),
                                 .client_id = identity_setting(wish->identity, "client_id"),
                                 .is_assertion = true,
                                 .proof_file =
                                     identity_setting(wish->identity, "client_certificate_file"),
                                 .claims = wish->claims,
                                 .audience = wish->audience};
}

static bool sends_chain(const struct credential *credential)
{
    return str_equal(identity_setting(credential->wish.identity, "send_certificate_chain"), "true");
}

/* The time until which the certificate that serves is good, for those who renew it. */
static void note_expiry(struct credential *credential)
{
    const struct certificate_state *state = credential->state;
    struct credential_expiry *expiry = &credential->expiry;
    char place[SECRET_PLACE_MAX];

    expiry->at = key_pair_not_after(state->pair);
    (void)snprintf(expiry->what, sizeof(expiry->what), "the certificate %s (thumbprint %s)",
                   key_pair_subject(state->pair), key_pair_thumbprint(state->pair));
    (void)snprintf(
        expiry->remedy, sizeof(expiry->remedy),
        "make another certificate, add it to the application, `az ad app credential "
        "reset --id %s --cert @cert.pem --append`, and put it with its key in place of "
        "%s",
        identity_setting(credential->wish.identity, "client_id"),
        secret_file_place(identity_setting(credential->wish.identity, "client_certificate_file"),
                          place));
    expiry->is_replaced = state->is_kept;
    expiry->problem = state->problem;
}

/* --- the request --- */

/* Can the pair that got the last token take the place of the one that did not get this one? */
static bool may_fall_back(struct credential *credential)
{
    const struct certificate_state *state = credential->state;
    const struct certificate_kept *kept = credential->kept;
    const struct certificate_files files = files_of(&credential->wish);
    struct failure failure;

    return !state->is_kept && kept->pair &&
           certificate_files_check(&files, kept->pair, credential_now(credential), &failure) &&
           (!state->pair ||
            memcmp(key_pair_digest(state->pair), key_pair_digest(kept->pair), SHA256_LENGTH) != 0);
}

static void fall_back(struct credential *credential)
{
    struct certificate_state *state = credential->state;
    struct certificate_kept *kept = credential->kept;
    struct key_pair *pair = kept->pair;

    state->is_kept = true;
    state->problem = credential->failure;
    kept->pair = NULL;
    sign(credential, pair);
}

/* The pair has served, or may serve again. */
static void keep(struct credential *credential)
{
    struct certificate_state *state = credential->state;
    struct certificate_kept *kept = credential->kept;

    key_pair_free(kept->pair);
    kept->pair = state->pair;
    state->pair = NULL;
}

/* What is particular to certificates among the errors of Entra ID. */
static void explain(struct credential *credential)
{
    const struct certificate_state *state = credential->state;
    struct failure *failure = &credential->failure;

    if (str_equal(failure->error_code, unknown_certificate))
        failure_set_remedy(failure,
                           "add the certificate %s (thumbprint %s) to the application, alone in "
                           "cert.pem: `az ad app credential reset --id %s --cert @cert.pem "
                           "--append`; %s",
                           key_pair_subject(state->pair), key_pair_thumbprint(state->pair),
                           identity_setting(credential->wish.identity, "client_id"),
                           sends_chain(credential)
                               ? "or let its issuer be one that the application trusts"
                               : "one that knows subject and issuer needs "
                                 "`send_certificate_chain: true`");
    else if (str_equal(failure->error_code, another_time))
        failure_set_remedy(failure,
                           "set this machine's clock, which `date -u` shows, and let it be "
                           "synchronised (`timedatectl set-ntp true`)");
}

static void on_reply(struct credential *credential, const struct http_reply *reply)
{
    const struct entra_client client = client_of(&credential->wish);
    struct certificate_state *state = credential->state;
    struct access_token token;

    if (entra_token_reply(&token, reply, &client, credential_now(credential),
                          &credential->failure) == 0) {
        note_expiry(credential);
        keep(credential);
        credential_succeed(credential, &token);
        return;
    }
    explain(credential);
    if (str_equal(credential->failure.error_code, unknown_certificate) &&
        may_fall_back(credential)) {
        fall_back(credential);
    } else {
        if (state->is_kept)
            keep(credential);
        credential_fail(credential);
    }
}

static void send_assertion(struct credential *credential, const struct secret *assertion)
{
    struct entra_client client = client_of(&credential->wish);

    client.proof = assertion;
    entra_exchange_send(credential, &client, on_reply);
}

/* --- signing, which takes a while with a large key --- */

struct signing_job {
    struct credential_job base;
    struct key_pair *pair;
    char *path;
    char *client_id;
    char *token_endpoint;
    bool with_chain;
    time_ms now;
    struct secret *assertion;
    struct err err;
};

static struct signing_job *signing_job_of(struct credential_job *job)
{
    return container_of(job, struct signing_job, base);
}

static void run_signing(struct credential_job *job)
{
    struct signing_job *signing = signing_job_of(job);
    char id[UUID_TEXT_MAX];
    const struct client_assertion assertion = {.client_id = signing->client_id,
                                               .token_endpoint = signing->token_endpoint,
                                               .id = id,
                                               .now = signing->now,
                                               .with_chain = signing->with_chain};
    int rc = crypto_uuid(id);

    if (rc < 0)
        err_set(&signing->err, rc, "no random number is available");
    else
        rc = client_assertion_sign(&signing->assertion, &assertion, signing->pair, &signing->err);
    if (rc == -ENOMEM)
        fault_out_of_memory();
}

static void on_signed(struct credential *credential, struct credential_job *job)
{
    struct signing_job *signing = signing_job_of(job);
    struct certificate_state *state = credential->state;

    key_pair_free(state->pair);
    state->pair = signing->pair;
    signing->pair = NULL;
    if (signing->assertion) {
        send_assertion(credential, signing->assertion);
    } else {
        failure_from_err(&credential->failure, REASON_TOKEN_FAILED, &signing->err);
        credential_fail(credential);
    }
}

static void free_signing(struct credential_job *job)
{
    struct signing_job *signing = signing_job_of(job);

    key_pair_free(signing->pair);
    secret_free(signing->assertion);
    free(signing->path);
    free(signing->client_id);
    free(signing->token_endpoint);
    free(signing);
}

/* Takes the pair. */
static void sign(struct credential *credential, struct key_pair *pair)
{
    const struct entra_client client = client_of(&credential->wish);
    const struct identity *identity = credential->wish.identity;
    struct signing_job *signing = must_alloc(sizeof(*signing));
    struct buf endpoint;

    buf_init(&endpoint, ENDPOINT_MAX);
    entra_token_endpoint(&endpoint, &client);
    signing->pair = pair;
    signing->path = must_dup(identity_setting(identity, "client_certificate_file"));
    signing->client_id = must_dup(client.client_id);
    signing->token_endpoint = must_dup(buf_str(&endpoint));
    signing->with_chain = sends_chain(credential);
    signing->now = credential_now(credential);
    signing->base.key = "client_certificate_file";
    signing->base.path = signing->path;
    signing->base.run = run_signing;
    signing->base.then = on_signed;
    signing->base.free = free_signing;
    buf_done(&endpoint);
    credential_start_job(credential, &signing->base);
}

/* --- reading --- */

struct reading_job {
    struct credential_job base;
    struct certificate_files files; /* with texts of its own */
    time_ms now;
    struct key_pair *pair;
    bool being_replaced;
    struct failure failure;
};

static struct reading_job *reading_job_of(struct credential_job *job)
{
    return container_of(job, struct reading_job, base);
}

static void run_reading(struct credential_job *job)
{
    struct reading_job *reading = reading_job_of(job);

    reading->pair = certificate_files_read(&reading->files, reading->now, &reading->being_replaced,
                                           &reading->failure);
}

static void on_read(struct credential *credential, struct credential_job *job)
{
    struct reading_job *reading = reading_job_of(job);
    struct certificate_state *state = credential->state;
    struct key_pair *pair = reading->pair;

    if (pair) {
        reading->pair = NULL;
        sign(credential, pair);
        return;
    }
    credential->failure = reading->failure;
    if (may_fall_back(credential))
        fall_back(credential);
    else if (reading->being_replaced && state->readings < READINGS_MAX)
        credential_pause(credential, REPLACED_PAUSE, read_files);
    else
        credential_fail(credential);
}

static void free_reading(struct credential_job *job)
{
    struct reading_job *reading = reading_job_of(job);

    key_pair_free(reading->pair);
    free((char *)reading->files.certificate);
    free((char *)reading->files.key);
    free((char *)reading->files.password);
    free((char *)reading->files.directory);
    free((char *)reading->files.client_id);
    free(reading);
}

static void read_files(struct credential *credential)
{
    const struct certificate_files files = files_of(&credential->wish);
    struct certificate_state *state = credential->state;
    struct reading_job *reading = must_alloc(sizeof(*reading));

    state->readings++;
    reading->files = (struct certificate_files){.certificate = must_dup(files.certificate),
                                                .key = must_dup(files.key),
                                                .password = must_dup(files.password),
                                                .directory = must_dup(files.directory),
                                                .client_id = must_dup(files.client_id)};
    reading->now = credential_now(credential);
    reading->base.key = "client_certificate_file";
    reading->base.path = reading->files.certificate;
    reading->base.run = run_reading;
    reading->base.then = on_read;
    reading->base.free = free_reading;
    credential_start_job(credential, &reading->base);
}

/* --- life --- */

static void done(void *context)
{
    struct certificate_state *state = context;

    key_pair_free(state->pair);
}

static void forget(void *context)
{
    struct certificate_kept *kept = context;

    key_pair_free(kept->pair);
}

const struct credential_source credential_client_certificate = {
    .type = "client_certificate",
    .deadline = DEADLINE,
    .state_size = sizeof(struct certificate_state),
    .kept_size = sizeof(struct certificate_kept),
    .begin = read_files,
    .done = done,
    .forget = forget,
};

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "io/access/arc_key.h"
#include "io/access/credential.h"
#include "io/access/managed_source.h"
#include "proto/failure.h"

/* The service may be away for 70 seconds while it is updated; an answer may take some, too. */
#define MANAGED_IDENTITY_DEADLINE (3 * MS_MINUTE)

struct managed_state {
    struct managed_identity identity;
    struct secret *proof; /* identity.proof, while there is one */
    unsigned attempts;
};

static void ask(struct credential *credential);

/* --- Azure Arc's key --- */

struct arc_job {
    struct credential_job base;
    char name[ARC_NAME_MAX];
    struct secret *key;
    struct failure failure;
};

static struct arc_job *arc_job_of(struct credential_job *job)
{
    return container_of(job, struct arc_job, base);
}

static void read_key(struct credential_job *job)
{
    struct arc_job *reading = arc_job_of(job);

    reading->key = arc_key_read(ARC_DIRECTORY, reading->name, &reading->failure);
}

static void send_request(struct credential *credential,
                         void (*then)(struct credential *credential,
                                      const struct http_reply *reply))
{
    struct managed_state *state = credential->state;
    struct http_request request;
    struct err err = {.code = 0};
    int rc;

    state->identity.audience = credential->wish.audience;
    state->identity.proof = state->proof;
    rc = managed_identity_request(&request, &state->identity, &err);
    if (credential_built(credential, rc, &request, &err))
        credential_send(credential, &request, then);
}

static void on_reply(struct credential *credential, const struct http_reply *reply)
{
    struct managed_state *state = credential->state;
    const time_ms now = credential_now(credential);
    const duration_ms pause = managed_identity_retry_delay(
        state->identity.source, reply, state->attempts, credential_elapsed(credential), now);
    struct access_token token;

    if (pause > 0)
        credential_pause(credential, pause, ask);
    else if (managed_identity_reply(&token, reply, &state->identity, now, &credential->failure) ==
             0)
        credential_succeed(credential, &token);
    else
        credential_fail(credential);
}

static void on_key_read(struct credential *credential, struct credential_job *job)
{
    struct arc_job *reading = arc_job_of(job);
    struct managed_state *state = credential->state;

    if (reading->key) {
        state->proof = reading->key;
        reading->key = NULL;
        send_request(credential, on_reply);
    } else {
        credential->failure = reading->failure;
        credential_fail(credential);
    }
}

static void free_arc_job(struct credential_job *job)
{
    secret_free(arc_job_of(job)->key);
    free(arc_job_of(job));
}

static void start_reading(struct credential *credential, const char *name)
{
    struct arc_job *reading = must_alloc(sizeof(*reading));

    memcpy(reading->name, name, sizeof(reading->name));
    reading->base.key = "the key of the Azure Arc agent in";
    reading->base.path = ARC_DIRECTORY;
    reading->base.run = read_key;
    reading->base.then = on_key_read;
    reading->base.free = free_arc_job;
    credential_start_job(credential, &reading->base);
}

static void on_first_reply(struct credential *credential, const struct http_reply *reply)
{
    char name[ARC_NAME_MAX];

    if (!managed_identity_challenged(reply, name, &credential->failure))
        on_reply(credential, reply);
    else if (name[0] != '\0')
        start_reading(credential, name);
    else
        credential_fail(credential);
}

/* --- the request --- */

static void ask(struct credential *credential)
{
    struct managed_state *state = credential->state;
    const bool is_challenged = state->identity.source == MANAGED_ARC;

    state->attempts++;
    if (is_challenged) /* a key serves once */
        secret_clear(&state->proof);
    send_request(credential, is_challenged ? on_first_reply : on_reply);
}

static void choose(struct credential *credential, bool has_arc_agent)
{
    struct managed_state *state = credential->state;
    const char *header;

    if (!managed_source_choose(credential->wish.identity, has_arc_agent, &state->identity, &header,
                               &credential->failure)) {
        credential_fail(credential);
        return;
    }
    if (header)
        state->proof = must(secret_new(header, strlen(header)));
    ask(credential);
}

/* --- is there an agent? --- */

struct agent_job {
    struct credential_job base;
    bool found;
};

static void look_for_agent(struct credential_job *job)
{
    container_of(job, struct agent_job, base)->found = access(ARC_AGENT, F_OK) == 0;
}

static void on_looked(struct credential *credential, struct credential_job *job)
{
    choose(credential, container_of(job, struct agent_job, base)->found);
}

static void free_agent_job(struct credential_job *job)
{
    free(container_of(job, struct agent_job, base));
}

static void begin(struct credential *credential)
{
    struct agent_job *looking;

    if (!managed_source_needs_agent(credential->wish.identity)) {
        choose(credential, false);
        return;
    }
    looking = must_alloc(sizeof(*looking));
    looking->base.key = "the Azure Arc agent";
    looking->base.path = ARC_AGENT;
    looking->base.run = look_for_agent;
    looking->base.then = on_looked;
    looking->base.free = free_agent_job;
    credential_start_job(credential, &looking->base);
}

static void done(void *context)
{
    struct managed_state *state = context;

    secret_free(state->proof);
}

const struct credential_source credential_managed_identity = {
    .type = "managed_identity",
    .deadline = MANAGED_IDENTITY_DEADLINE,
    .state_size = sizeof(struct managed_state),
    .begin = begin,
    .done = done,
};

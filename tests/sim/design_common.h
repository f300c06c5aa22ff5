/*
 * What the field's designs share: a process that works through a list of steps for each account
 * when the calendar says so. A design is such a list (a recipe) and what happens when a step fails;
 * everything else (schedule, pauses, fetching the keys again, stopping) is done here, and done
 * well, so that only the design can fail.
 *
 * The calendar: at every multiple of rotate_every since 1970, moved into the window, and never
 * within `overlap` of a completed job that is still known of.
 */
#ifndef KEYROTATED_TESTS_SIM_DESIGN_COMMON_H
#define KEYROTATED_TESTS_SIM_DESIGN_COMMON_H

#include "design.h"
#include "io/target/target.h"

enum step_kind {
    STEP_LOOK,        /* listKeys */
    STEP_ASK_TARGETS, /* the active slot is the one whose key the first target with a live one holds
                       */
    STEP_ASK_IF_NEW,  /* the same, only while no active slot is known */
    STEP_REGENERATE,  /* the slot that is not active becomes the new one, and is regenerated */
    STEP_REGENERATE_BOTH, /* the primary is the new one; the secondary is regenerated after it */
    STEP_REGENERATE_OLD,  /* the slot that is not the new one */
    STEP_VERIFY,          /* does the data plane accept the new key? */
    STEP_DELIVER,         /* the new key to all targets, at once */
    STEP_TAG,             /* the new slot is the active one from now on */
    STEP_END
};

enum step_failure {
    FAILURE_REPEATS, /* repeated after a pause, with keys fetched anew, until it works */
    FAILURE_RESENDS, /* repeated after a pause, as it is */
    FAILURE_IGNORED, /* on with the next step */
    FAILURE_ABORTS   /* from the first step, after an hour */
};

struct step {
    enum step_kind kind;
    enum step_failure failure;
    unsigned retries;  /* before it is ignored, or aborts */
    duration_ms pause; /* before the first repetition; 0: half a minute */
};

struct recipe {
    const struct step *steps; /* to STEP_END */
    bool keeps_tag;           /* the tag is durable: the journal's record.active and .cycle */
    bool works_at_start;      /* and not only when the calendar says so */
};

/* The members of struct design, for all recipes. */
void *field_start(const struct design_parts *parts, const struct recipe *recipe);
void field_configure(void *daemon, struct config *config);
void field_clock_jumped(void *daemon, duration_ms jump);
void field_command(void *daemon, const struct control_command *command,
                   struct control_request *request);
void field_stop(void *context, void (*stopped)(void *context), void *stopped_context);
void field_free(void *daemon);
bool field_rests(const void *daemon, const char *account_name, time_ms *ret_wake_at);

/* A design that follows the recipe `recipe`; `start` hands it to field_start(). */
#define FIELD_DESIGN(design_name, what_it_does)                                                    \
    {                                                                                              \
        .name = (design_name), .summary = (what_it_does), .start = start,                          \
        .configure = field_configure, .clock_jumped = field_clock_jumped,                          \
        .command = field_command, .stop = field_stop, .free = field_free, .rests = field_rests     \
    }

extern const struct design design_parity_in_memory;
extern const struct design design_tag_with_default;
extern const struct design design_both_back_to_back;
extern const struct design design_publish_before_verify;
extern const struct design design_abort_and_start_over;
extern const struct design design_retry_on_timeout;
extern const struct design design_no_overlap;
extern const struct design design_fire_and_forget;
extern const struct design design_ask_the_target;
extern const struct design design_rotate_at_start;

/* --- between design_common.c and design_job.c --- */

struct field_daemon;

/* One account, and the job that is done for it. */
struct field_account {
    struct list link;
    struct field_daemon *daemon;
    char *key;
    struct config *config; /* a reference: `account` lives in it */
    const struct account *account;
    bool configured; /* at present; a job under way is finished in any case */
    struct azure_account azure;
    struct record tag; /* adopted: `active` is known */
    struct timer timer;
    bool busy; /* a job is under way */

    const struct step *step;
    enum slot slot; /* the new one */
    unsigned failures;
    bool pausing;  /* the timer ends a pause in the job */
    bool fetching; /* the look before a repetition */
    struct target_id delivered[TARGETS_MAX];
    size_t delivered_count;
    unsigned parts; /* of the step, under way */
    bool part_failed;
    bool canceled;
    struct sighting sightings[TARGETS_MAX];
    struct deferred next; /* the next step, from the loop */
};

struct field_daemon {
    struct design_parts parts;
    const struct recipe *recipe;
    struct config *config;
    struct list accounts;
    struct target_world targets;
    bool stopping;
    struct deferred stopped_call;
    void (*stopped)(void *context);
    void *stopped_context;
};

/* Begins with the first step. */
void job_begin(struct field_account *account);
/* The timer of a pause has fired. */
void job_go_on(struct field_account *account);
void job_do_step(struct deferred *deferred);

/* The job has ended; `done`: after its last step. */
void field_job_ended(struct field_account *account, bool done);

#endif

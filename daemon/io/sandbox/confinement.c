#include "io/sandbox/confinement.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "io/sandbox/landlock.h"
#include "io/sandbox/link_survey.h"
#include "io/sandbox/syscall_filter.h"
#include "io/sandbox/write_roots.h"

enum { MEASURE_WRITING, MEASURE_CALLS, MEASURE_COUNT };

struct confinement {
    bool in_force[MEASURE_COUNT];
    struct err gaps[MEASURE_COUNT]; /* why not */
    bool runs_programs;
    struct write_roots roots; /* where writing is still possible, if it is limited */
};

/* A program inherits all of this, which is not its author's business. No target and no identity of
 * this version runs one; those that do have their place in here. */
static bool runs_programs(const struct config *config)
{
    bool runs = false;

    for (size_t i = 0; i < config->identity_count; i++) {
        switch (config->identities[i].type) {
        case IDENTITY_CLIENT_SECRET:
        case IDENTITY_MANAGED_IDENTITY:
            break;
        }
    }
    for (size_t i = 0; i < config->account_count; i++) {
        const struct account *account = &config->accounts[i];

        for (size_t k = 0; k < account->destination_count; k++) {
            switch (account->destinations[k].type) {
            case TARGET_FILE:
                break;
            }
        }
    }
    return runs;
}

/* Where all that is written lies, for as long as nobody replaces a directory by a link. */
static int find_roots(struct write_roots *roots, const struct config *config, struct err *err)
{
    const char *target;
    int rc = write_roots_add_own(roots, config, err);

    if (rc == 0)
        rc = write_roots_add_targets(roots, config, err);
    return rc != 0 ? rc : link_survey(config, NULL, &target, err);
}

/* /dev/null is written to by whoever has nowhere else to write. */
static int limit_writing(struct confinement *confinement, const struct config *config,
                         struct err *err)
{
    const char *places[WRITE_ROOTS_MAX + 1] = {"/dev/null"};
    struct err reason = {.code = 0};
    int rc;

    if (confinement->runs_programs)
        return err_set(err, -ENOTSUP,
                       "writing is not limited: programs that are run would be, too");
    rc = find_roots(&confinement->roots, config, &reason);
    if (rc != 0)
        return err_set(err, rc, "writing is not limited: %s", reason.text);
    for (size_t i = 0; i < confinement->roots.count; i++) {
        const struct write_root *root = &confinement->roots.roots[i];

        if (!root->stays)
            return err_set(err, -ENOTSUP,
                           "writing is not limited: key files lie below %s, which somebody may "
                           "mount anew",
                           root->path);
        places[i + 1] = root->path;
    }
    return landlock_limit_writing(places, confinement->roots.count + 1, err);
}

struct confinement *confinement_begin(const struct config *config)
{
    struct confinement *confinement = calloc(1, sizeof(*confinement));
    struct err *gaps;

    if (!confinement)
        return NULL;
    gaps = confinement->gaps;
    confinement->runs_programs = runs_programs(config);
    confinement->in_force[MEASURE_WRITING] =
        limit_writing(confinement, config, &gaps[MEASURE_WRITING]) == 0;
    confinement->in_force[MEASURE_CALLS] =
        syscall_filter_apply(confinement->runs_programs, &gaps[MEASURE_CALLS]) == 0;
    for (size_t i = 0; i < confinement->roots.count; i++)
        confinement->roots.roots[i].target = NULL; /* it belongs to the configuration */
    return confinement;
}

void confinement_free(struct confinement *confinement)
{
    free(confinement);
}

const char *confinement_describe(const struct confinement *confinement,
                                 char out[CONFINEMENT_TEXT_MAX])
{
    const bool *in_force = confinement->in_force;

    if (in_force[MEASURE_WRITING] && in_force[MEASURE_CALLS])
        str_copy(out, CONFINEMENT_TEXT_MAX, "writing, system calls");
    else if (in_force[MEASURE_WRITING])
        str_copy(out, CONFINEMENT_TEXT_MAX, "writing");
    else
        str_copy(out, CONFINEMENT_TEXT_MAX, in_force[MEASURE_CALLS] ? "system calls" : "none");
    return out;
}

const char *confinement_gap(const struct confinement *confinement, unsigned n)
{
    for (unsigned i = 0; i < MEASURE_COUNT; i++) {
        if (!confinement->in_force[i] && n-- == 0)
            return confinement->gaps[i].text;
    }
    return NULL;
}

/* --- reload --- */

static void refuse(struct config_messages *messages, const struct config *config, const char *text)
{
    messages->error_count++;
    (void)buf_append_format(&messages->text,
                            "%s: %s: the daemon has given up what it did not need when it "
                            "started; restart it to apply this (`systemctl restart keyrotated`)\n",
                            config->path, text);
}

static void refuse_target(struct config_messages *messages, const struct config *config,
                          const char *target, const char *text)
{
    char whose[NAME_MAX + ERR_TEXT_MAX];

    (void)snprintf(whose, sizeof(whose), "targets.%s.path: %s", target, text);
    refuse(messages, config, whose);
}

static void check_roots(const struct confinement *confinement, const struct config *config,
                        struct config_messages *messages)
{
    struct write_roots wanted = {.count = 0};
    struct err err = {.code = 0};
    char text[NAME_MAX + 64];

    if (write_roots_add_targets(&wanted, config, &err) != 0)
        refuse(messages, config, err.text);
    for (size_t i = 0; i < wanted.count; i++) {
        const struct write_root *root = &wanted.roots[i];

        if (write_roots_get(&confinement->roots, root->path))
            continue;
        (void)snprintf(text, sizeof(text), "nothing can be written below %s", root->path);
        refuse_target(messages, config, root->target, text);
    }
}

/* Of those that nobody can look at just now, what their names say has to do. */
static void check_links(const struct config *config, const struct config *in_force,
                        struct config_messages *messages)
{
    struct err err = {.code = 0};
    const char *target;

    if (link_survey(config, in_force, &target, &err) == -ENOTSUP)
        refuse_target(messages, config, target, err.text);
}

bool confinement_admits(const struct confinement *confinement, const struct config *in_force,
                        const struct config *config, struct config_messages *messages)
{
    size_t before = messages->error_count;

    if (confinement->in_force[MEASURE_CALLS] && runs_programs(config) &&
        !confinement->runs_programs)
        refuse(messages, config, "targets: no program can be run");
    if (confinement->in_force[MEASURE_WRITING])
        check_roots(confinement, config, messages);
    if (confinement->in_force[MEASURE_WRITING] && messages->error_count == before)
        check_links(config, in_force, messages);
    return messages->error_count == before;
}

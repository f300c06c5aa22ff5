#include "io/confinement.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "io/landlock.h"
#include "io/syscall_filter.h"
#include "io/write_roots.h"

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

/* /dev/null is written to by whoever has nowhere else to write. */
static int limit_writing(struct confinement *confinement, const struct config *config,
                         struct err *err)
{
    const char *places[WRITE_ROOTS_MAX + 1] = {"/dev/null"};
    int r;

    if (confinement->runs_programs)
        return err_set(err, -ENOTSUP,
                       "writing is not limited: programs that are run would be, too");
    r = write_roots_find(config, &confinement->roots, err);
    if (r != 0)
        return r;
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

    if (confinement == NULL)
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

static void refuse_root(struct config_messages *messages, const struct config *config,
                        const struct write_root *root)
{
    char text[NAME_MAX + ERR_TEXT_MAX];

    if (root->target == NULL)
        return; /* what is fixed for the life of the process stays where it is */
    (void)snprintf(text, sizeof(text), "targets.%s.path: nothing can be written below %s",
                   root->target, root->path);
    refuse(messages, config, text);
}

bool confinement_admits(const struct confinement *confinement, const struct config *config,
                        struct config_messages *messages)
{
    size_t before = messages->error_count;
    struct write_roots wanted;
    struct err err = {.code = 0};
    int r;

    if (confinement->in_force[MEASURE_CALLS] && runs_programs(config) &&
        !confinement->runs_programs)
        refuse(messages, config, "targets: no program can be run");
    if (!confinement->in_force[MEASURE_WRITING])
        return messages->error_count == before;
    r = write_roots_find(config, &wanted, &err);
    if (r != 0 && r != -ETIMEDOUT)
        refuse(messages, config, err.text);
    for (size_t i = 0; i < wanted.count; i++) {
        if (write_roots_get(&confinement->roots, wanted.roots[i].path) == NULL)
            refuse_root(messages, config, &wanted.roots[i]);
    }
    return messages->error_count == before;
}

#include "io/sandbox/link_survey.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/str.h"
#include "core/look.h"

enum { PATIENCE_S = 1 };

/* A directory that is written to. */
struct place {
    char *directory;
    const char *target; /* never looked into by the thread: its configuration may be gone */
};

struct places {
    struct place *places;
    size_t count;
};

/* Whoever leaves it last, the caller or the thread, frees it. */
struct survey {
    struct places wanted, known;
    int result; /* with the two below the thread's until it has ended */
    struct err err;
    const struct place *found;
    atomic_bool left;
};

/* Is there a thread that does not come back? */
static atomic_bool hangs;

/* --- places --- */

static void places_done(struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        free(places->places[i].directory);
    free(places->places);
}

/* Accounts follow each other with the same targets: once suffices. */
static bool was_just_added(const struct places *places, const char *directory)
{
    for (size_t i = places->count; i > 0 && places->count - i < TARGETS_MAX; i--) {
        if (str_equal(places->places[i - 1].directory, directory))
            return !!places->places[i - 1].target;
    }
    return false;
}

/* Takes the directory. */
static bool add(struct places *places, char *directory, const char *target)
{
    if (!directory)
        return false;
    if (was_just_added(places, directory)) {
        free(directory);
        return true;
    }
    places->places[places->count++] = (struct place){.directory = directory, .target = target};
    return true;
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return !slash || slash == path ? str_dup("/") : str_dup_n(path, (size_t)(slash - path));
}

static bool add_targets(struct places *places, const struct config *config)
{
    bool added = true;

    for (size_t i = 0; i < config->account_count; i++) {
        const struct account *account = &config->accounts[i];

        for (size_t k = 0; k < account->destination_count && added; k++) {
            const struct destination *destination = &account->destinations[k];

            switch (destination->type) {
            case TARGET_FILE:
                added = add(places, directory_of(destination->path), destination->name);
                break;
            }
        }
    }
    return added;
}

static bool make_room(struct places *places, const struct config *config)
{
    size_t room = 2; /* for the journal and the socket */

    for (size_t i = 0; i < config->account_count; i++)
        room += config->accounts[i].destination_count;
    places->places = calloc(room, sizeof(*places->places));
    return !!places->places;
}

static void survey_free(struct survey *survey)
{
    if (!survey)
        return;
    places_done(&survey->wanted);
    places_done(&survey->known);
    free(survey);
}

static struct survey *survey_new(const struct config *config, const struct config *known)
{
    struct survey *survey = calloc(1, sizeof(*survey));
    bool made = survey && make_room(&survey->wanted, config);

    if (made && !known)
        made = add(&survey->wanted, str_dup(config->state_dir), NULL) &&
               add(&survey->wanted, directory_of(config->control_socket), NULL);
    else if (made)
        made = make_room(&survey->known, known) && add_targets(&survey->known, known);
    if (made && add_targets(&survey->wanted, config))
        return survey;
    survey_free(survey);
    return NULL;
}

/* --- on the thread --- */

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->directory, ((const struct place *)b)->directory);
}

/* 0: a directory, and no link to one. */
static int look_at(const char *path, struct err *err)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return errno == ENOENT ? -ENOENT
                               : err_set(err, -ENOTSUP, "it is not known what %s is: %s", path,
                                         strerrordesc_np(errno));
    if (S_ISLNK(status.st_mode))
        return err_set(err, -ENOTSUP, "%s is a symbolic link, which may lead elsewhere later",
                       path);
    return S_ISDIR(status.st_mode) ? 0 : err_set(err, -ENOTSUP, "%s is not a directory", path);
}

/* All that there is of it, from / on. */
static int look_along(const char *directory, struct err *err)
{
    char path[PATH_MAX];
    int rc = 0;

    if (!str_copy(path, sizeof(path), directory))
        return err_set(err, -ENOTSUP, "the path of a directory is too long: %.100s…", directory);
    for (char *end = path; *end != '\0' && rc == 0;) {
        end++;
        end += strcspn(end, "/");
        const char after = *end;
        *end = '\0';
        rc = look_at(path, err);
        *end = after;
    }
    return rc == -ENOENT ? 0 : rc;
}

static void look(struct survey *survey)
{
    const struct places *wanted = &survey->wanted, *known = &survey->known;

    if (known->count > 0)
        qsort(known->places, known->count, sizeof(*known->places), compare);
    for (size_t i = 0; i < wanted->count && survey->result == 0; i++) {
        const struct place *place = &wanted->places[i];

        if (known->count > 0 &&
            bsearch(place, known->places, known->count, sizeof(*place), compare))
            continue;
        survey->result = look_along(place->directory, &survey->err);
        survey->found = survey->result != 0 ? place : NULL;
    }
}

static void *run(void *context)
{
    struct survey *survey = context;

    look(survey);
    if (atomic_exchange(&survey->left, true)) { /* nobody waits any more */
        survey_free(survey);
        atomic_store(&hangs, false);
    }
    return NULL;
}

/* --- all together --- */

/* 0: the thread has ended. -ETIMEDOUT: the survey is the thread's alone. */
static int wait_for(pthread_t thread, struct survey *survey, struct err *err)
{
    struct timespec deadline;

    (void)clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += PATIENCE_S;
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &deadline) == 0)
        return 0;
    (void)pthread_detach(thread);
    atomic_store(&hangs, true);
    if (!atomic_exchange(&survey->left, true))
        return err_set(err, -ETIMEDOUT, "a file system that key files are on does not answer");
    atomic_store(&hangs, false); /* it ended in this very moment */
    return 0;
}

int link_survey(const struct config *config, const struct config *known, const char **ret_target,
                struct err *err)
{
    struct survey *survey;
    pthread_t thread;
    int rc;

    *ret_target = NULL;
    if (atomic_load(&hangs))
        return err_set(err, -ETIMEDOUT, "a file system that key files are on still hangs");
    survey = survey_new(config, known);
    if (!survey)
        return err_set(err, -ENOMEM, "there is no memory to look at directories");
    rc = pthread_create(&thread, NULL, run, survey);
    if (rc != 0) {
        survey_free(survey);
        return err_set_errno(err, rc, "there is no thread to look at directories with");
    }
    rc = wait_for(thread, survey, err);
    if (rc != 0)
        return rc;
    rc = survey->result;
    if (survey->found) {
        *err = survey->err;
        *ret_target = survey->found->target;
    }
    survey_free(survey);
    return rc;
}

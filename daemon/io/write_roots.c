#include "io/write_roots.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "core/look.h"

enum { PATIENCE_S = 5 };

/* A directory that is written to. */
struct place {
    char *directory;
    const char *target;
};

/* What the thread works on; its own until it has ended. */
struct survey {
    struct place *places;
    size_t count;
    char (*resolved)[NAME_MAX + 2]; /* for each place the root that links lead to, or "" */
};

/* --- names --- */

const struct write_root *write_roots_get(const struct write_roots *roots, const char *path)
{
    for (size_t i = 0; i < roots->count; i++) {
        if (str_equal(roots->roots[i].path, path))
            return &roots->roots[i];
    }
    return NULL;
}

/* "/var" of "/var/lib/keys"; false where there is none. */
static bool root_of(const char *path, char out[NAME_MAX + 2])
{
    size_t length = strspn(path, "/");
    const char *name = path + length;

    length = strcspn(name, "/");
    if (path[0] != '/' || length == 0 || length > NAME_MAX || name[0] == '.' ||
        memchr(name, '{', length) != NULL)
        return false;
    out[0] = '/';
    memcpy(out + 1, name, length);
    out[length + 1] = '\0';
    return true;
}

/* A file system is in use for as long as the daemon has its journal, or its socket, there; and
 * there are some that no system runs without. */
static bool stays(const char *root, const char *target)
{
    static const char *const system[] = {"/etc", "/root", "/run", "/usr", "/var"};

    for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++) {
        if (str_equal(root, system[i]))
            return true;
    }
    return target == NULL;
}

static int add_root(struct write_roots *roots, const char *path, const char *target,
                    struct err *err)
{
    struct write_root *root = NULL;

    for (size_t i = 0; i < roots->count && root == NULL; i++) {
        if (str_equal(roots->roots[i].path, path))
            root = &roots->roots[i];
    }
    if (root == NULL) {
        if (roots->count == WRITE_ROOTS_MAX)
            return err_set(err, -E2BIG, "there are more than %d directories under / to write in",
                           WRITE_ROOTS_MAX);
        root = &roots->roots[roots->count++];
        *root = (struct write_root){.target = NULL};
        (void)str_copy(root->path, sizeof(root->path), path);
    }
    if (root->target == NULL)
        root->target = target;
    root->stays = root->stays || stays(path, target);
    return 0;
}

/* --- places --- */

static void survey_free(struct survey *survey)
{
    if (survey == NULL)
        return;
    for (size_t i = 0; i < survey->count; i++)
        free(survey->places[i].directory);
    free(survey->places);
    free(survey->resolved);
    free(survey);
}

/* Accounts follow each other with the same targets: once suffices. */
static bool is_known(const struct survey *survey, const char *directory)
{
    for (size_t i = survey->count; i > 0 && survey->count - i < TARGETS_MAX; i--) {
        if (str_equal(survey->places[i - 1].directory, directory))
            return survey->places[i - 1].target != NULL;
    }
    return false;
}

/* Takes the directory. */
static bool add_place(struct survey *survey, char *directory, const char *target)
{
    if (directory == NULL)
        return false;
    if (is_known(survey, directory)) {
        free(directory);
        return true;
    }
    survey->places[survey->count++] = (struct place){.directory = directory, .target = target};
    return true;
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return str_dup(".");
    return slash == path ? str_dup("/") : str_dup_n(path, (size_t)(slash - path));
}

static bool add_places(struct survey *survey, const struct config *config)
{
    bool added = add_place(survey, str_dup(config->state_dir), NULL) &&
                 add_place(survey, directory_of(config->control_socket), NULL);

    for (size_t i = 0; i < config->account_count && added; i++) {
        const struct account *account = &config->accounts[i];

        for (size_t k = 0; k < account->destination_count && added; k++) {
            const struct destination *destination = &account->destinations[k];

            switch (destination->type) {
            case TARGET_FILE:
                added = add_place(survey, directory_of(destination->path), destination->name);
                break;
            }
        }
    }
    return added;
}

static struct survey *survey_new(const struct config *config)
{
    struct survey *survey = calloc(1, sizeof(*survey));
    size_t room = 2;

    for (size_t i = 0; i < config->account_count; i++)
        room += config->accounts[i].destination_count;
    if (survey == NULL)
        return NULL;
    survey->places = calloc(room, sizeof(*survey->places));
    survey->resolved = calloc(room, sizeof(*survey->resolved));
    if (survey->places == NULL || survey->resolved == NULL || !add_places(survey, config)) {
        survey_free(survey);
        return NULL;
    }
    return survey;
}

/* --- on the thread --- */

/* Of a path that does not exist (yet), what exists of it. */
static char *resolve(const char *path)
{
    char *copy = str_dup(path);
    char *resolved = NULL, *slash;

    while (copy != NULL && (resolved = realpath(copy, NULL)) == NULL) {
        slash = strrchr(copy, '/');
        if (slash == NULL || slash == copy)
            break;
        *slash = '\0';
    }
    free(copy);
    return resolved;
}

static void *run(void *context)
{
    struct survey *survey = context;

    for (size_t i = 0; i < survey->count; i++) {
        char *resolved = resolve(survey->places[i].directory);

        if (resolved == NULL || !root_of(resolved, survey->resolved[i]))
            survey->resolved[i][0] = '\0';
        free(resolved);
    }
    return NULL;
}

/* 0, or -ETIMEDOUT: then the thread has it for ever. */
static int run_on_thread(struct survey *survey, struct err *err)
{
    struct timespec deadline;
    pthread_t thread;
    int r = pthread_create(&thread, NULL, run, survey);

    if (r != 0) /* without a thread there is no deadline, but the names are known */
        return err_set_errno(err, r, "no thread to look at directories with");
    (void)clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += PATIENCE_S;
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &deadline) == 0)
        return 0;
    (void)pthread_detach(thread);
    return err_set(err, -ETIMEDOUT, "a file system that key files are on does not answer");
}

/* --- all together --- */

/* A relative name says nothing about its root; only where it leads does. */
static int add_named(struct write_roots *roots, const struct place *place, struct err *err)
{
    char root[NAME_MAX + 2];

    if (place->directory[0] != '/')
        return 0;
    if (!root_of(place->directory, root))
        return err_set(err, -ENOTSUP,
                       "it is not known below which directory of / files in %s will lie",
                       place->directory);
    return add_root(roots, root, place->target, err);
}

int write_roots_find(const struct config *config, struct write_roots *ret_roots, struct err *err)
{
    struct survey *survey = survey_new(config);
    int r = 0, looked;

    *ret_roots = (struct write_roots){.count = 0};
    if (survey == NULL)
        return err_set(err, -ENOMEM, "there is no memory to look at directories");
    for (size_t i = 0; i < survey->count && r == 0; i++)
        r = add_named(ret_roots, &survey->places[i], err);
    if (r != 0) {
        survey_free(survey);
        return r;
    }
    looked = run_on_thread(survey, err);
    if (looked == -ETIMEDOUT)
        return looked;
    for (size_t i = 0; i < survey->count && looked == 0 && r == 0; i++) {
        if (survey->resolved[i][0] != '\0')
            r = add_root(ret_roots, survey->resolved[i], survey->places[i].target, err);
    }
    survey_free(survey);
    return looked != 0 ? looked : r;
}

#include "io/target/systemd_credential_job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "base/str.h"
#include "conf/target_file.h"
#include "io/target/file_job.h"
#include "io/spawner/program_environment.h"
#include "io/spawner/program_failure.h"
#include "io/target/target_content.h"
#include "proto/failure.h"

enum { ENCRYPTED_MAX = 64 * 1024, SENTENCE_MAX = 512 };

/* A TPM that does not answer, or a dead file system, keeps no other account waiting for longer. */
#define TURN (3 * MS_SECOND)

/* systemd makes this directory root's alone at each boot. */
#define STORE_DIRECTORY "/etc/credstore.encrypted"
#define STORE           STORE_DIRECTORY "/"

/* The group that reads such a file: systemd does, as root. */
#define READER "root"

/* --- life --- */

static void credential_job_free(struct target_job *base)
{
    struct credential_job *job = credential_job_of(base);

    free(job->path);
    free(base->place);
    free((char *)job->settings.name);
    free((char *)job->settings.key);
    free((char *)job->settings.program);
    free(job->host_secret);
    free(job->host_secret_name);
    secret_free(job->key);
    buf_done(&job->wanted);
    buf_done(&job->encrypted);
    free(job);
}

static void explain(const struct target_job *base, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    const struct credential_job *job = container_of(base, const struct credential_job, base);

    char hangs[SENTENCE_MAX], earlier[SENTENCE_MAX];
    const struct target_words words = {.place = job->path, .hangs = hangs, .earlier = earlier};

    (void)snprintf(hangs, sizeof(hangs), "%s, or the file system, did not answer",
                   job->settings.program);
    (void)snprintf(earlier, sizeof(earlier), "earlier runs of %s have been under way",
                   job->settings.program);
    target_explain(&words, end, timeout, failure);
    failure_set_remedy(failure,
                       "check whether `%s list` and `ls -l %s` answer; with `key: tpm2`, whether "
                       "the TPM does",
                       job->settings.program, job->path);
}

static void set_remedy_for_credential(const char *name, struct failure *failure)
{
    failure_set_remedy(failure,
                       "run `systemctl edit {unit}`, add "
                       "`LoadCredential=%s:/var/lib/systemd/credential.secret` below [Service] and "
                       "restart the daemon, or give an absolute path",
                       name);
}

static char *find_host_secret(struct credential_job *job, const struct target_world *world,
                              const char *file)
{
    struct failure *failure = &job->base.outcome.failure;

    if (!file || file[0] == '/')
        return must_dup(file);
    if (world->credentials_directory)
        return must(str_format("%s/%s", world->credentials_directory, file));
    failure_init(failure, REASON_TARGET_FAILED);
    failure_set_text(
        failure, "host_secret_file %s is relative, but there is no $CREDENTIALS_DIRECTORY", file);
    set_remedy_for_credential(file, failure);
    job->base.outcome.failed = true;
    return NULL;
}

/* The key and a newline, as in a file of the format `raw`. */
static void set_wanted(struct credential_job *job, const struct delivery *delivery)
{
    static const char probe[] = "probe\n";
    struct key_file content;
    int rc;

    if (!delivery) {
        rc = buf_append(&job->wanted, probe, sizeof(probe) - 1);
    } else {
        job->key = must(secret_clone(delivery->key));
        content = target_content_copy(delivery);
        rc = key_file_raw(&content, &job->wanted);
        target_content_done(&content);
    }
    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0)
        return;
    failure_set(&job->base.outcome.failure, REASON_TARGET_FAILED,
                "%s: the key cannot be written as a line", job->path);
    job->base.outcome.failed = true;
}

struct credential_job *credential_job_new(const struct target_world *world,
                                          const struct target_request *request)
{
    const struct target_systemd_credential *settings =
        target_systemd_credential_of(request->destination);
    struct credential_job *job = must_alloc(sizeof(*job));

    job->path = must_dup(request->destination->place);
    job->base.place = must(str_format("%s\n%s", settings->program, job->path));
    job->base.lane_length = strlen(settings->program);
    job->base.turn = TURN;
    job->base.explain = explain;
    job->base.free = credential_job_free;
    job->settings = (struct target_systemd_credential){
        .name = must_dup(settings->name),
        .key = must_dup(settings->key),
        .program = must_dup(settings->program),
        .not_after = settings->not_after,
    };
    job->now = loop_now(world->loop);
    job->key_shape = request->destination->key_shape;
    buf_init(&job->wanted, KEY_FILE_MAX);
    buf_init(&job->encrypted, ENCRYPTED_MAX);
    set_wanted(job, request->delivery);
    if (settings->host_secret_file && settings->host_secret_file[0] != '/')
        job->host_secret_name = must_dup(settings->host_secret_file);
    job->host_secret = find_host_secret(job, world, settings->host_secret_file);
    return job;
}

/* --- running --- */

enum { ARGUMENTS_MAX = 8 };

void credential_job_run(struct credential_job *job, const char *verb, const void *input,
                        size_t length, program_done *done)
{
    const bool encrypts = str_equal(verb, "encrypt");
    const time_ms expires = time_add(job->now, job->settings.not_after);
    char *name = must(str_format("--name=%s", job->settings.name));
    char *key = must(str_format("--with-key=%s", job->settings.key));
    char *not_after = must(str_format("--not-after=@%" PRId64, expires / MS_SECOND));
    const char *arguments[ARGUMENTS_MAX] = {job->settings.program, verb, name};
    struct program_environment environment;
    size_t count = 3;

    if (encrypts)
        arguments[count++] = key;
    if (encrypts && job->settings.not_after > 0)
        arguments[count++] = not_after;
    arguments[count++] = "-";
    arguments[count++] = "-";
    program_environment_init(&environment);
    program_environment_add(&environment, "SYSTEMD_CREDENTIAL_SECRET", job->host_secret);
    job->program = program_start(job->base.world->spawner, job->base.world->loop,
                                 &(struct program_request){
                                     .arguments = arguments,
                                     .environment = environment.variables,
                                     .input = input,
                                     .input_length = length,
                                     .uses_reserve = true,
                                 },
                                 done, job);
    program_environment_done(&environment);
    free(name);
    free(key);
    free(not_after);
}

/* --- failures --- */

static bool says(const struct program_result *result, const char *words)
{
    return result->errors->length > 0 &&
           memmem(result->errors->data, result->errors->length, words, strlen(words));
}

/* What systemd-creds says about the machine: its secret, its TPM, permissions. */
static bool blames_machine(const struct program_result *result)
{
    return says(result, "local credential") || says(result, "host secret") || says(result, "TPM") ||
           says(result, "Permission denied") || says(result, "memory");
}

bool credential_is_unusable(const struct program_result *result)
{
    return result->end == PROGRAM_EXITED && !result->timed_out && !result->flooded &&
           (result->code == 0 || (result->code == EXIT_FAILURE && !blames_machine(result)));
}

static void set_remedy_for_secret(const struct credential_job *job, struct failure *failure)
{
    failure_set_remedy(failure,
                       "run `%s setup` as root, and see that %s is a copy of "
                       "/var/lib/systemd/credential.secret that the daemon can read",
                       job->settings.program,
                       job->host_secret ? job->host_secret : "host_secret_file");
}

static void set_remedy(const struct credential_job *job, const struct program_result *result,
                       struct failure *failure)
{
    const char *program = job->settings.program;

    if (says(result, "Permission denied") && !job->host_secret)
        failure_set_remedy(failure,
                           "run `%s setup` as root and `systemctl edit {unit}`, add "
                           "`LoadCredential=host-secret:/var/lib/systemd/credential.secret` below "
                           "[Service], set `host_secret_file: host-secret` and restart the daemon",
                           program);
    else if (job->host_secret && says(result, "host secret: Operation not permitted"))
        failure_set_remedy(
            failure,
            "run `chmod 400 %s`, and let the daemon's user own it: %s uses no secret "
            "that others may read",
            job->host_secret, program);
    else if (says(result, "host secret") || says(result, "local credential"))
        set_remedy_for_secret(job, failure);
    else if (says(result, "TPM"))
        failure_set_remedy(failure,
                           "set `key: host`: the unit's sandbox has no devices "
                           "(PrivateDevices=), or the machine has no TPM that `systemd-cryptenroll "
                           "--tpm2-device=list` shows");
    else
        failure_set_remedy(failure,
                           "see what `echo x | %s encrypt --with-key=%s --name=x - -` "
                           "says to the daemon's user",
                           program, job->settings.key);
}

bool credential_failure_program(struct credential_job *job, const char *verb,
                                const struct program_result *result)
{
    static const struct buf nothing;
    struct failure *failure = &job->base.outcome.failure;
    struct program_result quiet = *result;
    char program[256];

    if (result->end == PROGRAM_EXITED && result->code == 0 && !result->flooded &&
        result->output->length > 0 && !result->output_cut)
        return false;
    quiet.output = &nothing; /* it may be a plain text */
    (void)snprintf(program, sizeof(program), "%s %s", job->settings.program, verb);
    if (!program_failure(failure, program, &quiet, job->key,
                         spawner_problem(job->base.world->spawner))) {
        failure_set(failure, REASON_TARGET_FAILED, "%s wrote nothing, or more than %d KiB", program,
                    PROGRAM_OUTPUT_MAX / 1024);
    }
    failure->outcome_unknown = false; /* the file has not been touched */
    if (result->end != PROGRAM_LOST && result->end != PROGRAM_NO_SPAWNER &&
        result->end != PROGRAM_NO_ROOM)
        set_remedy(job, result, failure);
    if (says(result, "Permission denied"))
        failure->reason = REASON_TARGET_DENIED;
    return true;
}

void credential_failure_start(struct credential_job *job)
{
    struct failure *failure = &job->base.outcome.failure;

    program_failure_of_start(failure, job->settings.program, job->start_errno);
    if (job->start_errno == ENOENT && access(job->settings.program, F_OK) != 0)
        failure_set_remedy(failure, "install systemd 250 or later, or correct `program`");
}

int credential_check_secret(struct credential_job *job)
{
    struct failure *failure = &job->base.outcome.failure;
    struct stat status;
    int problem = 0;

    if (stat(job->host_secret, &status) != 0)
        problem = errno;
    else if (!S_ISREG(status.st_mode))
        problem = EINVAL;
    if (problem == 0)
        return 0;
    failure_set(failure,
                problem == EACCES || problem == EPERM ? REASON_TARGET_DENIED : REASON_TARGET_FAILED,
                "%s: host_secret_file %s cannot be used: %s", job->path, job->host_secret,
                problem == EINVAL ? "it is no regular file" : strerror(problem));
    if (job->host_secret_name && problem == ENOENT)
        set_remedy_for_credential(job->host_secret_name, failure);
    else
        set_remedy_for_secret(job, failure);
    return -problem;
}

void credential_failure_read(struct credential_job *job)
{
    static const struct target_file form = {.mode = 0600, .group = READER};

    file_failure_read(&job->base.outcome.failure, job->path, &form, &job->err);
}

void credential_failure_write(struct credential_job *job)
{
    struct failure *failure = &job->base.outcome.failure;

    file_failure_write(failure, job->path, READER, &job->err);
    if (!str_starts_with(job->path, STORE))
        return;
    if (job->err.code == -ENOENT && geteuid() == 0)
        failure_set_remedy(failure, "make the directory as systemd does: `install -d -m 700 %s`",
                           STORE_DIRECTORY);
    else if (job->err.code == -ENOENT || failure->reason == REASON_TARGET_DENIED)
        failure_set_remedy(failure,
                           "set `path` to a file below /var/lib/keyrotated-keys, and name it in "
                           "the reader's unit: LoadCredentialEncrypted=%s:PATH; " STORE
                           " is root's alone, which systemd restores at each boot",
                           job->settings.name);
}

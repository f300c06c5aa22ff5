/*
 * These functions run on a thread and work with copies (file_job.h). The file is never written in
 * place: readers see the old content or the new one. It is replaced only when it differs, so that a
 * delivery repeated after a restart changes nothing. Missing directories are not created: usually a
 * missing directory is a file system that is not mounted, and a key must not be written below the
 * mount point.
 */
#include "io/target/target_list.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/must.h"
#include "base/str.h"
#include "io/target/file_job.h"
#include "io/target/target_place.h"
#include "proto/failure.h"
#include "proto/template.h"

enum { READ_MAX = 1024 * 1024 };

/* --- the place --- */

/* Fails unless the place is free or holds a regular file. */
static int check_place(const char *path, struct err *err)
{
    struct stat status;
    char leads_to[PATH_MAX];
    ssize_t length;

    if (lstat(path, &status) != 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "cannot look at %s", path);
    if (S_ISREG(status.st_mode))
        return 0;
    if (S_ISDIR(status.st_mode))
        return err_set(err, -EISDIR, "%s is a directory, not a file", path);
    if (!S_ISLNK(status.st_mode))
        return err_set(err, -EINVAL, "%s is not a regular file", path);
    /* Replacing the link would leave the readers of its target with the old key. */
    length = readlink(path, leads_to, sizeof(leads_to));
    return err_set(err, -ELOOP, "%s is a symbolic link (to %.*s), not a file", path,
                   length > 0 ? (int)length : 0, leads_to);
}

/* In a directory that everybody may write to, anybody can put a file of his own in the place of the
 * key's. The sticky bit forbids it. */
static bool check_directory(struct file_job *job)
{
    char directory[PATH_MAX];
    struct stat status;

    (void)snprintf(directory, sizeof(directory), "%.*s",
                   job->base.lane_length > 0 ? (int)job->base.lane_length : 1, job->base.place);
    if (stat(directory, &status) != 0 || (status.st_mode & S_IWOTH) == 0 ||
        (status.st_mode & S_ISVTX) != 0)
        return true; /* what else is wrong shows when the file is written */
    file_failure_open_directory(&job->base.outcome.failure, job->base.place, directory);
    return false;
}

/* Place, owner and group: what probing and delivering both begin with. */
static bool prepare(struct file_job *job, struct fs_form *ret_form)
{
    struct err err = {.code = 0};

    if (check_place(job->base.place, &err) != 0) {
        file_failure_write(&job->base.outcome.failure, job->base.place, job->settings.group, &err);
        return false;
    }
    return check_directory(job) &&
           file_owner_find(&job->settings, job->base.place, ret_form, &job->base.outcome.failure);
}

/* --- probe --- */

static bool probe(struct file_job *job)
{
    struct err err = {.code = 0};
    struct fs_form form;

    if (!prepare(job, &form))
        return false;
    if (fs_check_replaceable(job->base.place, &err) == 0)
        return true;
    file_failure_write(&job->base.outcome.failure, job->base.place, job->settings.group, &err);
    return false;
}

/* --- read --- */

/* The delivery reports names that cannot be found. */
static struct file_form wanted_form(const struct file_job *job)
{
    struct file_form form = {
        .has_mode = job->settings.has_mode, .mode = job->settings.mode, .gid = FILE_GROUP_ANY};

    form.has_owner = job->settings.owner && file_owner_user(job->settings.owner, &form.uid) == 0 &&
                     form.uid != FILE_OWNER_ANY;
    if (job->settings.group && file_owner_group(job->settings.group, &form.gid) != 0)
        form.gid = FILE_GROUP_ANY;
    return form;
}

static bool read_keys(struct file_job *job)
{
    struct target_outcome *outcome = &job->base.outcome;
    const struct file_form wanted = wanted_form(job);
    struct err err = {.code = 0};
    struct buf bytes;
    int rc;

    /* Set the form first, because the mode may keep us from reading. */
    outcome->form = file_form_check(job->base.place, &wanted,
                                    job->base.action == TARGET_ACTION_READ_AND_SET_FORM,
                                    outcome->form_text, sizeof(outcome->form_text));
    buf_init(&bytes, READ_MAX);
    rc = fs_read(job->base.place, &bytes, &err);
    if (rc == -ENOENT) {
        outcome->kind = SIGHTING_EMPTY;
        rc = 0;
    } else if (rc == -EMSGSIZE) {
        /* Somebody's data: it is replaced as little as a small file that holds something else. */
        outcome->kind = SIGHTING_FOREIGN;
        rc = 0;
    } else if (rc == 0) {
        target_note_text(outcome, job->key_shape, bytes.data, bytes.length);
    }
    buf_done(&bytes);
    if (rc != 0)
        file_failure_read(&outcome->failure, job->base.place, &job->settings, &err);
    return rc == 0;
}

/* --- deliver --- */

static int (*const writers[])(const struct key_file *, struct buf *) = {
    [FILE_FORMAT_RAW] = key_file_raw,   [FILE_FORMAT_ENV] = key_file_env,
    [FILE_FORMAT_JSON] = key_file_json, [FILE_FORMAT_ENV_CONNECTION] = key_file_env_connection,
    [FILE_FORMAT_TEMPLATE] = NULL, /* which has a text of its own */
};

static int render(const struct file_job *job, time_ms delivered_at, struct buf *out)
{
    struct key_file content = job->content;

    content.delivered_at = delivered_at;
    if (job->settings.format == FILE_FORMAT_TEMPLATE)
        return template_expand(job->settings.content, key_file_type(&content), &content, out);
    return writers[job->settings.format](&content, out);
}

/* The time of delivery that the file names, or `otherwise`. */
static time_ms delivery_time_in(const struct buf *bytes, time_ms otherwise)
{
    struct json_object *form = json_parse(bytes->data, bytes->length, NULL);
    const char *text;
    time_ms at = otherwise;

    if (!form)
        return otherwise;
    text = json_string(form, "delivered_at");
    if (text && !date_from_rfc3339(text, &at))
        at = otherwise;
    json_free_wiped(form);
    return at;
}

/* Does the file already hold the content to write, apart from the time of delivery? */
static bool holds_content(const struct file_job *job)
{
    struct buf present, wanted;
    time_ms delivered_at = job->content.delivered_at;
    bool same = false;

    buf_init(&present, KEY_FILE_MAX);
    buf_init(&wanted, KEY_FILE_MAX);
    if (fs_read(job->base.place, &present, NULL) == 0 && present.length > 0) {
        if (job->settings.format == FILE_FORMAT_JSON)
            delivered_at = delivery_time_in(&present, delivered_at);
        same = render(job, delivered_at, &wanted) == 0 && present.length == wanted.length &&
               memcmp(present.data, wanted.data, wanted.length) == 0;
    }
    buf_done(&wanted);
    buf_done(&present);
    return same;
}

/* Does the file already have the content and form to deliver? When only mode, owner or group
 * differ, they are corrected in place, because the readers have the key already. */
static bool holds_all(const struct file_job *job, const struct fs_form *wanted)
{
    const struct file_form form = {.has_mode = true,
                                   .mode = wanted->mode,
                                   .has_owner = wanted->has_owner,
                                   .uid = wanted->uid,
                                   .gid = wanted->gid};
    char text[TARGET_FORM_TEXT_MAX];
    struct stat status;

    return lstat(job->base.place, &status) == 0 && S_ISREG(status.st_mode) && holds_content(job) &&
           file_form_check(job->base.place, &form, true, text, sizeof(text)) != TARGET_FORM_WRONG;
}

static int replace(const struct file_job *job, const struct fs_form *form, struct err *err)
{
    struct buf wanted;
    int rc;

    buf_init(&wanted, KEY_FILE_MAX);
    rc = render(job, job->content.delivered_at, &wanted);
    if (rc != 0)
        err_set(err, -ENOTSUP, "cannot write account %s in this format: %s", job->content.account,
                strerror(-rc));
    else
        rc = fs_replace(job->base.place, wanted.data, wanted.length, form, err);
    buf_done(&wanted);
    return rc;
}

static bool deliver(struct file_job *job)
{
    struct target_outcome *outcome = &job->base.outcome;
    struct err err = {.code = 0};
    struct fs_form form;

    if (!prepare(job, &form))
        return false;
    /* Leftovers may hold keys. Only one job at a time works on a file, so nobody uses them. */
    fs_remove_leftovers(job->base.place, form.uid);
    if (holds_all(job, &form))
        return true;
    if (replace(job, &form, &err) == 0) {
        outcome->changed = true;
        return true;
    }
    file_failure_write(&outcome->failure, job->base.place, job->settings.group, &err);
    /* When only the directory could not be flushed, readers have the key already. */
    outcome->failure.outcome_unknown = holds_content(job);
    return false;
}

/* --- the type --- */

static bool (*const actions[])(struct file_job *) = {
    [TARGET_ACTION_PROBE] = probe,
    [TARGET_ACTION_READ] = read_keys,
    [TARGET_ACTION_READ_AND_SET_FORM] = read_keys,
    [TARGET_ACTION_DELIVER] = deliver,
};

static void run(struct target_job *job)
{
    job->outcome.failed = !actions[job->action](file_job_of(job));
}

/* A template counts by its text: when that changes, it is delivered again. */
static void append_content(const char *content, struct buf *out)
{
    uint8_t hash[SHA256_LENGTH];

    if (crypto_sha256(content, strlen(content), hash) != 0)
        fault_out_of_memory();
    buf_append(out, "\0template", sizeof("\0template"));
    buf_append(out, hash, sizeof(hash));
}

static void append_form(const struct destination *destination, struct buf *out)
{
    const struct target_file *settings = target_file_of(destination);

    buf_append_format(out, "%o", (unsigned)settings->mode);
    buf_append_char(out, '\0');
    buf_append_format(out, "%d", (int)settings->format);
    buf_append_char(out, '\0');
    if (settings->group)
        buf_append_str(out, settings->group);
    /* Added later; without them, the identity stays what it was. */
    if (settings->owner) {
        buf_append(out, "\0owner", sizeof("\0owner"));
        buf_append_str(out, settings->owner);
    }
    if (settings->content)
        append_content(settings->content, out);
}

static bool needs_endpoint(const struct file_job *job)
{
    const struct two_key_resource *type = key_file_type(&job->content);

    if (!type)
        return job->settings.format != FILE_FORMAT_RAW;
    switch (job->settings.format) {
    case FILE_FORMAT_TEMPLATE:
        return template_needs_endpoint(job->settings.content, type);
    case FILE_FORMAT_ENV:
        return !!type->env_endpoint;
    case FILE_FORMAT_ENV_CONNECTION:
        return type->env_endpoint || template_needs_endpoint(type->connection_string, type);
    case FILE_FORMAT_JSON:
        return !!type->endpoint_path;
    default:
        return false;
    }
}

/* Fails the job before it starts when a fact that only Azure knows is missing or invalid. */
static void check_facts(struct file_job *job, const struct target_request *request)
{
    struct failure *failure = &job->base.outcome.failure;
    const struct delivery *delivery = request->delivery;
    bool known = target_place_check(request, "a path", "`path`", failure);

    if (known && delivery && !delivery->endpoint && needs_endpoint(job)) {
        target_fail_unknown("file", job->base.place, "endpoint", failure);
        known = false;
    }
    job->base.outcome.failed = !known;
}

static void start(struct target_world *world, const struct target_request *request)
{
    struct file_job *job = file_job_new(request, run);

    check_facts(job, request);
    target_queue_start(world, &job->base, request);
}

const struct target_operations target_file_operations = {
    .type = &target_file_type,
    .settles_at_once = true,
    .append_form = append_form,
    .start = start,
};

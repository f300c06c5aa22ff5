#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/identify.h"
#include "proto/key_text.h"
#include "proto/two_key/two_key.h"

/* The forms of the keys of all types. */
enum { SHAPES_MAX = 16 };

struct scan {
    struct findings *findings;
    const uint8_t *salt;
    const struct key_shape *shapes[SHAPES_MAX];
    size_t shape_count;
    size_t first_of_file; /* index of the first text of the file that is read */
};

static void learn_shapes(struct scan *scan)
{
    const struct two_key_resource *type;

    for (size_t i = 0; (type = two_key_resource_at(i)); i++) {
        size_t known = 0;

        while (known < scan->shape_count && scan->shapes[known] != type->key_shape)
            known++;
        if (known == scan->shape_count && known < SHAPES_MAX)
            scan->shapes[scan->shape_count++] = type->key_shape;
    }
}

static int skip(struct findings *findings, const char *path, const char *why)
{
    struct skipped_file *skipped;

    if (findings->skipped_count++ >= SCAN_SKIPPED_NAMED)
        return 0;
    skipped = &findings->skipped[findings->skipped_count - 1];
    skipped->path = strdup(path);
    skipped->why = why;
    return skipped->path ? 0 : -ENOMEM;
}

/* --- the texts in a file --- */

static int take_text(void *context, const char *text, size_t length)
{
    struct scan *scan = context;
    struct fingerprint fingerprint;

    if (key_fingerprint(scan->salt, text, length, &fingerprint) != 0)
        return -ENOMEM;
    return findings_add(scan->findings, &fingerprint);
}

static int compare_keys(const void *a, const void *b)
{
    const struct found_key *left = a, *right = b;

    return memcmp(left->fingerprint.bytes, right->fingerprint.bytes, FINGERPRINT_LENGTH);
}

/* A text may have several forms, and stand there several times. */
static void drop_twins(struct scan *scan)
{
    struct findings *findings = scan->findings;
    struct found_key *keys = findings->keys + scan->first_of_file;
    const size_t count = findings->key_count - scan->first_of_file;
    size_t kept = 0;

    if (count == 0)
        return;
    qsort(keys, count, sizeof(*keys), compare_keys);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || compare_keys(&keys[i], &keys[kept - 1]) != 0)
            keys[kept++] = keys[i];
    findings->key_count = scan->first_of_file + kept;
}

static int add_file(struct findings *findings, const char *path)
{
    if (findings->file_count == findings->file_room) {
        const size_t room = findings->file_room ? 2 * findings->file_room : 64;
        char **files = realloc(findings->files, room * sizeof(*files));

        if (!files)
            return -ENOMEM;
        findings->files = files;
        findings->file_room = room;
    }
    findings->files[findings->file_count] = strdup(path);
    return findings->files[findings->file_count++] ? 0 : -ENOMEM;
}

static int find_texts(struct scan *scan, const char *path, const struct buf *content)
{
    struct findings *findings = scan->findings;
    int rc = add_file(findings, path);

    scan->first_of_file = findings->key_count;
    for (size_t i = 0; rc == 0 && i < scan->shape_count; i++)
        rc = key_text_each(scan->shapes[i], buf_str(content), content->length, take_text, scan);
    drop_twins(scan);
    if (rc == 0 && findings->key_count == scan->first_of_file)
        free(findings->files[--findings->file_count]);
    return rc;
}

/* --- a file --- */

/* NULL, or why not. */
static const char *read_all(int fd, struct buf *content)
{
    char piece[16 * 1024];
    const char *problem = NULL;
    ssize_t length;

    while (!problem && (length = read(fd, piece, sizeof(piece))) != 0) {
        if (length > 0 && buf_append(content, piece, (size_t)length) == 0)
            continue;
        if (length >= 0)
            problem = content->failed == -ENOMEM ? "no memory" : "it is larger than 8 MiB";
        else if (errno != EINTR)
            problem = strerrordesc_np(errno);
    }
    wipe(piece, sizeof(piece));
    return problem;
}

/* Opens the very file that was met: in its place there may be another one, or a link, by now. */
static const char *read_file(const FTSENT *entry, struct buf *content)
{
    const int no_link = entry->fts_level > FTS_ROOTLEVEL ? O_NOFOLLOW : 0;
    const int fd = open(entry->fts_accpath, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | no_link);
    const char *problem = NULL;
    struct stat status;

    if (fd < 0)
        return strerrordesc_np(errno);
    if (fstat(fd, &status) != 0)
        problem = strerrordesc_np(errno);
    else if (!S_ISREG(status.st_mode) || status.st_dev != entry->fts_statp->st_dev ||
             status.st_ino != entry->fts_statp->st_ino)
        problem = "it was replaced while it was read";
    else if (status.st_size > SCAN_FILE_SIZE_MAX)
        problem = "it is larger than 8 MiB";
    else
        problem = read_all(fd, content);
    (void)close(fd);
    return problem;
}

static int scan_file(struct scan *scan, const FTSENT *entry)
{
    const char *problem;
    struct buf content;
    int rc;

    buf_init(&content, SCAN_FILE_SIZE_MAX);
    problem = read_file(entry, &content);
    if (problem) {
        rc = skip(scan->findings, entry->fts_path, problem);
    } else {
        scan->findings->files_read++;
        rc = find_texts(scan, entry->fts_path, &content);
    }
    buf_done(&content);
    return rc;
}

/* --- directories --- */

static int compare_names(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int take_entry(struct scan *scan, const FTSENT *entry)
{
    switch (entry->fts_info) {
    case FTS_F:
        return scan_file(scan, entry);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return skip(scan->findings, entry->fts_path, strerrordesc_np(entry->fts_errno));
    case FTS_SLNONE:
        return skip(scan->findings, entry->fts_path, "it is a link to nothing");
    default:
        return 0;
    }
}

static const char *limit_reached(const struct findings *findings)
{
    if (findings->files_read >= SCAN_FILES_MAX)
        return "there are more than 200000 files";
    return findings->key_count >= SCAN_TEXTS_MAX
               ? "there are more than a million texts that may be keys"
               : NULL;
}

int identify_scan(struct findings *findings, char *const *paths,
                  const uint8_t salt[FINGERPRINT_SALT_LENGTH])
{
    struct scan scan = {.findings = findings, .salt = salt};
    FTS *walk =
        fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR | FTS_XDEV, compare_names);
    const FTSENT *entry = NULL;
    int rc = walk ? 0 : -ENOMEM;

    learn_shapes(&scan);
    findings->of_scan = true;
    while (rc == 0 && !findings->cut_by && (entry = fts_read(walk))) {
        rc = take_entry(&scan, entry);
        findings->cut_by = limit_reached(findings);
    }
    if (walk)
        (void)fts_close(walk);
    return rc;
}

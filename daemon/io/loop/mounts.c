#include "io/loop/mounts.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mount_line.h"
#include "base/must.h"
#include "base/str.h"

#define MOUNTINFO "/proc/self/mountinfo"

/* A machine with more mounts is judged by the first of them. */
enum { MOUNTINFO_MAX = 16 * 1024 * 1024 };

void mounts_init(struct mounts *mounts)
{
    *mounts = (struct mounts){.file = -1};
}

static void free_items(struct mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++) {
        free(mounts->items[i].point);
        free(mounts->items[i].device);
        free(mounts->items[i].type);
    }
    free(mounts->items);
    mounts->items = NULL;
    mounts->count = 0;
}

void mounts_done(struct mounts *mounts)
{
    free_items(mounts);
    if (mounts->file >= 0)
        (void)close(mounts->file);
    mounts_init(mounts);
}

/* --- reading the lines --- */

static bool parse_line(char *text, struct mount *mount)
{
    struct mount_line line;

    if (!mount_line_parse(text, &line))
        return false;
    mount->point = must_dup(line.point);
    mount->device = must_dup(line.device);
    mount->type = must_dup(line.type);
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct mount *one = a, *other = b;
    const int order = strcmp(one->point, other->point);

    if (order != 0)
        return order;
    return one->order < other->order ? -1 : one->order > other->order;
}

/* Keeps, of those with one point, the last: it covers the others. */
static void remove_covered(struct mounts *mounts)
{
    size_t kept = 0;

    for (size_t i = 0; i < mounts->count; i++) {
        struct mount *mount = &mounts->items[i];

        if (kept > 0 && str_equal(mounts->items[kept - 1].point, mount->point)) {
            kept--;
            free(mounts->items[kept].point);
            free(mounts->items[kept].device);
            free(mounts->items[kept].type);
        }
        mounts->items[kept++] = *mount;
    }
    mounts->count = kept;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t count = 1;

    for (size_t i = 0; i < length; i++)
        count += text[i] == '\n';
    return count;
}

void mounts_parse(struct mounts *mounts, const char *text, size_t length)
{
    struct buf copy;
    char *rest, *line;

    free_items(mounts);
    buf_init(&copy, MOUNTINFO_MAX);
    if (length > MOUNTINFO_MAX)
        length = MOUNTINFO_MAX;
    if (buf_append(&copy, text, length) != 0)
        fault_out_of_memory(); /* it fails only for lack of memory */
    mounts->items = must_alloc_array(count_lines(text, length), sizeof(*mounts->items));
    rest = copy.data;
    while ((line = strsep(&rest, "\n"))) {
        if (!parse_line(line, &mounts->items[mounts->count]))
            continue;
        mounts->items[mounts->count].order = (unsigned)mounts->count;
        mounts->count++;
    }
    buf_done(&copy);
    if (mounts->count > 0)
        qsort(mounts->items, mounts->count, sizeof(*mounts->items), compare);
    remove_covered(mounts);
}

/* --- the process's own --- */

/* Has the kernel something new to say? It marks the file as urgent then, once. */
static bool have_changed(const struct mounts *mounts)
{
    struct pollfd poller = {.fd = mounts->file, .events = POLLPRI};

    return poll(&poller, 1, 0) > 0 && (poller.revents & (POLLPRI | POLLERR)) != 0;
}

static void read_again(struct mounts *mounts)
{
    struct buf text;
    char piece[4096];
    ssize_t length;

    if (lseek(mounts->file, 0, SEEK_SET) != 0)
        return;
    buf_init(&text, MOUNTINFO_MAX);
    while ((length = read(mounts->file, piece, sizeof(piece))) > 0 &&
           buf_append(&text, piece, (size_t)length) == 0)
        continue;
    if (text.length > 0)
        mounts_parse(mounts, text.data, text.length);
    buf_done(&text);
}

void mounts_refresh(struct mounts *mounts)
{
    if (mounts->file < 0) {
        mounts->file = open(MOUNTINFO, O_RDONLY | O_CLOEXEC);
        if (mounts->file < 0)
            return;
    } else if (!have_changed(mounts)) {
        return;
    }
    read_again(mounts);
}

/* --- looking up --- */

static const struct mount *find_point(const struct mounts *mounts, const char *point, size_t length)
{
    size_t low = 0, high = mounts->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct mount *mount = &mounts->items[middle];
        int order = strncmp(mount->point, point, length);

        if (order == 0)
            order = mount->point[length] != '\0';
        if (order == 0)
            return mount;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct mount *mounts_find(const struct mounts *mounts, const char *path)
{
    size_t length = strlen(path);
    const struct mount *mount;

    while (length > 1) {
        mount = find_point(mounts, path, length);
        if (mount)
            return mount;
        do
            length--;
        while (length > 1 && path[length] != '/');
    }
    return find_point(mounts, "/", 1);
}

/*
 * Files. Root may write anywhere, so the failing cases use places that nobody can write to: a
 * directory that does not exist, and a path below a file.
 */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"

/* A file of this user alone. */
static const struct fs_form own = {.mode = 0600, .gid = (gid_t)-1};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

enum { PATH_SIZE = 512 };

static char directory[PATH_SIZE];

static int make_directory(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");

    snprintf(directory, sizeof(directory), "%s/test_fs.XXXXXX", parent ? parent : "/tmp");
    return mkdtemp(directory) ? 0 : -1;
}

static void remove_tree(const char *path)
{
    DIR *open_directory = opendir(path);

    if (!open_directory)
        return;
    for (struct dirent *entry = readdir(open_directory); entry; entry = readdir(open_directory)) {
        if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
            continue;
        char *below = str_format("%s/%s", path, entry->d_name);
        if (unlink(below) != 0)
            remove_tree(below);
        free(below);
    }
    closedir(open_directory);
    rmdir(path);
}

static int clean_up(void **state)
{
    (void)state;
    remove_tree(directory);
    return 0;
}

/* A path below the test directory; the result lives until the fourth call from now. */
static const char *below(const char *name)
{
    static char paths[4][2 * PATH_SIZE];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static void put(const char *path, const char *content)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_content(const char *path, const char *content)
{
    struct buf buf;
    struct err err;

    buf_init(&buf, 10000);
    assert_int_equal(fs_read(path, &buf, &err), 0);
    assert_string_equal(buf_str(&buf), content);
    buf_done(&buf);
}

static mode_t mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

static int count_entries(const char *path)
{
    int count = 0;
    DIR *open_directory = opendir(path);

    assert_non_null(open_directory);
    while (readdir(open_directory))
        count++;
    closedir(open_directory);
    return count - 2; /* "." and ".." */
}

static void reading_appends(void **state)
{
    (void)state;
    struct buf buf;
    struct err err;

    put(below("file"), "content\n");
    buf_init(&buf, 100);
    buf_append_str(&buf, "before:");
    assert_int_equal(fs_read(below("file"), &buf, &err), 0);
    assert_string_equal(buf_str(&buf), "before:content\n");
    buf_done(&buf);
}

static void reading_empty_and_proc_files(void **state)
{
    (void)state;
    struct buf buf;
    struct err err;

    put(below("empty"), "");
    buf_init(&buf, 100000);
    assert_int_equal(fs_read(below("empty"), &buf, &err), 0);
    assert_int_equal(buf.length, 0);
    /* Its reported size is 0, but it has content. */
    assert_int_equal(fs_read("/proc/self/stat", &buf, &err), 0);
    assert_true(buf.length > 0);
    buf_done(&buf);
}

static void reading_stops_at_the_limit(void **state)
{
    (void)state;
    struct buf buf;
    struct err err;

    put(below("file"), "0123456789");
    buf_init(&buf, 10);
    assert_int_equal(fs_read(below("file"), &buf, &err), 0);
    buf_done(&buf);
    buf_init(&buf, 9);
    assert_int_equal(fs_read(below("file"), &buf, &err), -EMSGSIZE);
    assert_int_equal(err.code, -EMSGSIZE);
    assert_non_null(strstr(err.text, "/file is larger than 9 bytes"));
    buf_done(&buf);
    buf_init(&buf, 9); /* no size to look at beforehand */
    assert_int_equal(fs_read("/proc/self/stat", &buf, &err), -EMSGSIZE);
    buf_done(&buf);
}

static void reading_refuses_what_is_no_file(void **state)
{
    (void)state;
    struct buf buf;
    struct err err;

    put(below("file"), "x");
    assert_int_equal(mkfifo(below("fifo"), 0600), 0);
    assert_int_equal(mknod(below("socket"), S_IFSOCK | 0600, 0), 0);
    assert_int_equal(symlink("nowhere", below("dangling")), 0);
    const struct {
        const char *path;
        int code;
    } cases[] = {
        {below("fifo"), -EINVAL}, /* must not wait for a writer either */
        {below("socket"), -EINVAL}, {directory, -EINVAL},
        {"/dev/null", -EINVAL},     {below("missing"), -ENOENT},
    };

    buf_init(&buf, 100);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(fs_read(cases[i].path, &buf, &err), cases[i].code);
        assert_non_null(strstr(err.text, cases[i].path));
    }
    assert_int_equal(fs_read(below("dangling"), &buf, &err), -ENOENT);
    assert_int_equal(fs_read(below("file/below"), &buf, &err), -ENOTDIR);
    assert_int_equal(buf.length, 0);
    buf_done(&buf);
}

static void replacing_creates_with_the_mode(void **state)
{
    (void)state;
    static const mode_t modes[] = {0600, 0640, 0644, 0666, 0400};
    struct err err;
    mode_t umask_before = umask(077);

    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        assert_int_equal(fs_replace(below("key"), "abc", 3,
                                    &(struct fs_form){.mode = modes[i], .gid = (gid_t)-1}, &err),
                         0);
        assert_int_equal(mode_of(below("key")), modes[i]);
        assert_content(below("key"), "abc");
    }
    umask(umask_before);
    assert_int_equal(count_entries(directory), 1);
}

static void replacing_sets_the_group(void **state)
{
    (void)state;
    struct err err;
    struct stat status;
    gid_t gid = geteuid() == 0 ? 12345 : getegid();

    assert_int_equal(
        fs_replace(below("key"), "abc", 3, &(struct fs_form){.mode = 0640, .gid = gid}, &err), 0);
    assert_int_equal(stat(below("key"), &status), 0);
    assert_int_equal(status.st_gid, gid);
    assert_int_equal(status.st_mode & 07777, 0640);
}

static void replacing_takes_any_content(void **state)
{
    (void)state;
    struct err err;
    struct buf buf;
    static char large[300000];

    memset(large, 'L', sizeof(large));
    assert_int_equal(fs_replace(below("key"), large, sizeof(large), &own, &err), 0);
    buf_init(&buf, sizeof(large));
    assert_int_equal(fs_read(below("key"), &buf, &err), 0);
    assert_int_equal(buf.length, sizeof(large));
    assert_memory_equal(buf.data, large, sizeof(large));
    buf_done(&buf);
    assert_int_equal(fs_replace(below("key"), NULL, 0, &own, &err), 0);
    assert_content(below("key"), "");
}

static void replacing_leaves_link_targets_alone(void **state)
{
    (void)state;
    struct err err;
    struct stat status;

    put(below("elsewhere"), "untouched");
    assert_int_equal(symlink("elsewhere", below("key")), 0);
    assert_int_equal(fs_replace(below("key"), "new", 3, &own, &err), 0);
    assert_int_equal(lstat(below("key"), &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_content(below("key"), "new");
    assert_content(below("elsewhere"), "untouched");
}

static void old_readers_keep_the_old_file(void **state)
{
    (void)state;
    struct err err;
    char content[8] = "";

    put(below("key"), "old");
    int fd = open(below("key"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(fs_replace(below("key"), "newer", 5, &own, &err), 0);
    assert_int_equal(read(fd, content, sizeof(content)), 3);
    assert_string_equal(content, "old");
    close(fd);
}

static void relative_paths_work(void **state)
{
    (void)state;
    struct err err;
    int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_int_equal(chdir(directory), 0);
    assert_int_equal(fs_replace("key", "relative", 8, &own, &err), 0);
    put(".key.aB3dE6.tmp", "");
    fs_remove_leftovers("key", geteuid());
    assert_int_equal(fchdir(before), 0);
    close(before);
    assert_content(below("key"), "relative");
    assert_int_equal(count_entries(directory), 1);
}

static void impossible_places(void **state)
{
    (void)state;
    struct err err;

    put(below("file"), "x");
    assert_int_equal(mkdir(below("subdirectory"), 0700), 0);
    char too_long[300];
    memset(too_long, 'n', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    const struct {
        const char *name;
        int code;
    } cases[] = {
        {"missing/key", -ENOENT},   {"file/key", -ENOTDIR},    {"subdirectory", -EISDIR},
        {"subdirectory/", -EINVAL}, {too_long, -ENAMETOOLONG},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *path = below(cases[i].name);
        err_clear(&err);
        assert_int_equal(fs_replace(path, "new", 3, &own, &err), cases[i].code);
        assert_int_equal(err.code, cases[i].code);
        assert_non_null(strstr(err.text, directory));
        assert_null(strstr(err.text, "new"));
        err_clear(&err);
        assert_int_equal(fs_check_replaceable(path, &err), cases[i].code);
        assert_int_equal(err.code, cases[i].code);
    }
    assert_int_equal(fs_replace("", "new", 3, &own, &err), -EINVAL);
    assert_content(below("file"), "x");
    assert_int_equal(count_entries(directory), 2);
    assert_int_equal(count_entries(below("subdirectory")), 0);
}

/* A limit on the size of files stands in for a full disk. */
static void failed_write_leaves_the_old_file(void **state)
{
    (void)state;
    struct err err;
    struct rlimit before, small;
    static char content[5000];

    put(below("key"), "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    void (*handler_before)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = fs_replace(below("key"), content, sizeof(content), &own, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler_before);

    assert_int_equal(rc, -EFBIG);
    assert_non_null(strstr(err.text, "cannot write"));
    assert_content(below("key"), "old");
    assert_int_equal(count_entries(directory), 1);
}

static void check_leaves_nothing_behind(void **state)
{
    (void)state;
    struct err err;

    assert_int_equal(fs_check_replaceable(below("key"), &err), 0);
    assert_int_equal(count_entries(directory), 0);
    put(below("key"), "old");
    assert_int_equal(fs_check_replaceable(below("key"), &err), 0);
    assert_content(below("key"), "old");
    assert_int_equal(count_entries(directory), 1);
}

enum { CONTENT_A_LENGTH = 20000, CONTENT_B_LENGTH = 30000 };

struct reader {
    const char *path;
    atomic_bool stop;
    atomic_int reads;
    int torn;
};

/* Each content repeats one letter and has a length of its own: a mixture shows. */
static bool is_whole(const struct buf *buf)
{
    size_t expected = buf->data[0] == 'A' ? CONTENT_A_LENGTH : CONTENT_B_LENGTH;

    if (buf->length != expected)
        return false;
    for (size_t i = 0; i < buf->length; i++) {
        if (buf->data[i] != buf->data[0])
            return false;
    }
    return true;
}

static void *read_again_and_again(void *context)
{
    struct reader *reader = context;
    struct buf buf;

    buf_init(&buf, 65536);
    while (!atomic_load(&reader->stop)) {
        struct err err;
        buf_clear(&buf);
        if (fs_read(reader->path, &buf, &err) != 0 || buf.length == 0 || !is_whole(&buf))
            reader->torn++;
        atomic_fetch_add(&reader->reads, 1);
    }
    buf_done(&buf);
    return NULL;
}

static void readers_never_see_a_part(void **state)
{
    (void)state;
    static char a[CONTENT_A_LENGTH], b[CONTENT_B_LENGTH];
    struct reader reader = {.path = below("key")};
    struct err err;
    pthread_t thread;

    memset(a, 'A', sizeof(a));
    memset(b, 'B', sizeof(b));
    assert_int_equal(fs_replace(reader.path, a, sizeof(a), &own, &err), 0);
    assert_int_equal(pthread_create(&thread, NULL, read_again_and_again, &reader), 0);
    int failures = 0;
    /* Waits for the reader's turn, which comes late on a busy machine. */
    for (int i = 0; i < 100 || (atomic_load(&reader.reads) < 100 && i < 100000); i++) {
        failures += fs_replace(reader.path, b, sizeof(b), &own, &err) != 0;
        failures += fs_replace(reader.path, a, sizeof(a), &own, &err) != 0;
    }
    atomic_store(&reader.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(failures, 0);
    assert_int_equal(reader.torn, 0);
    assert_true(atomic_load(&reader.reads) >= 100);
}

static void leftovers_are_told_from_other_files(void **state)
{
    (void)state;
    static const char *const leftovers[] = {".key.aB3dE6.tmp", ".key.000000.tmp"};
    static const char *const others[] = {
        "key",
        ".key.backup",
        ".key.aB3dE.tmp",
        ".key.aB3dE67.tmp",
        ".key.aB3_E6.tmp",
        "key.aB3dE6.tmp",
        ".keys.aB3dE6.tmp",
        ".ke.aB3dE6.tmp",
        ".key.aB3dE6.tmp~",
        ".key-aB3dE6.tmp",
    };

    for (size_t i = 0; i < COUNT_OF(leftovers); i++)
        put(below(leftovers[i]), "half a k");
    for (size_t i = 0; i < COUNT_OF(others); i++)
        put(below(others[i]), "");
    assert_int_equal(mkdir(below(".key.dDdDdD.tmp"), 0700), 0);
    assert_int_equal(symlink("key", below(".key.lLlLlL.tmp")), 0);

    fs_remove_leftovers(below("key"), geteuid());
    for (size_t i = 0; i < COUNT_OF(leftovers); i++)
        assert_int_equal(access(below(leftovers[i]), F_OK), -1);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_int_equal(access(below(others[i]), F_OK), 0);
    assert_int_equal(count_entries(directory), COUNT_OF(others) + 2);

    fs_remove_leftovers(below("missing/key"), geteuid());
    fs_remove_leftovers(below("key/key"), geteuid());
    fs_remove_leftovers("", geteuid());
    fs_remove_leftovers(below(""), geteuid());
}

static void directories_are_made_with_their_parents(void **state)
{
    (void)state;
    struct err err;
    mode_t umask_before = umask(077);

    assert_int_equal(mkdir(below("there"), 0711), 0);
    assert_int_equal(fs_make_directory(below("there/a//b/c/"), 0755, &err), 0);
    umask(umask_before);
    assert_int_equal(mode_of(below("there")), 0700); /* an existing directory keeps its mode */
    assert_int_equal(mode_of(below("there/a")), 0755);
    assert_int_equal(mode_of(below("there/a/b/c")), 0755);
    assert_int_equal(fs_make_directory(below("there/a/b/c"), 0700, &err), 0);
    assert_int_equal(mode_of(below("there/a/b/c")), 0755);
    assert_int_equal(fs_make_directory("/", 0700, &err), 0);
}

static void directories_that_cannot_be(void **state)
{
    (void)state;
    struct err err;

    put(below("file"), "x");
    assert_int_equal(fs_make_directory(below("file"), 0700, &err), -ENOTDIR);
    assert_int_equal(fs_make_directory(below("file/below"), 0700, &err), -ENOTDIR);
    assert_int_equal(fs_make_directory("/proc/no/such", 0700, &err), -ENOENT);
    assert_int_equal(fs_make_directory("", 0700, &err), -EINVAL);
    assert_int_equal(err.code, -EINVAL);
}

#define test_in_directory(function)                                                                \
    cmocka_unit_test_setup_teardown(function, make_directory, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_directory(reading_appends),
        test_in_directory(reading_empty_and_proc_files),
        test_in_directory(reading_stops_at_the_limit),
        test_in_directory(reading_refuses_what_is_no_file),
        test_in_directory(replacing_creates_with_the_mode),
        test_in_directory(replacing_sets_the_group),
        test_in_directory(replacing_takes_any_content),
        test_in_directory(replacing_leaves_link_targets_alone),
        test_in_directory(old_readers_keep_the_old_file),
        test_in_directory(relative_paths_work),
        test_in_directory(impossible_places),
        test_in_directory(failed_write_leaves_the_old_file),
        test_in_directory(check_leaves_nothing_behind),
        test_in_directory(readers_never_see_a_part),
        test_in_directory(leftovers_are_told_from_other_files),
        test_in_directory(directories_are_made_with_their_parents),
        test_in_directory(directories_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

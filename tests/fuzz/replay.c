/*
 * Feeds a fuzzer its seeds, one after the other, where there is no libFuzzer: every build and every
 * instrument (sanitizers, valgrind) then runs what was found once. Reports in TAP.
 */
#include <dirent.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "fuzz.h"

enum { SEED_MAX = 1024 * 1024, PATH_LENGTH_MAX = 1024 };

static int is_seed(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* From an allocation of exactly its size, so that reading past the end shows. */
static void feed(const struct buf *content)
{
    struct fuzz_input input = {.at = buf_str(content), .left = content->length};
    uint8_t *exact = malloc(content->length > 0 ? content->length : 1);

    MUST(exact);
    memcpy(exact, input.at, input.left);
    (void)LLVMFuzzerTestOneInput(exact, input.left);
    free(exact);
}

static bool replay(const char *path)
{
    struct buf content;
    struct err err;
    bool readable;

    buf_init(&content, SEED_MAX);
    err_clear(&err);
    readable = fs_read(path, &content, &err) == 0;
    if (readable)
        feed(&content);
    else
        printf("# %s\n", err.text);
    buf_done(&content);
    return readable;
}

/* Seeds lie in tests/fuzz/seeds/NAME of a program fuzz_NAME. */
int main(int count, char **arguments)
{
    const char *name = strchr(basename(arguments[0]), '_');
    struct dirent **seeds = NULL;
    char path[PATH_LENGTH_MAX];
    int seed_count;
    bool good = true;

    MUST(count == 1 && name);
    (void)snprintf(path, sizeof(path), "tests/fuzz/seeds/%s", name + 1);
    seed_count = scandir(path, &seeds, is_seed, alphasort);
    MUST(seed_count > 0);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%d\n", seed_count);
    for (int i = 0; i < seed_count; i++) {
        bool readable;

        (void)snprintf(path, sizeof(path), "tests/fuzz/seeds/%s/%s", name + 1, seeds[i]->d_name);
        readable = replay(path);
        printf("%s %d - %s\n", readable ? "ok" : "not ok", i + 1, seeds[i]->d_name);
        good = good && readable;
        free(seeds[i]);
    }
    free(seeds);
    return good ? 0 : 1;
}

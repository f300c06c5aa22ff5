#include "results.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"

void results_add(struct results *results, const char *name, bool passed)
{
    const char *slash = strrchr(name, '/');
    struct result *result;

    results->failed += !passed;
    if (results->count == RESULTS_MAX)
        return;
    result = &results->result[results->count++];
    str_copy(result->name, sizeof(result->name), slash ? slash + 1 : name);
    if (str_ends_with(result->name, ".txt"))
        result->name[strlen(result->name) - strlen(".txt")] = '\0';
    result->passed = passed;
}

static void make_directory(const char *path)
{
    char directory[PATH_MAX];
    char *slash;

    if (!str_copy(directory, sizeof(directory), path) || !(slash = strrchr(directory, '/')))
        return;
    *slash = '\0';
    (void)mkdir(directory, 0777); /* where that fails, opening the file says why */
}

static void print_text(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '&' || *text == '<' || *text == '"')
            fprintf(file, "&#%d;", *text);
        else
            fputc(*text, file);
    }
}

bool results_write(const struct results *results, const char *path)
{
    FILE *file;
    bool good;

    make_directory(path);
    file = fopen(path, "w");
    if (!file) {
        fprintf(stderr, "sim: %s: %s\n", path, strerror(errno));
        return false;
    }
    fprintf(file,
            "<testsuite name=\"sim\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">",
            results->count, results->failed);
    for (size_t i = 0; i < results->count; i++) {
        fputs("<testcase classname=\"sim\" name=\"", file);
        print_text(file, results->result[i].name);
        fputs(results->result[i].passed ? "\" />" : "\"><failure /></testcase>", file);
    }
    fputs("</testsuite>\n", file);
    good = !ferror(file);
    good = fclose(file) == 0 && good;
    if (!good)
        fprintf(stderr, "sim: %s: it could not be written\n", path);
    return good;
}

#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fold.h"

enum { SCENARIO_MAX = 1024 * 1024, ERROR_MAX = 300, CONTEXT_LINES = 4 };

static bool read_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "r");
    char block[4096];
    size_t length;
    bool good;

    if (!file) {
        printf("%s: %s\n", path, strerror(errno));
        return false;
    }
    while ((length = fread(block, 1, sizeof(block), file)) > 0)
        buf_append(out, block, length);
    good = !ferror(file) && out->failed == 0;
    fclose(file);
    if (!good)
        printf("%s: it cannot be read\n", path);
    return good;
}

/* --- comparing --- */

/* A line without the blanks around it. */
struct line {
    const char *start;
    size_t length;
};

/* Takes the next line that is not empty. False: there is none. */
static bool next_line(const char **text, struct line *line)
{
    while (**text != '\0') {
        size_t length = strcspn(*text, "\n");
        const char *start = *text;

        *text += length + (start[length] == '\n');
        while (length > 0 && (*start == ' ' || *start == '\t')) {
            start++;
            length--;
        }
        while (length > 0 && strchr(" \t\r", start[length - 1]))
            length--;
        *line = (struct line){start, length};
        if (length > 0)
            return true;
    }
    *line = (struct line){"", 0};
    return false;
}

static unsigned count_lines(const char *from, const char *to)
{
    unsigned lines = 1;

    for (; from < to; from++)
        lines += *from == '\n';
    return lines;
}

static void print_lines(const char *title, const char *text)
{
    struct line line;

    printf("  %s:\n", title);
    for (int i = 0; i < CONTEXT_LINES && next_line(&text, &line); i++)
        printf("    %.*s\n", (int)line.length, line.start);
}

/* Prints the lines from where they differ. */
static bool is_expected(const char *path, const char *file, const char *expected, const char *got)
{
    for (;;) {
        const char *expected_here = expected;
        const char *got_here = got;
        struct line a, b;
        bool more_a = next_line(&expected, &a);
        bool more_b = next_line(&got, &b);

        if (!more_a && !more_b)
            return true;
        if (a.length == b.length && memcmp(a.start, b.start, a.length) == 0)
            continue;
        printf("%s:%u: the trace is another one from here on\n", path,
               count_lines(file, expected_here));
        print_lines("expected", expected_here);
        print_lines("but it is", got_here);
        return false;
    }
}

/* --- recording --- */

static bool write_file(const char *path, const struct buf *text)
{
    FILE *file = fopen(path, "w");
    bool good = !!file;

    if (file) {
        good = fwrite(text->data, 1, text->length, file) == text->length;
        good = fclose(file) == 0 && good;
    }
    if (!good)
        printf("%s: it cannot be written: %s\n", path, strerror(errno));
    return good;
}

static bool record_trace(const char *path, const char *file, const char *expected,
                         const char *trace)
{
    struct buf text;
    struct line line;
    bool good;

    buf_init(&text, SCENARIO_MAX);
    if (expected) {
        buf_append(&text, file, (size_t)(expected - file));
    } else {
        buf_append_str(&text, file);
        buf_append_str(&text, "expect\n");
    }
    while (next_line(&trace, &line))
        buf_append_format(&text, "  %.*s\n", (int)line.length, line.start);
    good = text.failed == 0 && write_file(path, &text);
    buf_done(&text);
    return good;
}

/* --- playing --- */

static bool judge(const char *path, const struct oracle_verdict *verdict)
{
    char text[ORACLE_TEXT_MAX + 200];

    if (verdict->convicted == 0)
        return true;
    run_describe(verdict, text, sizeof(text));
    printf("%s: %s\n", path, text);
    return false;
}

/* A printed script is read as the same script. */
static bool can_be_printed(const char *path, const struct script *script)
{
    struct script again;
    struct buf first, second;
    const char *expected;
    char error[ERROR_MAX];
    bool good;

    buf_init(&first, SCENARIO_MAX);
    buf_init(&second, SCENARIO_MAX);
    script_print(script, &first);
    good = script_parse(buf_str(&first), &again, &expected, error, sizeof(error));
    if (good) {
        script_print(&again, &second);
        script_done(&again);
        good = strcmp(buf_str(&first), buf_str(&second)) == 0;
    }
    if (!good)
        printf("%s: it is not what is read when it has been printed\n", path);
    buf_done(&first);
    buf_done(&second);
    return good;
}

static bool play(const char *path, const char *file, const struct run_settings *settings,
                 bool record)
{
    struct oracle_verdict verdict = {.muted = settings->muted};
    struct script script;
    struct trace *trace;
    struct buf told;
    const char *expected;
    char error[ERROR_MAX];
    bool good;

    if (!script_parse(file, &script, &expected, error, sizeof(error))) {
        printf("%s:%s\n", path, error);
        return false;
    }
    trace = trace_new();
    world_play(&script, settings->design, &verdict, trace, NULL);
    good = judge(path, &verdict);
    good = can_be_printed(path, &script) && good;
    buf_init(&told, SCENARIO_MAX);
    fold_trace(trace_text(trace), &told);
    if (record)
        good = record_trace(path, file, expected, buf_str(&told)) && good;
    else if (expected)
        good = is_expected(path, file, expected, buf_str(&told)) && good;
    else
        good = printf("%s: it has no line \"expect\" with a trace: see --record\n", path) < 0;
    buf_done(&told);
    trace_free(trace);
    script_done(&script);
    return good;
}

bool scenario_play(const char *path, const struct run_settings *settings, bool record)
{
    struct buf file;
    bool good;

    buf_init(&file, SCENARIO_MAX);
    good = read_file(path, &file) && play(path, buf_str(&file), settings, record);
    buf_done(&file);
    return good;
}

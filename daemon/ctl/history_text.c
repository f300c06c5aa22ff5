/* The form of history for people. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "ctl/history.h"
#include "ctl/status_text.h"

enum {
    SECOND_MAX = 24,
    BY_WIDTH = 16,
    BY_MAX = 4 * BY_WIDTH + 8,
    FINGERPRINT_SHOWN = 8,
    COLUMNS = 100,
    INDENT = 21,
    WORDS_MAX = 2048
};

/* "2026-12-01 02:15:07Z"; "-" */
static const char *to_the_second(time_ms at, char out[SECOND_MAX])
{
    const time_t seconds = (time_t)(at / MS_SECOND);
    struct tm civil;

    (void)str_copy(out, SECOND_MAX, "-");
    if (at != TIME_NEVER && gmtime_r(&seconds, &civil))
        (void)strftime(out, SECOND_MAX, "%Y-%m-%d %H:%M:%SZ", &civil);
    return out;
}

static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* In a cell of that width; of what is too long the beginning. */
static void write_cell(struct buf *out, const char *text, size_t width)
{
    const size_t whole = width_of(text);
    const char *end = text;

    for (size_t shown = 0; *end != '\0' && shown < width; shown++)
        do
            end++;
        while (((unsigned char)*end & 0xc0) == 0x80);
    ctl_write(out, "%.*s%*s", (int)(end - text), text, whole < width ? (int)(width - whole) : 0,
              "");
}

/* "40ms", "3m 20s", "2d 4h": the two largest units; "-" */
static const char *how_long(const struct history_snapshot *row, char out[DURATION_TEXT_MAX])
{
    const duration_ms unit = row->duration >= (uint64_t)MS_DAY      ? MS_HOUR
                             : row->duration >= (uint64_t)MS_HOUR   ? MS_MINUTE
                             : row->duration >= (uint64_t)MS_SECOND ? MS_SECOND
                                                                    : 1;
    const duration_ms duration = (duration_ms)row->duration;

    (void)str_copy(out, DURATION_TEXT_MAX, "-");
    return duration > 0 ? duration_to_words(duration - duration % unit, out) : out;
}

/* Who, else what. */
static const char *by_whom(const struct history_snapshot *row)
{
    return row->actor ? row->actor : ctl_shown(row->trigger);
}

/* The columns from INDENT on; a line begins where there is no room for `width` more. */
static void make_room(struct buf *out, size_t *column, size_t width)
{
    if (*column > INDENT && *column + 1 + width <= COLUMNS) {
        ctl_write(out, " ");
        *column += 1;
        return;
    }
    if (*column > 0)
        (void)buf_append_char(out, '\n');
    ctl_write(out, "%*s", INDENT, "");
    *column = INDENT;
}

/* Words in lines; one that is longer than a line is broken. */
static void write_wrapped(struct buf *out, const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        const size_t length = strcspn(text, " ");
        const char *const end = text + length;

        while (text < end) {
            const size_t room = COLUMNS - INDENT;
            const size_t part =
                (size_t)(end - text) > room ? utf8_whole(text, room) : (size_t)(end - text);
            char word[COLUMNS + 1];

            (void)snprintf(word, sizeof(word), "%.*s", (int)part, text);
            make_room(out, &column, width_of(word));
            ctl_write(out, "%s", word);
            column += width_of(word);
            text += part;
        }
        text += strspn(text, " ");
    }
    ctl_write(out, "\n");
}

/* "group/name: target file: target_changed: …" */
static void write_detail(struct buf *out, const struct history_snapshot *row)
{
    char words[WORDS_MAX];
    int length = snprintf(words, sizeof(words), "%s/%s", ctl_shown(row->resource_group),
                          ctl_shown(row->name));

    if (row->target && length >= 0 && (size_t)length < sizeof(words))
        length +=
            snprintf(words + length, sizeof(words) - (size_t)length, ": target %s", row->target);
    if (row->reason && length >= 0 && (size_t)length < sizeof(words))
        length += snprintf(words + length, sizeof(words) - (size_t)length, ": %s", row->reason);
    if (row->text && length >= 0 && (size_t)length < sizeof(words))
        (void)snprintf(words + length, sizeof(words) - (size_t)length, ": %s", row->text);
    words[utf8_whole(words, strlen(words))] = '\0';
    write_wrapped(out, words);
}

static void write_head(struct buf *out, time_ms now)
{
    (void)now;
    ctl_write(out, "%-20s  %5s  %-18s  %-9s  %-16s  %-11s  %s\n", "TIME", "CYCLE", "EVENT", "SLOT",
              "BY", "FINGERPRINT", "DURATION");
}

static void write_row(struct buf *out, const struct history_snapshot *row)
{
    char at[SECOND_MAX], words[DURATION_TEXT_MAX];

    ctl_write(out, "%-20s  %5llu  ", to_the_second(row->at, at), (unsigned long long)row->cycle);
    write_cell(out, ctl_shown(row->event), 18);
    ctl_write(out, "  ");
    write_cell(out, ctl_shown(row->slot), 9);
    ctl_write(out, "  ");
    write_cell(out, by_whom(row), BY_WIDTH);
    ctl_write(out, "  %-11.*s  %s\n", FINGERPRINT_SHOWN, ctl_shown(row->fingerprint),
              how_long(row, words));
    write_detail(out, row);
}

static void write_end(struct buf *out, size_t rows)
{
    if (rows == 0)
        ctl_write(out, "nothing is known of that time\n");
}

const struct history_form history_as_text = {write_head, write_row, write_end, ""};

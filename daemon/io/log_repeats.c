#include "io/log_repeats.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/str.h"

#define HOLD_FOR MS_HOUR

enum { BUCKETS = 1024 };

/* A copy of a line, with the texts behind it in the same piece of memory. */
struct held_line {
    time_ms time;
    enum log_level level;
    char *event;
    char *message;
    size_t field_count;
    struct log_field fields[];
};

struct subject {
    struct list in_bucket;
    struct list by_use;
    uint64_t name;   /* hash of what the lines are about */
    uint64_t saying; /* hash of what the latest of them says */
    time_ms written_at;
    int64_t held_count;
    struct held_line *held; /* the latest that was held back; NULL: none */
};

struct log_repeats {
    log_repeats_write *write;
    void *context;
    size_t subject_count;
    time_ms next_end;   /* no subject's hour ends before this */
    struct list by_use; /* the one silent for longest first */
    struct list buckets[BUCKETS];
};

/* --- what a line is about, and what it says --- */

/* FNV-1a. The NUL is part of it, so that no two lists of texts look alike. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    } while (*text++ != '\0');
    return hash;
}

static uint64_t hash_field(uint64_t hash, const struct log_field *field)
{
    hash = hash_text(hash, field->name);
    if (field->text != NULL)
        return hash_text(hash, field->text);
    return (hash ^ (uint64_t)field->number) * UINT64_C(0x100000001b3);
}

static bool is_one_of(const char *name, const char *const names[])
{
    for (; *names != NULL; names++) {
        if (strcmp(name, *names) == 0)
            return true;
    }
    return false;
}

static bool names_subject(const char *field)
{
    static const char *const names[] = {"account",  "resource_group", "subscription_id",
                                        "identity", "target",         NULL};

    return is_one_of(field, names);
}

static bool differs_between_attempts(const char *field)
{
    static const char *const names[] = {"attempt",        "retry_at",          "next_at",
                                        "duration_ms",    "key_age_s",         "request_id",
                                        "correlation_id", "client_request_id", NULL};

    return is_one_of(field, names);
}

static uint64_t subject_of(const struct log_line *line)
{
    uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), line->event);

    for (size_t i = 0; i < line->field_count; i++) {
        if (names_subject(line->fields[i].name))
            hash = hash_field(hash, &line->fields[i]);
    }
    return hash;
}

static uint64_t saying_of(const struct log_line *line)
{
    uint64_t hash = hash_text((uint64_t)line->level, line->message);

    for (size_t i = 0; i < line->field_count; i++) {
        if (!differs_between_attempts(line->fields[i].name))
            hash = hash_field(hash, &line->fields[i]);
    }
    return hash;
}

/* --- held lines --- */

static size_t text_size(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static char *put_text(char **end, const char *text)
{
    size_t size = text_size(text);
    char *copy = *end;

    if (text == NULL)
        return NULL;
    memcpy(copy, text, size);
    *end += size;
    return copy;
}

static struct held_line *held_line_new(const struct log_line *line)
{
    size_t size = sizeof(struct held_line) + line->field_count * sizeof(struct log_field) +
                  text_size(line->event) + text_size(line->message);
    struct held_line *held;
    char *end;

    for (size_t i = 0; i < line->field_count; i++)
        size += text_size(line->fields[i].name) + text_size(line->fields[i].text);
    held = malloc(size);
    if (held == NULL)
        return NULL;
    end = (char *)&held->fields[line->field_count];
    held->time = line->time;
    held->level = line->level;
    held->event = put_text(&end, line->event);
    held->message = put_text(&end, line->message);
    held->field_count = line->field_count;
    for (size_t i = 0; i < line->field_count; i++) {
        held->fields[i] = (struct log_field){
            .name = put_text(&end, line->fields[i].name),
            .text = put_text(&end, line->fields[i].text),
            .number = line->fields[i].number,
        };
    }
    return held;
}

static void write_held(struct log_repeats *repeats, struct subject *subject)
{
    const struct held_line *held = subject->held;
    struct log_line line;

    if (held == NULL)
        return;
    log_line_start(&line, held->time, held->level, held->event, "%s", held->message);
    line.field_count = held->field_count;
    memcpy(line.fields, held->fields, held->field_count * sizeof(held->fields[0]));
    log_line_number(&line, "repeated", subject->held_count);
    repeats->write(repeats->context, &line);
    free(subject->held);
    subject->held = NULL;
    subject->held_count = 0;
}

/* --- subjects --- */

static struct subject *find_subject(const struct log_repeats *repeats, uint64_t name)
{
    list_for_each (item, &repeats->buckets[name % BUCKETS]) {
        struct subject *subject = container_of(item, struct subject, in_bucket);

        if (subject->name == name)
            return subject;
    }
    return NULL;
}

static void forget_subject(struct log_repeats *repeats, struct subject *subject)
{
    write_held(repeats, subject);
    list_remove(&subject->in_bucket);
    list_remove(&subject->by_use);
    repeats->subject_count--;
    free(subject);
}

/* NULL when memory is out. */
static struct subject *add_subject(struct log_repeats *repeats, uint64_t name)
{
    struct subject *subject = calloc(1, sizeof(*subject));

    if (subject == NULL)
        return NULL;
    if (repeats->subject_count == LOG_REPEATS_SUBJECTS_MAX)
        forget_subject(repeats, container_of(repeats->by_use.next, struct subject, by_use));
    subject->name = name;
    list_append(&repeats->buckets[name % BUCKETS], &subject->in_bucket);
    list_append(&repeats->by_use, &subject->by_use);
    repeats->subject_count++;
    return subject;
}

static bool hour_is_over(const struct subject *subject, time_ms now)
{
    /* A clock that was set back must not hold lines for longer than an hour either. */
    return now < subject->written_at || now - subject->written_at >= HOLD_FOR;
}

static void note_written(struct log_repeats *repeats, struct subject *subject, time_ms now)
{
    time_ms end = time_add(now, HOLD_FOR);

    subject->written_at = now;
    if (end < repeats->next_end)
        repeats->next_end = end;
}

/* What was held back for an hour is written, and may be held back for another. */
static void end_hours(struct log_repeats *repeats, time_ms now)
{
    if (now < repeats->next_end && now >= repeats->next_end - HOLD_FOR)
        return;
    repeats->next_end = TIME_NEVER;
    list_for_each (item, &repeats->by_use) {
        struct subject *subject = container_of(item, struct subject, by_use);

        if (!hour_is_over(subject, now)) {
            note_written(repeats, subject, subject->written_at);
        } else if (subject->held != NULL) {
            write_held(repeats, subject);
            note_written(repeats, subject, now);
        } else {
            forget_subject(repeats, subject);
        }
    }
}

/* --- for all --- */

static bool hold_back(struct subject *subject, const struct log_line *line)
{
    struct held_line *held = held_line_new(line);

    if (held == NULL)
        return false;
    free(subject->held);
    subject->held = held;
    subject->held_count++;
    return true;
}

/* Returns whether the line has been held back. */
static bool hold_if_repeated(struct log_repeats *repeats, const struct log_line *line)
{
    uint64_t name = subject_of(line), saying = saying_of(line);
    struct subject *subject = find_subject(repeats, name);

    if (line->level > LEVEL_WARNING) {
        if (subject != NULL)
            forget_subject(repeats, subject);
        return false;
    }
    if (subject != NULL && subject->saying == saying && hold_back(subject, line)) {
        list_remove(&subject->by_use);
        list_append(&repeats->by_use, &subject->by_use);
        return true;
    }
    if (subject != NULL)
        write_held(repeats, subject);
    else
        subject = add_subject(repeats, name);
    if (subject != NULL) {
        subject->saying = saying;
        note_written(repeats, subject, line->time);
    }
    return false;
}

void log_repeats_take(struct log_repeats *repeats, const struct log_line *line)
{
    end_hours(repeats, line->time);
    if (!hold_if_repeated(repeats, line))
        repeats->write(repeats->context, line);
}

struct log_repeats *log_repeats_new(log_repeats_write *write, void *context)
{
    struct log_repeats *repeats = calloc(1, sizeof(*repeats));

    if (repeats == NULL)
        return NULL;
    repeats->write = write;
    repeats->context = context;
    repeats->next_end = TIME_NEVER;
    list_init(&repeats->by_use);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&repeats->buckets[i]);
    return repeats;
}

void log_repeats_free(struct log_repeats *repeats)
{
    if (repeats == NULL)
        return;
    list_for_each (item, &repeats->by_use) {
        forget_subject(repeats, container_of(item, struct subject, by_use));
    }
    free(repeats);
}

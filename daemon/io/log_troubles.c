#include "io/log_troubles.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cause.h"
#include "base/list.h"
#include "base/str.h"
#include "io/log_copy.h"

enum {
    BUCKETS = 4096,
    NAMES_SHOWN = 5,
    NAMES_MAX = 1000,
    GATHER_MS = 1000,
    LINGER_MS = 30 * 1000,
    FASTER_THAN = 4 /* from one telling of those who joined to the next */
};

struct trouble {
    struct list link;
    uint64_t cause;
    uint64_t kind; /* event and reason */
    struct log_copy *line;
    uint64_t line_subject; /* whose line it is */
    time_ms began;
    time_ms told_at; /* TIME_NEVER: not yet */
    time_ms next_at;
    time_ms end_at; /* TIME_NEVER: it lasts */
    duration_ms pace;
    struct list members;
    size_t member_count;
    size_t told_count; /* members, when they were told last */
    size_t ended_count;
    int64_t untold; /* lines that were not written */
    struct buf ended_names;
};

struct member {
    struct list in_bucket;
    struct list in_trouble;
    uint64_t subject;
    struct trouble *trouble;
    char *name;
};

struct log_troubles {
    log_troubles_write *write;
    void *context;
    bool gathering;
    size_t subject_count;
    struct list troubles;
    struct list buckets[BUCKETS];
};

/* --- what a line is about --- */

static const char *text_of(const struct log_line *line, const char *name)
{
    for (size_t i = 0; i < line->field_count; i++)
        if (strcmp(line->fields[i].name, name) == 0)
            return line->fields[i].text;
    return NULL;
}

static int64_t number_of(const struct log_line *line, const char *name)
{
    for (size_t i = 0; i < line->field_count; i++)
        if (!line->fields[i].text && strcmp(line->fields[i].name, name) == 0)
            return line->fields[i].number;
    return 0;
}

static uint64_t exact_hash(uint64_t hash, const char *text)
{
    for (; text && *text != '\0'; text++)
        hash = cause_hash_number(hash, *text);
    return cause_hash_number(hash, -1);
}

static uint64_t kind_of(const struct log_line *line)
{
    return exact_hash(exact_hash(CAUSE_HASH_BEGIN, line->event), text_of(line, "reason"));
}

static uint64_t subject_of(const char *event, const char *subject)
{
    return exact_hash(exact_hash(CAUSE_HASH_BEGIN, event), subject);
}

static uint64_t cause_of(const struct log_line *line)
{
    static const char *const fields[] = {"target",          "account",  "resource_group",
                                         "subscription_id", "location", "identity"};
    enum { COUNT = sizeof(fields) / sizeof(fields[0]) };
    const char *names[COUNT + 1];
    size_t count = 0;
    uint64_t hash = kind_of(line);

    for (size_t i = 0; i < COUNT; i++) {
        const char *name = text_of(line, fields[i]);

        if (name && name[0] != '\0')
            names[count++] = name;
    }
    names[count] = NULL;
    hash = cause_hash(hash, line->message, names);
    hash = exact_hash(hash, text_of(line, "error_code"));
    return cause_hash_number(hash, number_of(line, "http_status"));
}

/* "group/account", or what else the line is about. */
static void name_of(const struct log_line *line, struct buf *out)
{
    const char *account = text_of(line, "account");
    const char *group = text_of(line, "resource_group");

    if (account && group)
        buf_append_format(out, "%s/", group);
    if (!account)
        account = text_of(line, "identity");
    buf_append_str(out, account ? account : line->trouble);
}

/* --- who is in which trouble --- */

static struct member *find_member(const struct log_troubles *troubles, uint64_t subject)
{
    list_for_each (item, &troubles->buckets[subject % BUCKETS]) {
        struct member *member = container_of(item, struct member, in_bucket);

        if (member->subject == subject)
            return member;
    }
    return NULL;
}

static void remove_trouble(struct trouble *trouble)
{
    list_remove(&trouble->link);
    buf_done(&trouble->ended_names);
    free(trouble->line);
    free(trouble);
}

static void remove_member(struct log_troubles *troubles, struct member *member)
{
    member->trouble->member_count--;
    troubles->subject_count--;
    list_remove(&member->in_bucket);
    list_remove(&member->in_trouble);
    free(member->name);
    free(member);
}

static struct member *add_member(struct log_troubles *troubles, struct trouble *trouble,
                                 uint64_t subject, const struct log_line *line)
{
    struct member *member = calloc(1, sizeof(*member));
    struct buf name;

    if (!member)
        return NULL;
    buf_init(&name, 512);
    name_of(line, &name);
    member->name = buf_take(&name);
    buf_done(&name);
    if (!member->name) {
        free(member);
        return NULL;
    }
    member->subject = subject;
    member->trouble = trouble;
    list_append(&troubles->buckets[subject % BUCKETS], &member->in_bucket);
    list_append(&trouble->members, &member->in_trouble);
    trouble->member_count++;
    troubles->subject_count++;
    return member;
}

/* The trouble of that cause, or the one that stands for all further causes of its kind. */
static struct trouble *find_trouble(struct log_troubles *troubles, uint64_t kind, uint64_t *cause)
{
    size_t causes = 0;

    list_for_each (item, &troubles->troubles) {
        struct trouble *trouble = container_of(item, struct trouble, link);

        if (trouble->cause == *cause)
            return trouble;
        causes += trouble->kind == kind ? 1 : 0;
    }
    if (causes < LOG_CAUSES_MAX || *cause == kind)
        return NULL;
    *cause = kind;
    return find_trouble(troubles, kind, cause);
}

static struct trouble *add_trouble(struct log_troubles *troubles, uint64_t kind, uint64_t cause,
                                   uint64_t subject, const struct log_line *line)
{
    struct trouble *trouble = calloc(1, sizeof(*trouble));

    if (!trouble)
        return NULL;
    list_init(&trouble->members);
    buf_init(&trouble->ended_names, NAMES_MAX);
    trouble->kind = kind;
    trouble->cause = cause;
    trouble->began = line->time;
    trouble->told_at = TIME_NEVER;
    trouble->next_at = time_add(line->time, GATHER_MS);
    trouble->end_at = TIME_NEVER;
    trouble->pace = MS_MINUTE;
    trouble->line_subject = subject;
    list_append(&troubles->troubles, &trouble->link);
    trouble->line = log_copy_new(line);
    if (!trouble->line) {
        remove_trouble(trouble);
        return NULL;
    }
    return trouble;
}

/* --- telling --- */

static bool is_of_one_alone(const char *name)
{
    static const char *const names[] = {
        "account",     "resource_group",
        "location",    "policy",
        "slot",        "cycle",
        "target",      "fingerprint",
        "request_id",  "correlation_id",
        "attempt",     "retry_at",
        "next_at",     "client_request_id",
        "key_age_s",   "since",
        "actor",       "trigger",
        "duration_ms", "state",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void keep_common_fields(struct log_line *line)
{
    size_t kept = 0;

    for (size_t i = 0; i < line->field_count; i++)
        if (!is_of_one_alone(line->fields[i].name))
            line->fields[kept++] = line->fields[i];
    line->field_count = kept;
}

static void add_name(struct buf *names, size_t index, const char *name)
{
    if (index < NAMES_SHOWN)
        buf_append_format(names, "%s%.150s", index > 0 ? ", " : "", name);
}

static void add_names(struct log_line *line, size_t count, struct buf *names)
{
    if (count > NAMES_SHOWN)
        buf_append_format(names, " and %zu more", count - NAMES_SHOWN);
    log_line_number(line, "alike", (int64_t)count);
    log_line_text(line, "names", buf_str(names));
}

/* Is all there is to tell what the first line says? */
static bool is_one_alone(const struct trouble *trouble)
{
    if (trouble->member_count == 0)
        return trouble->ended_count <= 1;
    return trouble->member_count == 1 &&
           container_of(trouble->members.next, struct member, in_trouble)->subject ==
               trouble->line_subject;
}

static void write_trouble(struct log_troubles *troubles, struct trouble *trouble, time_ms now)
{
    struct log_line first, line;
    struct buf names;
    size_t count = 0;

    log_copy_restore(trouble->line, &first);
    line = first;
    line.time = now;
    buf_init(&names, NAMES_MAX);
    if (!is_one_alone(trouble)) {
        log_line_start(&line, now, first.level, first.event, "%zu alike: %s",
                       trouble->member_count > 0 ? trouble->member_count : trouble->ended_count,
                       first.message);
        line.field_count = first.field_count;
        keep_common_fields(&line);
        list_for_each (item, &trouble->members) {
            add_name(&names, count++, container_of(item, struct member, in_trouble)->name);
        }
        if (count > 0)
            add_names(&line, count, &names);
        log_line_time(&line, "since", trouble->began);
    }
    if (trouble->untold > 0)
        log_line_number(&line, "repeated", trouble->untold);
    troubles->write(troubles->context, &line);
    buf_done(&names);
}

static void tell(struct log_troubles *troubles, struct trouble *trouble, time_ms now)
{
    write_trouble(troubles, trouble, now);
    if (trouble->told_at != TIME_NEVER && trouble->pace < MS_DAY / FASTER_THAN)
        trouble->pace *= FASTER_THAN;
    trouble->told_at = now;
    trouble->told_count = trouble->member_count;
    trouble->untold = 0;
    trouble->next_at = time_add(now, MS_DAY);
}

static void tell_end(struct log_troubles *troubles, struct trouble *trouble, time_ms now)
{
    duration_ms lasted = trouble->end_at - LINGER_MS - trouble->began;
    char words[DURATION_TEXT_MAX];
    struct log_line first, line;

    log_copy_restore(trouble->line, &first);
    log_line_start(
        &line, now, LEVEL_NOTICE, "trouble.ended", "over after %s: %s%s",
        duration_to_words(lasted > MS_SECOND ? lasted - lasted % MS_SECOND : MS_SECOND, words),
        trouble->ended_count > 1 ? "all that had this: " : "", first.message);
    log_line_text(&line, "ended", first.event);
    if (trouble->ended_count == 1) {
        log_line_text(&line, "account", text_of(&first, "account"));
        log_line_text(&line, "resource_group", text_of(&first, "resource_group"));
    }
    log_line_text(&line, "identity", text_of(&first, "identity"));
    add_names(&line, trouble->ended_count, &trouble->ended_names);
    log_line_time(&line, "since", trouble->began);
    log_line_number(&line, "duration_ms", lasted);
    if (trouble->untold > 0)
        log_line_number(&line, "repeated", trouble->untold);
    log_line_text(&line, "reason", text_of(&first, "reason"));
    troubles->write(troubles->context, &line);
}

/* --- for all --- */

static void leave(struct log_troubles *troubles, struct member *member, time_ms now, bool quiet)
{
    struct trouble *trouble = member->trouble;

    if (!quiet)
        add_name(&trouble->ended_names, trouble->ended_count++, member->name);
    remove_member(troubles, member);
    if (trouble->member_count > 0)
        return;
    if (trouble->ended_count == 0 && trouble->told_at != TIME_NEVER)
        remove_trouble(trouble); /* it became another one, which is told */
    else
        trouble->end_at = time_add(now, LINGER_MS);
}

static bool take(struct log_troubles *troubles, const struct log_line *line)
{
    uint64_t subject = subject_of(line->event, line->trouble);
    uint64_t kind = kind_of(line), cause = cause_of(line);
    struct member *member = find_member(troubles, subject);
    struct trouble *trouble = find_trouble(troubles, kind, &cause);
    bool is_new = trouble == NULL;

    if (member && member->trouble == trouble) {
        trouble->untold++;
        return true;
    }
    if (member)
        leave(troubles, member, line->time, true);
    if (troubles->subject_count >= LOG_SUBJECTS_MAX)
        return false;
    if (is_new)
        trouble = add_trouble(troubles, kind, cause, subject, line);
    if (!trouble)
        return false;
    if (!add_member(troubles, trouble, subject, line)) {
        if (is_new)
            remove_trouble(trouble);
        return false;
    }
    if (trouble->end_at != TIME_NEVER) {
        trouble->end_at = TIME_NEVER; /* it is back */
        trouble->ended_count = 0;
        buf_clear(&trouble->ended_names);
    }
    if (is_new && troubles->gathering)
        return true;
    if (is_new) {
        tell(troubles, trouble, line->time);
        return true;
    }
    trouble->untold++;
    if (trouble->told_at != TIME_NEVER && trouble->member_count > trouble->told_count &&
        trouble->told_at + trouble->pace < trouble->next_at)
        trouble->next_at = trouble->told_at + trouble->pace;
    return true;
}

void log_troubles_take(struct log_troubles *troubles, const struct log_line *line)
{
    if (!line->trouble || !take(troubles, line))
        troubles->write(troubles->context, line);
}

void log_troubles_end(struct log_troubles *troubles, time_ms now, const char *event,
                      const char *subject, bool quiet)
{
    struct member *member = find_member(troubles, subject_of(event, subject));

    if (member)
        leave(troubles, member, now, quiet);
}

/* A clock that was set back must not silence what lasts. */
static void keep_in_sight(struct trouble *trouble, time_ms now)
{
    if (trouble->next_at > now + MS_DAY)
        trouble->next_at = now + MS_DAY;
    if (trouble->end_at != TIME_NEVER && trouble->end_at > now + LINGER_MS)
        trouble->end_at = now + LINGER_MS;
}

time_ms log_troubles_due(struct log_troubles *troubles, time_ms now, bool all)
{
    time_ms next = TIME_NEVER;

    list_for_each (item, &troubles->troubles) {
        struct trouble *trouble = container_of(item, struct trouble, link);

        keep_in_sight(trouble, now);
        if (trouble->next_at <= now ||
            (all && trouble->untold > 0 && trouble->end_at == TIME_NEVER) ||
            (all && trouble->told_at == TIME_NEVER))
            tell(troubles, trouble, now);
        if (trouble->end_at != TIME_NEVER && (all || trouble->end_at <= now)) {
            if (trouble->ended_count > 0)
                tell_end(troubles, trouble, now);
            remove_trouble(trouble);
            continue;
        }
        next = trouble->next_at < next ? trouble->next_at : next;
        next = trouble->end_at < next ? trouble->end_at : next;
    }
    return next;
}

void log_troubles_gather(struct log_troubles *troubles, bool gathering)
{
    troubles->gathering = gathering;
}

struct log_troubles *log_troubles_new(log_troubles_write *write, void *context)
{
    struct log_troubles *troubles = calloc(1, sizeof(*troubles));

    if (!troubles)
        return NULL;
    troubles->write = write;
    troubles->context = context;
    list_init(&troubles->troubles);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&troubles->buckets[i]);
    return troubles;
}

void log_troubles_free(struct log_troubles *troubles)
{
    if (!troubles)
        return;
    list_for_each (item, &troubles->troubles) {
        struct trouble *trouble = container_of(item, struct trouble, link);

        list_for_each (link, &trouble->members) {
            remove_member(troubles, container_of(link, struct member, in_trouble));
        }
        remove_trouble(trouble);
    }
    free(troubles);
}

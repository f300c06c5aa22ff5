#include "io/log/log_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/must.h"

enum {
    BUCKETS = 4096,
    NAMES_SHOWN = 5,
    NAMES_MAX = 1000,
    GATHER_MS = 1000,
    GATHER_MAX_MS = 5 * 60 * 1000,
    LINGER_MS = 30 * 1000,
    SINGLY_MAX = 5, /* lines written singly before further ones are gathered; also changes of the
                     * cause before further ones have to wait */
    FASTER_THAN = 4 /* growth of the time between lines about new members */
};

struct trouble {
    struct list link;
    uint64_t cause;
    uint64_t kind; /* event and reason */
    struct log_copy *line;
    uint64_t line_subject; /* the subject of `line` */
    time_ms began;
    time_ms told_at; /* TIME_NEVER: not yet */
    time_ms next_at;
    time_ms end_at; /* TIME_NEVER: it lasts */
    duration_ms pace;
    struct list members; /* that have it */
    size_t member_count;
    size_t told_count; /* number of members when the last line was written */
    struct list ended; /* former members, for the line at the end of the trouble */
    size_t ended_count;
    int64_t untold; /* lines that were not written */
    bool gathers;   /* from log_line_gathers(): it does not last, and its members are not yet
                     * logged */
    unsigned singly_told;
};

/* How often the cause of a subject's trouble has become another one. */
struct changes {
    unsigned count;   /* not more than a day apart */
    time_ms at;       /* the last one */
    duration_ms pace; /* no sooner after that */
};

struct member {
    struct list in_bucket;
    struct list in_trouble;
    uint64_t subject;
    struct trouble *trouble;
    bool has_ended;
    struct changes changes;
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

/* --- the members of troubles --- */

/* `ended_of`: a former member of that trouble; NULL: the member of any that has not ended. */
static struct member *find_member(const struct log_troubles *troubles,
                                  const struct trouble *ended_of, uint64_t subject)
{
    list_for_each_entry (member, &troubles->buckets[subject % BUCKETS], struct member, in_bucket) {
        if (member->subject == subject &&
            (ended_of ? member->has_ended && member->trouble == ended_of : !member->has_ended))
            return member;
    }
    return NULL;
}

static void set_ended(struct member *member, bool has_ended)
{
    struct trouble *trouble = member->trouble;

    list_remove(&member->in_trouble);
    list_append(has_ended ? &trouble->ended : &trouble->members, &member->in_trouble);
    if (has_ended) {
        trouble->member_count--;
        trouble->ended_count++;
    } else {
        trouble->member_count++;
        trouble->ended_count--;
    }
    member->has_ended = has_ended;
}

static void remove_member(struct log_troubles *troubles, struct member *member)
{
    if (member->has_ended)
        member->trouble->ended_count--;
    else
        member->trouble->member_count--;
    troubles->subject_count--;
    list_remove(&member->in_bucket);
    list_remove(&member->in_trouble);
    free(member->name);
    free(member);
}

static void remove_trouble(struct log_troubles *troubles, struct trouble *trouble)
{
    list_for_each (item, &trouble->members)
        remove_member(troubles, container_of(item, struct member, in_trouble));
    list_for_each (item, &trouble->ended)
        remove_member(troubles, container_of(item, struct member, in_trouble));
    list_remove(&trouble->link);
    free(trouble->line);
    free(trouble);
}

static struct member *add_member(struct log_troubles *troubles, struct trouble *trouble,
                                 uint64_t subject, const struct log_line *line)
{
    struct member *member = must_alloc(sizeof(*member));
    struct buf name;

    buf_init(&name, 512);
    log_alike_name(line, &name);
    member->name = must(buf_take(&name));
    buf_done(&name);
    member->subject = subject;
    member->trouble = trouble;
    list_append(&troubles->buckets[subject % BUCKETS], &member->in_bucket);
    list_append(&trouble->members, &member->in_trouble);
    trouble->member_count++;
    troubles->subject_count++;
    return member;
}

/* The trouble of that cause, or the shared one for all further causes of its kind. */
static struct trouble *find_trouble(struct log_troubles *troubles, uint64_t kind, uint64_t *cause)
{
    size_t causes = 0;

    list_for_each_entry (trouble, &troubles->troubles, struct trouble, link) {
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
    struct trouble *trouble = must_alloc(sizeof(*trouble));

    list_init(&trouble->members);
    list_init(&trouble->ended);
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
    return trouble;
}

/* --- telling --- */

/* Adds the number of subjects, and the names of the first ones. */
static void add_names(struct log_line *line, size_t count, const struct list *members,
                      struct buf *names)
{
    size_t index = 0;

    list_for_each_entry (member, members, const struct member, in_trouble) {
        if (index == NAMES_SHOWN)
            break;
        buf_append_format(names, "%s%.150s", index++ > 0 ? ", " : "", member->name);
    }
    if (count > NAMES_SHOWN)
        buf_append_format(names, " and %zu more", count - NAMES_SHOWN);
    log_line_number(line, "alike", (int64_t)count);
    log_line_text(line, "names", buf_str(names));
}

/* Does the first line already say everything? */
static bool is_one_alone(const struct trouble *trouble)
{
    if (trouble->member_count == 0)
        return trouble->ended_count <= 1;
    return trouble->member_count == 1 &&
           container_of(trouble->members.next, struct member, in_trouble)->subject ==
               trouble->line_subject;
}

/* What stands before the message of one of so many. */
static const char *word_for(const struct trouble *trouble)
{
    return trouble->cause == trouble->kind ? "more, each with a cause of its own; one of them"
                                           : "alike";
}

static void write_trouble(struct log_troubles *troubles, struct trouble *trouble, time_ms now)
{
    struct log_line first, line;
    struct buf names;

    log_copy_restore(trouble->line, &first);
    line = first;
    line.time = now;
    buf_init(&names, NAMES_MAX);
    if (!is_one_alone(trouble)) {
        log_line_start(&line, now, first.level, first.event, "%zu %s: %s",
                       trouble->member_count > 0 ? trouble->member_count : trouble->ended_count,
                       word_for(trouble), first.message);
        line.field_count = first.field_count;
        log_alike_keep_common(&line);
        if (trouble->member_count > 0)
            add_names(&line, trouble->member_count, &trouble->members, &names);
        else
            add_names(&line, trouble->ended_count, &trouble->ended, &names);
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
    struct buf names;

    buf_init(&names, NAMES_MAX);
    log_copy_restore(trouble->line, &first);
    log_line_start(
        &line, now, LEVEL_NOTICE, "trouble.ended", "over after %s: %s%s",
        duration_to_words(lasted > MS_SECOND ? lasted - lasted % MS_SECOND : MS_SECOND, words),
        trouble->ended_count > 1 ? "all that had this: " : "", first.message);
    log_line_text(&line, "ended", first.event);
    if (trouble->ended_count == 1) {
        log_line_text(&line, "account", log_alike_text(&first, "account"));
        log_line_text(&line, "resource_group", log_alike_text(&first, "resource_group"));
        log_line_text(&line, "subscription_id", log_alike_text(&first, "subscription_id"));
    }
    log_line_text(&line, "identity", log_alike_text(&first, "identity"));
    add_names(&line, trouble->ended_count, &trouble->ended, &names);
    log_line_time(&line, "since", trouble->began);
    log_line_number(&line, "duration_ms", lasted);
    if (trouble->untold > 0)
        log_line_number(&line, "repeated", trouble->untold);
    log_line_text(&line, "reason", log_alike_text(&first, "reason"));
    troubles->write(troubles->context, &line);
    buf_done(&names);
}

/* --- for all --- */

static void leave(struct log_troubles *troubles, struct member *member, time_ms now, bool quiet)
{
    struct trouble *trouble = member->trouble;

    /* A line of another event follows and shows the end. */
    if (quiet)
        remove_member(troubles, member);
    else
        set_ended(member, true);
    if (trouble->member_count > 0)
        return;
    if (trouble->ended_count == 0 && trouble->told_at != TIME_NEVER)
        remove_trouble(troubles, trouble); /* it became another trouble, which is logged */
    else
        trouble->end_at = time_add(now, LINGER_MS);
}

/* The daily line reports the present state, so the latest line is kept. */
static void keep_latest(struct trouble *trouble, const struct log_line *line)
{
    free(trouble->line);
    trouble->line = log_copy_new(line);
}

/* A subject that comes back is no longer a former member. */
static struct member *join(struct log_troubles *troubles, struct trouble *trouble, uint64_t subject,
                           const struct log_line *line)
{
    struct member *member = find_member(troubles, trouble, subject);

    if (member)
        set_ended(member, false);
    else
        member = add_member(troubles, trouble, subject, line);
    trouble->end_at = TIME_NEVER;
    return member;
}

/* A text with an id or a time in it looks like another cause each time. */
static bool changes_too_often(const struct member *member, time_ms now)
{
    const struct changes *changes = &member->changes;

    return changes->count >= SINGLY_MAX && now >= changes->at && now < changes->at + changes->pace;
}

static void note_change(struct changes *changes, time_ms now)
{
    if (changes->count > 0 && now > changes->at + MS_DAY)
        changes->count = 0;
    changes->count++;
    changes->at = now;
    if (changes->count <= SINGLY_MAX)
        changes->pace = MS_MINUTE;
    else if (changes->pace < MS_DAY / FASTER_THAN)
        changes->pace *= FASTER_THAN;
}

static bool take(struct log_troubles *troubles, const struct log_line *line)
{
    uint64_t subject = log_alike_subject(line->event, line->trouble);
    uint64_t kind = log_alike_kind(line), cause = log_alike_cause(line);
    struct member *member = find_member(troubles, NULL, subject);
    struct trouble *trouble = find_trouble(troubles, kind, &cause);
    struct changes changes = {0};
    bool is_new = !trouble;

    if (member &&
        ((trouble && member->trouble == trouble) || changes_too_often(member, line->time))) {
        trouble = member->trouble;
        trouble->untold++;
        if (subject == trouble->line_subject)
            keep_latest(trouble, line);
        return true;
    }
    if (member) {
        changes = member->changes;
        note_change(&changes, line->time);
        leave(troubles, member, line->time, true);
    }
    if (troubles->subject_count >= LOG_SUBJECTS_MAX)
        return false;
    if (is_new)
        trouble = add_trouble(troubles, kind, cause, subject, line);
    join(troubles, trouble, subject, line)->changes = changes;
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

/* Writes the pending lines of the same event before a single line, so that the end of a trouble
 * comes after its beginning. */
static void tell_before(struct log_troubles *troubles, const struct log_line *line)
{
    list_for_each_entry (trouble, &troubles->troubles, struct trouble, link) {
        struct log_line first;

        if (trouble->told_at != TIME_NEVER)
            continue;
        log_copy_restore(trouble->line, &first);
        if (strcmp(first.event, line->event) == 0)
            tell(troubles, trouble, line->time);
    }
}

/* Returns true when the line will be combined with others. */
static bool gather(struct log_troubles *troubles, const struct log_line *line)
{
    uint64_t kind = log_alike_kind(line), cause = log_alike_cause(line);
    uint64_t subject = log_alike_subject(line->event, line->trouble) ^ cause;
    struct trouble *trouble = find_trouble(troubles, kind, &cause);

    if (!trouble) {
        trouble = add_trouble(troubles, kind, cause, subject, line);
        trouble->gathers = true;
        trouble->pace = GATHER_MS;
        trouble->told_at = line->time;
    }
    if (trouble->singly_told < SINGLY_MAX || troubles->subject_count >= LOG_SUBJECTS_MAX) {
        trouble->singly_told++;
        trouble->told_at = line->time;
        trouble->next_at = time_add(line->time, GATHER_MS);
        return false;
    }
    if (find_member(troubles, NULL, subject)) {
        trouble->untold++;
        return true;
    }
    (void)add_member(troubles, trouble, subject, line);
    if (trouble->member_count > 1) {
        trouble->untold++;
        return true;
    }
    keep_latest(trouble, line);
    trouble->line_subject = subject;
    trouble->began = line->time;
    trouble->next_at = time_add(trouble->told_at, trouble->pace);
    return true;
}

/* Logs the gathered subjects, or forgets the trouble when no line has come for a while. Returns the
 * time of the next check. */
static time_ms tell_gathered(struct log_troubles *troubles, struct trouble *trouble, time_ms now,
                             bool all)
{
    if (trouble->told_at > now)
        trouble->told_at = now; /* the clock was set back */
    if (trouble->member_count == 0) {
        trouble->next_at = trouble->told_at + MS_MINUTE + trouble->pace;
        if (!all && trouble->next_at > now)
            return trouble->next_at;
        remove_trouble(troubles, trouble);
        return TIME_NEVER;
    }
    trouble->next_at = trouble->told_at + trouble->pace;
    if (!all && trouble->next_at > now)
        return trouble->next_at;
    write_trouble(troubles, trouble, now);
    list_for_each (item, &trouble->members)
        remove_member(troubles, container_of(item, struct member, in_trouble));
    trouble->untold = 0;
    trouble->told_at = now;
    trouble->pace *= FASTER_THAN;
    if (trouble->pace > GATHER_MAX_MS)
        trouble->pace = GATHER_MAX_MS;
    return now + trouble->pace;
}

/* Returns true when the line need not be written now. */
static bool take_any(struct log_troubles *troubles, const struct log_line *line)
{
    if (!line->gathers)
        return line->trouble && take(troubles, line);
    return troubles->gathering && gather(troubles, line);
}

void log_troubles_take(struct log_troubles *troubles, const struct log_line *line)
{
    if (!line->trouble)
        tell_before(troubles, line);
    if (!take_any(troubles, line))
        troubles->write(troubles->context, line);
}

void log_troubles_end(struct log_troubles *troubles, time_ms now, const char *event,
                      const char *subject, bool quiet)
{
    struct member *member = find_member(troubles, NULL, log_alike_subject(event, subject));

    if (!member)
        return;
    if (member->trouble->told_at == TIME_NEVER)
        tell(troubles, member->trouble, now); /* what is logged next may say that it is over */
    leave(troubles, member, now, quiet);
}

/* Keeps a trouble from falling silent when the clock was set back. */
static void keep_in_sight(struct trouble *trouble, time_ms now)
{
    if (trouble->next_at > time_add(now, MS_DAY))
        trouble->next_at = time_add(now, MS_DAY);
    if (trouble->end_at != TIME_NEVER && trouble->end_at > time_add(now, LINGER_MS))
        trouble->end_at = time_add(now, LINGER_MS);
}

time_ms log_troubles_due(struct log_troubles *troubles, time_ms now, bool all)
{
    time_ms next = TIME_NEVER;

    list_for_each_entry (trouble, &troubles->troubles, struct trouble, link) {
        if (trouble->gathers) {
            time_ms again = tell_gathered(troubles, trouble, now, all);

            next = again < next ? again : next;
            continue;
        }
        keep_in_sight(trouble, now);
        if (trouble->next_at <= now ||
            (all && trouble->untold > 0 && trouble->end_at == TIME_NEVER) ||
            (all && trouble->told_at == TIME_NEVER))
            tell(troubles, trouble, now);
        if (trouble->end_at != TIME_NEVER && (all || trouble->end_at <= now)) {
            if (trouble->ended_count > 0)
                tell_end(troubles, trouble, now);
            remove_trouble(troubles, trouble);
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
    struct log_troubles *troubles = must_alloc(sizeof(*troubles));

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
        remove_trouble(troubles, container_of(item, struct trouble, link));
    }
    free(troubles);
}

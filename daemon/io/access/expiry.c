#include "io/access/expiry.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"

#define EVENT "credential.expiring"

/* How long ahead of the end; the shortest first. */
static const duration_ms warnings[] = {MS_DAY, 7 * MS_DAY, 30 * MS_DAY};
enum { WARNINGS = sizeof(warnings) / sizeof(warnings[0]) };

struct expiry_entry {
    struct list link;
    char *identity;
    struct credential_expiry expiry;
    size_t told;   /* an index of `warnings`; WARNINGS: nothing yet */
    char *problem; /* that was told; NULL: none */
};

void expiry_book_init(struct expiry_book *book, struct log *log)
{
    list_init(&book->entries);
    book->log = log;
}

static void drop(struct expiry_entry *entry)
{
    list_remove(&entry->link);
    free(entry->identity);
    free(entry->problem);
    free(entry);
}

void expiry_book_done(struct expiry_book *book)
{
    list_for_each_entry (entry, &book->entries, struct expiry_entry, link)
        drop(entry);
}

static bool is_configured(const struct config *config, const char *identity)
{
    for (size_t i = 0; i < config->identity_count; i++) {
        if (str_equal(config->identities[i].name, identity))
            return true;
    }
    return false;
}

void expiry_book_keep(struct expiry_book *book, const struct config *config)
{
    list_for_each_entry (entry, &book->entries, struct expiry_entry, link) {
        if (!is_configured(config, entry->identity))
            drop(entry);
    }
}

static struct expiry_entry *entry_of(struct expiry_book *book, const char *identity)
{
    struct expiry_entry *made;

    list_for_each_entry (entry, &book->entries, struct expiry_entry, link) {
        if (str_equal(entry->identity, identity))
            return entry;
    }
    made = must_alloc(sizeof(*made));
    made->identity = must_dup(identity);
    made->told = WARNINGS;
    list_append(&book->entries, &made->link);
    return made;
}

static void tell(const struct expiry_book *book, const struct expiry_entry *entry, time_ms now)
{
    const struct credential_expiry *expiry = &entry->expiry;
    char words[DURATION_TEXT_MAX];
    struct log_line line;

    log_line_start(&line, now, entry->told == 0 ? LEVEL_WARNING : LEVEL_NOTICE, EVENT,
                   "%s of identity %s ends in %s", expiry->what, entry->identity,
                   duration_to_words(time_between(now, expiry->at), words));
    log_line_text(&line, "identity", entry->identity);
    log_line_time(&line, "expires_at", expiry->at);
    log_line_text(&line, "remedy", expiry->remedy);
    log_emit(book->log, &line);
}

static void tell_problem(const struct expiry_book *book, struct expiry_entry *entry, time_ms now)
{
    const struct credential_expiry *expiry = &entry->expiry;
    struct log_line line;

    if (!expiry->is_replaced) {
        free(entry->problem);
        entry->problem = NULL;
        return;
    }
    if (entry->problem && str_equal(entry->problem, expiry->problem.text))
        return;
    free(entry->problem);
    entry->problem = must_dup(expiry->problem.text);
    log_line_start(&line, now, LEVEL_WARNING, EVENT,
                   "identity %s goes on with %s, which it read before: %s", entry->identity,
                   expiry->what, expiry->problem.text);
    log_line_text(&line, "identity", entry->identity);
    log_line_time(&line, "expires_at", expiry->at);
    log_line_text(&line, "remedy", expiry->problem.remedy);
    log_line_text(&line, "error_code", str_or_null(expiry->problem.error_code));
    log_emit(book->log, &line);
}

void expiry_book_note(struct expiry_book *book, const char *identity,
                      const struct credential_expiry *expiry, time_ms now)
{
    struct expiry_entry *entry;
    size_t due = 0;

    if (expiry->at == 0)
        return;
    entry = entry_of(book, identity);
    if (entry->expiry.at != expiry->at)
        entry->told = WARNINGS; /* a new credential */
    entry->expiry = *expiry;
    while (due < WARNINGS && time_between(now, expiry->at) > warnings[due])
        due++;
    if (due < entry->told) {
        entry->told = due;
        tell(book, entry, now);
    }
    tell_problem(book, entry, now);
}

bool expiry_book_first(const struct expiry_book *book, const char **ret_identity,
                       const struct credential_expiry **ret_expiry)
{
    const struct expiry_entry *first = NULL;

    list_for_each_entry (entry, &book->entries, struct expiry_entry, link) {
        if (!first || entry->expiry.at < first->expiry.at)
            first = entry;
    }
    if (!first)
        return false;
    *ret_identity = first->identity;
    *ret_expiry = &first->expiry;
    return true;
}

#include "ctl/adoption_list.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "base/str.h"
#include "ctl/status_text.h"

static const char blanks[] = " \t\r";

static void complain(struct buf *errors, const char *name, unsigned number, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void complain(struct buf *errors, const char *name, unsigned number, const char *format, ...)
{
    char text[6000]; /* a sentence, and the ids of some accounts */
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    ctl_write(errors, "%s:%u: %s\n", name, number, text);
}

/* Cuts the next word out of *rest; "": there is none. */
static char *take_word(char **rest)
{
    char *word = *rest + strspn(*rest, blanks);
    size_t length = strcspn(word, blanks);

    *rest = word + length;
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return word;
}

/* False: the line is blank, a comment, or wrong. */
static bool read_line(char *text, struct adoption_line *line, const char *name, struct buf *errors)
{
    const char *slot, *more;

    line->account = take_word(&text);
    if (line->account[0] == '\0' || line->account[0] == '#')
        return false;
    slot = take_word(&text);
    more = take_word(&text);
    line->active = control_slot_from_name(slot);
    if (!utf8_valid(line->account, strlen(line->account)) ||
        strlen(line->account) > CONTROL_ACCOUNT_MAX)
        complain(errors, name, line->number, "this is no account's name");
    else if (slot[0] == '\0')
        complain(errors, name, line->number, "%.200s: primary or secondary has to follow",
                 line->account);
    else if (!line->active)
        complain(errors, name, line->number, "%.200s: \"%.60s\" is neither primary nor secondary",
                 line->account, slot);
    else if (more[0] != '\0')
        complain(errors, name, line->number,
                 "%.200s: a line is an account and a slot, and \"%.60s\" is too much",
                 line->account, more);
    else
        return true;
    return false;
}

static bool is_called(const struct account_snapshot *account, const char *typed)
{
    return control_names_account(
        typed, account->name, account->resource_group ? account->resource_group : "", account->id);
}

/* The first ones of the accounts that the line's name fits. */
static void complain_of_several(const struct adoption_line *line,
                                const struct control_status *status, const char *name, size_t found,
                                struct buf *errors)
{
    enum { LISTED_MAX = 5 };
    size_t listed = 0;
    struct buf ids;

    buf_init(&ids, LISTED_MAX * 1024);
    for (size_t i = 0; i < status->account_count && listed < LISTED_MAX; i++)
        if (is_called(&status->accounts[i], line->account))
            (void)buf_append_format(&ids, "%s %s", listed++ > 0 ? "," : "", status->accounts[i].id);
    if (found > listed)
        (void)buf_append_format(&ids, " and %zu more", found - listed);
    complain(errors, name, line->number,
             "more than one account is named %.200s: say group/name, or the id:%s", line->account,
             buf_str(&ids));
    buf_done(&ids);
}

static void find_subject(struct adoption_line *line, const struct control_status *status,
                         const char *name, struct buf *errors)
{
    size_t found = 0;

    for (size_t i = 0; i < status->account_count; i++) {
        if (!is_called(&status->accounts[i], line->account))
            continue;
        line->subject = &status->accounts[i];
        found++;
    }
    if (found == 0)
        complain(errors, name, line->number, "no account %.200s is configured", line->account);
    if (found > 1)
        complain_of_several(line, status, name, found, errors);
    if (found != 1)
        line->subject = NULL;
}

static int compare_subjects(const void *a, const void *b)
{
    const struct adoption_line *const *left = a;
    const struct adoption_line *const *right = b;

    if ((*left)->subject != (*right)->subject)
        return (*left)->subject < (*right)->subject ? -1 : 1;
    return (*left)->number < (*right)->number ? -1 : 1;
}

/* Refuses two lines about one account: they may contradict each other. */
static int find_twice(const struct adoption_list *list, const char *name, struct buf *errors)
{
    struct adoption_line **sorted = calloc(list->count + 1, sizeof(struct adoption_line *));

    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < list->count; i++)
        sorted[i] = &list->lines[i];
    qsort(sorted, list->count, sizeof(struct adoption_line *), compare_subjects);
    for (size_t i = 1; i < list->count; i++)
        if (sorted[i]->subject && sorted[i]->subject == sorted[i - 1]->subject)
            complain(errors, name, sorted[i]->number, "%.200s stands in line %u already",
                     sorted[i]->account, sorted[i - 1]->number);
    free(sorted);
    return 0;
}

static size_t count_lines(const char *text)
{
    size_t count = 1;

    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static void read_lines(struct adoption_list *list, const char *name, char *text,
                       const struct control_status *status, struct buf *errors)
{
    unsigned number = 0;

    while (*text != '\0') {
        struct adoption_line *line = &list->lines[list->count];
        size_t length = strcspn(text, "\n");
        char *next = text + length + (text[length] == '\n');

        text[length] = '\0';
        number++;
        *line = (struct adoption_line){.number = number};
        if (read_line(text, line, name, errors)) {
            find_subject(line, status, name, errors);
            list->count++;
        }
        text = next;
    }
}

int adoption_list_read(struct adoption_list *list, const char *name, const char *text,
                       size_t length, const struct control_status *status, struct buf *errors)
{
    static const char mark[] = "\xef\xbb\xbf";
    const bool marked = length >= 3 && memcmp(text, mark, 3) == 0;

    *list = (struct adoption_list){
        .text = str_dup_n(text + (marked ? 3 : 0), length - (marked ? 3 : 0))};
    if (!list->text)
        return -ENOMEM;
    if (memchr(text, '\0', length)) {
        complain(errors, name, 1, "the file is not text");
        return 0;
    }
    list->lines = calloc(count_lines(list->text) + 1, sizeof(*list->lines));
    if (!list->lines)
        return -ENOMEM;
    read_lines(list, name, list->text, status, errors);
    if (list->count == 0 && errors->length == 0)
        complain(errors, name, 1, "there is no line ACCOUNT primary|secondary in it");
    return find_twice(list, name, errors);
}

void adoption_list_done(struct adoption_list *list)
{
    free(list->lines);
    free(list->text);
    *list = (struct adoption_list){0};
}

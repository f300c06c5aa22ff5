#include "io/store/store_ops.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

struct history_read *history_read_new(const struct history_query *query, store_found_history *found,
                                      void *context)
{
    struct history_read *read = must_alloc(sizeof(*read));

    list_init(&read->link);
    read->account_keys = must_alloc_array(query->account_count + 1, sizeof(char *));
    for (size_t i = 0; i < query->account_count; i++)
        read->account_keys[i] = must_dup(query->account_keys[i]);
    read->account_count = query->account_count;
    read->since = query->since;
    read->until = query->until;
    read->after = query->after;
    read->found = found;
    read->context = context;
    return read;
}

struct history_read *history_read_new_check(char *const *account_keys, size_t account_count,
                                            const char *after, store_checked_history *checked,
                                            void *context)
{
    struct history_read *read = history_read_new(
        &(struct history_query){.account_keys = account_keys, .account_count = account_count}, NULL,
        context);

    read->checked = checked;
    read->after_key = after ? must_dup(after) : NULL;
    return read;
}

void history_read_add_verdict(struct history_read *read, const char *account_key,
                              const struct history_check *check)
{
    struct history_verdict *verdict = &read->verdicts[read->verdict_count++];

    *verdict = (struct history_verdict){.account_key = must_dup(account_key),
                                        .rows = check->rows,
                                        .older = check->older,
                                        .fault = check->fault,
                                        .number = check->number};
    memcpy(verdict->head, check->link, SHA256_LENGTH);
}

static size_t texts_size(struct history_entry *entry)
{
    size_t size = strlen(entry->account_key) + 1;

    for (size_t i = 0; i < HISTORY_ROW_TEXTS; i++) {
        const char *text = *history_row_text(&entry->row, i);

        size += text ? strlen(text) + 1 : 0;
    }
    return size;
}

/* One allocation for the texts of an entry: it begins with the key of the account. */
void history_read_add(struct history_read *read, const struct history_entry *entry)
{
    struct history_entry *copy = &read->entries[read->page.count++];
    char *storage;

    *copy = *entry;
    storage = must_alloc(texts_size(copy));
    copy->account_key = storage;
    storage = stpcpy(storage, entry->account_key) + 1;
    for (size_t i = 0; i < HISTORY_ROW_TEXTS; i++) {
        const char **text = history_row_text(&copy->row, i);
        char *begin = storage;

        if (!*text)
            continue;
        storage = stpcpy(storage, *text) + 1;
        *text = begin;
    }
}

void history_read_end(struct history_read *read)
{
    const bool good = read->err.code == 0;

    read->page.entries = read->entries;
    if (read->found)
        read->found(read->context, good ? &read->page : NULL, &read->err);
    else
        read->checked(read->context, good ? read->verdicts : NULL, good ? read->verdict_count : 0,
                      good ? read->next_key : NULL, &read->err);
    for (size_t i = 0; i < read->verdict_count; i++)
        free((char *)(uintptr_t)read->verdicts[i].account_key);
    free(read->after_key);
    free(read->next_key);
    for (size_t i = 0; i < read->page.count; i++)
        free((char *)(uintptr_t)read->entries[i].account_key);
    for (size_t i = 0; i < read->account_count; i++)
        free(read->account_keys[i]);
    free(read->account_keys);
    free(read);
}

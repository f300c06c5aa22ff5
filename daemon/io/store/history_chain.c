#include "io/store/store_ops.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "base/must.h"

enum { CONTENT_MAX = 64 * 1024 };

/* Each text with its length, so that no two rows have the same content; NULL is no text. */
static void append(struct buf *content, const char *text)
{
    if (text)
        (void)buf_append_format(content, "%zu:%s,", strlen(text), text);
    else
        (void)buf_append_str(content, "-,");
}

void history_chain_next(const uint8_t previous[SHA256_LENGTH], const struct history_entry *entry,
                        uint8_t out[SHA256_LENGTH])
{
    struct history_row row = entry->row;
    struct buf content;

    buf_init(&content, CONTENT_MAX);
    (void)buf_append(&content, (const char *)previous, SHA256_LENGTH);
    (void)buf_append_format(&content, "%" PRId64 ",%" PRId64 ",%" PRIu64 ",", entry->id, row.at,
                            row.cycle);
    append(&content, entry->account_key);
    for (size_t i = 0; i < HISTORY_ROW_TEXTS; i++)
        append(&content, *history_row_text(&row, i));
    /* Rows of format 8 have none: their hashes stay. */
    if (row.duration != 0)
        (void)buf_append_format(&content, "%" PRId64 ",", row.duration);
    if (content.failed || crypto_sha256(content.data, content.length, out) != 0)
        fault_out_of_memory();
    buf_done(&content);
}

void history_check_begin(struct history_check *check, const struct history_chain *chain)
{
    *check = (struct history_check){.chain = chain};
    if (chain)
        memcpy(check->link, chain->anchor, SHA256_LENGTH);
}

static void find_fault(struct history_check *check, enum history_fault fault, int64_t number)
{
    if (check->fault != HISTORY_WHOLE)
        return;
    check->fault = fault;
    check->number = number;
}

void history_check_row(struct history_check *check, const struct history_entry *entry,
                       const uint8_t *hash)
{
    uint8_t expected[SHA256_LENGTH];

    if (!hash && check->rows > 0) {
        find_fault(check, HISTORY_FOREIGN, entry->id);
        return;
    }
    if (!hash) {
        check->older++;
        return;
    }
    check->rows++;
    history_chain_next(check->link, entry, expected);
    if (memcmp(expected, hash, SHA256_LENGTH) != 0)
        find_fault(check, HISTORY_ALTERED, entry->id);
    memcpy(check->link, hash, SHA256_LENGTH);
}

void history_check_end(struct history_check *check)
{
    const struct history_chain *chain = check->chain;

    if (!chain)
        find_fault(check, HISTORY_NO_CHAIN, 0);
    else if (memcmp(check->link, chain->head, SHA256_LENGTH) != 0)
        find_fault(check, HISTORY_END_MISSING, 0);
    else if (check->older != chain->older)
        find_fault(check, HISTORY_OLDER_CHANGED, 0);
}

const char *history_fault_words(enum history_fault fault)
{
    static const char *const words[] = {
        [HISTORY_WHOLE] = NULL,
        [HISTORY_ALTERED] = "this row was altered, or rows right before it were removed",
        [HISTORY_FOREIGN] = "this row was added by somebody else",
        [HISTORY_END_MISSING] = "the last rows were removed",
        [HISTORY_OLDER_CHANGED] = "rows were removed, or added, that are older than the chain",
        [HISTORY_NO_CHAIN] = "the end of the chain was removed",
    };

    return words[fault];
}

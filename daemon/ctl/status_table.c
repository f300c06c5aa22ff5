#include "ctl/status_text.h"

#include <string.h>

#include "base/str.h"

enum { CELL_MAX = 160, TABLE_COLUMNS = 6, SLOTS = 2 };

/* "41d", "41d+" for a key that was there already when the account was adopted. */
static void write_age(struct buf *out, const struct key_snapshot *key, time_ms now)
{
    char words[CTL_TIME_MAX];

    ctl_write(out, "%s%s",
              key->born != TIME_NEVER ? ctl_words(time_between(key->born, now), words) : "-",
              key->born != TIME_NEVER && key->older ? "+" : "");
}

struct row {
    char cells[TABLE_COLUMNS][CELL_MAX];
};

/* Counts characters: columns align with names beyond ASCII, too. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void take_cell(struct buf *text, char cell[CELL_MAX])
{
    const size_t length =
        text->length < CELL_MAX ? text->length : utf8_whole(text->data, CELL_MAX - 1);

    memcpy(cell, buf_str(text), length);
    cell[length] = '\0';
    buf_clear(text);
}

static void write_next(struct buf *out, const struct account_snapshot *account, time_ms now)
{
    char text[CTL_TIME_MAX];

    if (account->retry_at != TIME_NEVER)
        ctl_write(out, "retry %s", ctl_next_try(account->retry_at, now, text));
    else if (account->rotating)
        ctl_write(out, "under way");
    else if (account->due_since != TIME_NEVER)
        ctl_write(out, "due since %s", ctl_words(now - account->due_since, text));
    else
        ctl_write(out, "%s",
                  account->next_at != TIME_NEVER ? ctl_distance(account->next_at, now, text) : "-");
}

static void fill_row(struct row *row, const struct account_snapshot *account, time_ms now)
{
    struct buf text;

    buf_init(&text, 4096);
    ctl_write_name(&text, account);
    take_cell(&text, row->cells[0]);
    ctl_write(&text, "%s", ctl_shown(account->active));
    take_cell(&text, row->cells[1]);
    for (int slot = 0; slot < SLOTS; slot++) {
        write_age(&text, &account->keys[slot], now);
        take_cell(&text, row->cells[2 + slot]);
    }
    ctl_write_state(&text, account);
    take_cell(&text, row->cells[4]);
    write_next(&text, account, now);
    take_cell(&text, row->cells[5]);
    buf_done(&text);
}

static void write_row(struct buf *out, const struct row *row, const size_t *widths)
{
    for (size_t column = 0; column < TABLE_COLUMNS; column++) {
        const size_t blanks = widths[column] + 2 - width_of(row->cells[column]);

        (void)buf_append_format(out, "%s%*s", row->cells[column],
                                column < TABLE_COLUMNS - 1 ? (int)blanks : 0, "");
    }
    (void)buf_append_char(out, '\n');
}

static void widen(size_t *widths, const struct row *row)
{
    for (size_t column = 0; column < TABLE_COLUMNS; column++) {
        const size_t width = width_of(row->cells[column]);

        widths[column] = width > widths[column] ? width : widths[column];
    }
}

void ctl_write_table(struct buf *out, const struct control_status *status)
{
    static const struct row head = {
        {"ACCOUNT", "ACTIVE", "PRIMARY", "SECONDARY", "STATE", "NEXT ROTATION"}};
    size_t widths[TABLE_COLUMNS] = {0};
    struct row row;

    widen(widths, &head);
    for (size_t i = 0; i < status->account_count; i++) {
        fill_row(&row, &status->accounts[i], status->daemon.now);
        widen(widths, &row);
    }
    write_row(out, &head, widths);
    for (size_t i = 0; i < status->account_count; i++) {
        fill_row(&row, &status->accounts[i], status->daemon.now);
        write_row(out, &row, widths);
    }
}

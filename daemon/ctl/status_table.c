#include "ctl/status_text.h"

#include <string.h>

#include "base/str.h"
#include "proto/two_key/two_key.h"

enum { CELL_MAX = 160, SLOTS = 2 };

enum {
    COLUMN_NAME,
    COLUMN_TYPE, /* gives way where the table is too wide */
    COLUMN_ACTIVE,
    COLUMN_AGES,
    COLUMN_STATE = COLUMN_AGES + SLOTS,
    COLUMN_NEXT,
    TABLE_COLUMNS
};

enum { TABLE_WIDTH = 100, TYPE_WIDTH_MIN = 8 };

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

/* As the configuration calls it. */
static const char *type_of(const struct account_snapshot *account)
{
    const struct two_key_resource *type = account->id ? two_key_resource_find(account->id) : NULL;

    return type ? type->short_name : "-";
}

static void fill_row(struct row *row, const struct account_snapshot *account, time_ms now)
{
    struct buf text;

    buf_init(&text, 4096);
    ctl_write_name(&text, account);
    take_cell(&text, row->cells[COLUMN_NAME]);
    ctl_write(&text, "%s", type_of(account));
    take_cell(&text, row->cells[COLUMN_TYPE]);
    ctl_write(&text, "%s", ctl_shown(account->active));
    take_cell(&text, row->cells[COLUMN_ACTIVE]);
    for (int slot = 0; slot < SLOTS; slot++) {
        write_age(&text, &account->keys[slot], now);
        take_cell(&text, row->cells[COLUMN_AGES + slot]);
    }
    ctl_write_state(&text, account);
    take_cell(&text, row->cells[COLUMN_STATE]);
    write_next(&text, account, now);
    take_cell(&text, row->cells[COLUMN_NEXT]);
    buf_done(&text);
}

/* Types consist of ASCII. */
static void shorten_type(char *type, size_t width)
{
    if (strlen(type) > width)
        memcpy(type + width - 1, "\xe2\x80\xa6", sizeof("\xe2\x80\xa6"));
}

static void write_row(struct buf *out, struct row *row, const size_t *widths)
{
    shorten_type(row->cells[COLUMN_TYPE], widths[COLUMN_TYPE]);
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

static void fit(size_t *widths)
{
    size_t total = 0;
    size_t *type = &widths[COLUMN_TYPE];

    for (size_t column = 0; column < TABLE_COLUMNS; column++)
        total += widths[column] + (column > 0 ? 2 : 0);
    if (total > TABLE_WIDTH && *type > TYPE_WIDTH_MIN)
        *type -= total - TABLE_WIDTH < *type - TYPE_WIDTH_MIN ? total - TABLE_WIDTH
                                                              : *type - TYPE_WIDTH_MIN;
}

void ctl_write_table(struct buf *out, const struct control_status *status)
{
    struct row head = {
        {"ACCOUNT", "TYPE", "ACTIVE", "PRIMARY", "SECONDARY", "STATE", "NEXT ROTATION"}};
    size_t widths[TABLE_COLUMNS] = {0};
    struct row row;

    widen(widths, &head);
    for (size_t i = 0; i < status->account_count; i++) {
        fill_row(&row, &status->accounts[i], status->daemon.now);
        widen(widths, &row);
    }
    fit(widths);
    write_row(out, &head, widths);
    for (size_t i = 0; i < status->account_count; i++) {
        fill_row(&row, &status->accounts[i], status->daemon.now);
        write_row(out, &row, widths);
    }
}

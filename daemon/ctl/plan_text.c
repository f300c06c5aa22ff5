#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "ctl/plan.h"
#include "ctl/status_text.h"

enum {
    ACCOUNT_WIDTH = 31,
    MINUTE_MAX = 24,
    NAME_MAX_BYTES = 4 * ACCOUNT_WIDTH + 8,
    LISTED_MAX = 20,
    DAYS_PER_WEEK = 7
};

/* --- cells --- */

/* "2026-12-01 02:15Z"; "-" */
static const char *to_the_minute(time_ms at, char out[MINUTE_MAX])
{
    const time_t seconds = (time_t)(at / MS_SECOND);
    struct tm civil;

    (void)str_copy(out, MINUTE_MAX, "-");
    if (at != TIME_NEVER && gmtime_r(&seconds, &civil))
        (void)strftime(out, MINUTE_MAX, "%Y-%m-%d %H:%MZ", &civil);
    return out;
}

/* "group/name"; of one that is too long for its column, the end. */
static void write_name(struct buf *out, const struct account_plan *account)
{
    const char *parts[] = {ctl_shown(account->resource_group), "/", ctl_shown(account->name)};
    char whole[1024];
    const char *shown = whole;
    size_t width = 0;

    (void)snprintf(whole, sizeof(whole), "%s%s%s", parts[0], parts[1], parts[2]);
    for (const char *c = whole; *c != '\0'; c++)
        width += ((unsigned char)*c & 0xc0) != 0x80;
    for (size_t over = width > ACCOUNT_WIDTH ? width - ACCOUNT_WIDTH + 3 : 0; over > 0; over--)
        do
            shown++;
        while (((unsigned char)*shown & 0xc0) == 0x80);
    ctl_write(out, "%s%s%*s", shown > whole ? "..." : "", shown,
              width < ACCOUNT_WIDTH ? (int)(ACCOUNT_WIDTH - width) : 0, "");
}

/* "41d", "41d+" for a key that was there before its account was adopted; "-" */
static const char *age_then(const struct planned_snapshot *rotation, char out[CTL_TIME_MAX])
{
    char words[DURATION_TEXT_MAX];
    duration_ms age;

    if (rotation->old_key_born == TIME_NEVER || rotation->old_key_dies == TIME_NEVER) {
        (void)str_copy(out, CTL_TIME_MAX, "-");
        return out;
    }
    age = time_between(rotation->old_key_born, rotation->old_key_dies);
    age -= age % (age >= MS_DAY ? MS_DAY : MS_MINUTE);
    (void)snprintf(out, CTL_TIME_MAX, "%s%s%s", duration_to_words(age, words),
                   rotation->old_key_older ? "+" : "", rotation->too_old ? " !" : "");
    return out;
}

static void write_row(struct buf *out, const struct plan_row *row)
{
    const struct planned_snapshot *rotation = row->rotation;
    char when[MINUTE_MAX], dies[MINUTE_MAX], age[CTL_TIME_MAX];

    ctl_write(out, "%-17s  ", to_the_minute(rotation->at, when));
    write_name(out, row->account);
    ctl_write(out, "  %-9s  %-9s  %-17s %s\n", ctl_shown(rotation->slot), ctl_shown(rotation->why),
              to_the_minute(rotation->old_key_dies, dies), age_then(rotation, age));
}

/* --- what needs a look --- */

static void write_full_name(struct buf *out, const struct account_plan *account)
{
    ctl_write(out, "%s/%s", ctl_shown(account->resource_group), ctl_shown(account->name));
}

/* "…: a, b and 3 more" */
static void write_names(struct buf *out, const char *what, const struct account_plan *const *list,
                        size_t count)
{
    if (count == 0)
        return;
    ctl_write(out, "%s: ", what);
    for (size_t i = 0; i < count && i < LISTED_MAX; i++) {
        if (i > 0)
            ctl_write(out, ", ");
        write_full_name(out, list[i]);
    }
    if (count > LISTED_MAX)
        ctl_write(out, " and %zu more", count - LISTED_MAX);
    ctl_write(out, "\n");
}

static void write_waiting(struct buf *out, const struct plan *plan)
{
    for (size_t i = 0; i < plan->waiting_count && i < LISTED_MAX; i++) {
        const struct account_plan *account = plan->waiting[i];

        ctl_write(out, "not planned: ");
        write_full_name(out, account);
        ctl_write(out, ": %s: %s\n", ctl_shown(account->state), ctl_shown(account->waits));
    }
    if (plan->waiting_count > LISTED_MAX)
        ctl_write(out, "not planned: %zu more accounts\n", plan->waiting_count - LISTED_MAX);
    if (plan->waiting_count > 0)
        ctl_write(out, "      do: keyrotatectl status\n");
}

void plan_write_text(struct buf *out, const struct plan *plan)
{
    char at[MINUTE_MAX];

    if (plan->row_count > 0)
        ctl_write(out, "%-17s  %-31s  %-9s  %-9s  %-17s %s\n", "WHEN", "ACCOUNT", "SLOT",
                  "WHY THEN", "OLD KEY DIES", "AGE THEN");
    for (size_t i = 0; i < plan->row_count; i++)
        write_row(out, &plan->rows[i]);
    if (plan->row_count > 0)
        ctl_write(out, "\n");
    ctl_write(out, "%zu %s until %s", plan->row_count,
              str_plural(plan->row_count, "rotation", "rotations"), to_the_minute(plan->until, at));
    if (plan->busiest_at != TIME_NEVER)
        ctl_write(out, "; the busiest hour has %zu, from %s", plan->busiest_count,
                  to_the_minute(plan->busiest_at, at));
    ctl_write(out, "\n");
    write_names(out, "more than are listed", plan->cut, plan->cut_count);
    write_names(out, "max_key_age cannot be kept (!)", plan->late, plan->late_count);
    write_waiting(out, plan);
}

/* --- the calendar --- */

static size_t count_day(const struct plan *plan, time_ms from)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->row_count; i++)
        count += plan->rows[i].rotation->at >= from && plan->rows[i].rotation->at < from + MS_DAY;
    return count;
}

/* Its days in weeks from Monday on; a day with rotations has their number behind it. */
static void write_month(struct buf *out, const struct plan *plan, struct tm first)
{
    const int month = first.tm_mon;
    char title[MINUTE_MAX];
    time_t day = timegm(&first);
    int column = (first.tm_wday + DAYS_PER_WEEK - 1) % DAYS_PER_WEEK;

    (void)strftime(title, sizeof(title), "%B %Y", &first);
    ctl_write(out, "%s\n", title);
    ctl_write(out,
              "  Mon         Tue         Wed         Thu         Fri         Sat         Sun\n");
    ctl_write(out, "%*s", column * 12, "");
    for (; first.tm_mon == month; day += MS_DAY / MS_SECOND, (void)gmtime_r(&day, &first)) {
        const size_t count = count_day(plan, (time_ms)day * MS_SECOND);
        char cell[MINUTE_MAX] = "";

        if (count > 0)
            (void)snprintf(cell, sizeof(cell), "(%zu)", count);
        column++;
        if (column == DAYS_PER_WEEK)
            ctl_write(out, "  %2d %s", first.tm_mday, cell);
        else
            ctl_write(out, "  %2d %-7s", first.tm_mday, cell);
        if (column == DAYS_PER_WEEK)
            ctl_write(out, "\n");
        column %= DAYS_PER_WEEK;
    }
    if (column != 0)
        ctl_write(out, "\n");
    ctl_write(out, "\n");
}

void plan_write_calendar(struct buf *out, const struct plan *plan)
{
    time_t at = (time_t)(plan->now / MS_SECOND);
    struct tm month;

    while (plan->until != TIME_NEVER && (time_ms)at * MS_SECOND <= plan->until &&
           gmtime_r(&at, &month)) {
        month = (struct tm){.tm_year = month.tm_year, .tm_mon = month.tm_mon, .tm_mday = 1};
        at = timegm(&month);
        write_month(out, plan, month);
        month.tm_mon++;
        at = timegm(&month);
    }
    ctl_write(out, "rotations on each day, in UTC\n");
}

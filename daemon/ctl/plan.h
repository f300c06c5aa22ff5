/*
 * A plan as people and programs read it. Pure: from the pages of the daemon to text.
 */
#ifndef KEYROTATED_CTL_PLAN_H
#define KEYROTATED_CTL_PLAN_H

#include "base/buf.h"
#include "proto/control_plan.h"

/* A rotation, and whose it is. */
struct plan_row {
    const struct account_plan *account;
    const struct planned_snapshot *rotation;
};

/* All pages together. Borrows from them. */
struct plan {
    time_ms now, until;
    struct plan_row *rows; /* by time, then by account */
    size_t row_count;
    const struct account_plan **waiting; /* of which no rotation is foreseen */
    size_t waiting_count;
    const struct account_plan **late; /* whose plan lets a key grow older than max_key_age */
    size_t late_count;
    const struct account_plan **cut; /* that have more rotations than are listed */
    size_t cut_count;
    time_ms busiest_at; /* the beginning of the hour with the most rotations; TIME_NEVER: none */
    size_t busiest_count;
};

/* Puts them together. Returns 0 or -ENOMEM. plan_done() in every case. */
int plan_collect(struct plan *plan, const struct control_plan *pages, size_t page_count);
void plan_done(struct plan *plan);

/* The table, the busiest hour, and the accounts that need a look. At most 100 columns. */
void plan_write_text(struct buf *out, const struct plan *plan);
/* A month after the other, with the number of rotations on each day (of UTC). */
void plan_write_calendar(struct buf *out, const struct plan *plan);
/* One document: {"now", "until", "rotations", "waiting", "busiest_hour"}. */
void plan_write_json(struct buf *out, const struct plan *plan);
/* A calendar for calendar programs: RFC 5545, an event for each rotation. */
void plan_write_ics(struct buf *out, const struct plan *plan);

#endif

/*
 * Inside the rotation machine: one step in the making, and what all its files share.
 *
 * Functions return where the account goes next: a position, or POSITION_STAY. Only flow.c moves it.
 * Those named …_require_… return true, or make what is missing the reason of a retry or a block.
 */
#ifndef KEYROTATED_CORE_MACHINE_H
#define KEYROTATED_CORE_MACHINE_H

#include "core/event.h"
#include "core/judge.h"

struct machine {
    const struct rotation_context *context;
    struct record *record;
    const struct event *event;
    struct effects *effects;
    time_ms now;
};

/* The maximum age of a look or durable intent that is acted on. After a longer stall (a full disk,
 * a stopped process) the account looks again first. */
enum { FRESH_FOR_MS = 30 * 1000 };
/* A larger difference to the server's clock stops a rotation. */
enum { CLOCK_SKEW_MAX_MS = 5 * 60 * 1000 };

/* --- effects of the step --- */
void machine_fault(struct machine *machine, const char *what);
struct note *machine_note(struct machine *machine, enum note_kind kind);
/* A note about the key in a slot. */
struct note *machine_note_key(struct machine *machine, enum note_kind kind, enum slot slot);
struct note *machine_note_drift(struct machine *machine, enum note_kind kind,
                                enum drift_kind drift);
void machine_act(struct machine *machine, enum action_kind kind);
/* Starts a look: an urgent one when a repair waits for it; otherwise, after a failure, and where
 * the account is blocked, with the description. */
void machine_act_look(struct machine *machine);

/* --- failures --- */
/* Blocks the account or schedules a retry, by the failure's reason; sets retry_at. */
void machine_fail(struct machine *machine, const struct failure *failure);
/* Tries again later. `not_before`: the earliest instant of the retry. Returns the note, for more to
 * be said. */
struct note *machine_retry(struct machine *machine, enum reason reason, time_ms not_before,
                           const char *detail);
/* A look showed the past. */
void machine_retry_late_look(struct machine *machine);
/* The journal took so long that the look behind an intent has grown old. Returns `look` the first
 * time, and `wait` (for retry_at) from the second time in a row on. */
enum position machine_retry_stalled(struct machine *machine, enum position look,
                                    enum position wait);
/* A check has found the keys as they should be, but had no description: the reason is reported long
 * before the next rotation fails for it. The next check comes with the retry. */
void machine_retry_undescribed(struct machine *machine);
/* Clears the retry. What the world blocks stays blocked. */
void machine_forget_retry(struct record *record);
/* Clears the retry, and what the world blocks: their cause is gone. */
void machine_clear_retry(struct machine *machine);
/* Returns the note, for more to be said; NULL: it is blocked so already, or for a worse reason. */
struct note *machine_block(struct machine *machine, enum reason reason,
                           const struct target_id *target, const char *detail);
/* Clears `blocked`; `another_rotator` stays until a person clears it. */
void machine_unblock(struct machine *machine);
/* A person has dealt with the other rotator. Also clears the block. */
void machine_clear_another_rotator(struct machine *machine);
bool machine_blocked_by_world(const struct record *record);
/* Reports that nothing is regenerated until a person confirms the active key. */
void machine_presume(struct machine *machine);
/* A person has confirmed it. */
void machine_confirm(struct machine *machine);
duration_ms machine_backoff(const struct machine *machine, uint32_t attempt,
                            duration_ms server_asked);

/* --- results of a look --- */
/* Remembers when it was, endpoint and location. */
void machine_remember_look(struct machine *machine);
/* Is the last look young enough to act on? After the clock was set back it counts as old. */
bool machine_look_is_fresh(const struct machine *machine);
/* From a change in Azure until a look that does not show it proves that there was none. */
duration_ms machine_shown_within(const struct machine *machine);
/* When a second look may confirm the unconfirmed drift. */
time_ms machine_confirm_at(const struct machine *machine);
/* Clears earlier trouble, unless the look is late or not whole. Returns true when the look is
 * whole: see machine_require_whole_look(). */
bool machine_take_look(struct machine *machine);
/* The description that a regenerate needs came with the look. */
bool machine_require_description(struct machine *machine);
/* The server's clock agrees with ours. */
bool machine_require_clock(struct machine *machine);
/* The look must show the content of every readable required target, because somebody may have
 * written the standby key to it. */
bool machine_require_whole_look(struct machine *machine);
/* The same, without a word about it. */
bool machine_look_is_whole(const struct machine *machine);
/* Notes that somebody else changed a key. The second change within rotate_every means another
 * rotator. */
void machine_add_foreign_change(struct machine *machine);
/* Records the key that the look showed in a slot, and the old one as dead. Returns true when the
 * key differs. */
bool machine_take_key(struct machine *machine, enum slot slot, const struct fingerprint *key);

/* An operator's `adopt` is waiting, and may be carried out. */
bool machine_adopt_is_asked(const struct machine *machine);

#endif

/*
 * What the oracles' files share. Each takes one topic; oracle.c hands the world's hooks to them.
 */
#ifndef KEYROTATED_TESTS_SIM_ORACLE_PARTS_H
#define KEYROTATED_TESTS_SIM_ORACLE_PARTS_H

#include "design.h"
#include "world.h"

/* The event of a history row in this save. */
struct oracle_rows {
    bool adopted, completed, blocked, drift;
};

/* Rule 2: a larger difference stops a rotation. */
#define ORACLE_SKEW_MAX_MS (5 * MS_MINUTE)

/* --- oracle.c --- */
static inline bool oracle_is_key(uint32_t key)
{
    return key != KEY_NONE && key != KEY_GIBBERISH && key != ORACLE_UNTOLD;
}
/* Required since before this very instant. */
bool oracle_cares(const struct world *world, const struct world_target *target);
/* Does the journal know the live keys? The field's designs store less, or nothing. */
static inline bool oracle_knows_keys(const struct record *record)
{
    return record && record->adopted && !fingerprint_is_none(&record->live[SLOT_PRIMARY]);
}
static inline const struct record *oracle_journal(const struct world_account *account)
{
    return account->in_journal ? &account->journal : NULL;
}
/* Was the daemon told that all required targets hold this key? */
bool oracle_all_told(const struct world *world, const struct world_account *account, uint32_t key);
const char *oracle_target_name(const struct world_account *account, unsigned target);
/* "3d 2h", for one sentence at a time. */
const char *oracle_words(duration_ms duration);

/* --- oracle_consumer.c: what programs hold --- */
void consumer_world_begins(struct world *world, struct world_account *account);
void consumer_daemon_starts(struct world *world, struct world_account *account);
void consumer_target_changes(struct world *world, struct world_account *account, unsigned target,
                             uint32_t key, bool by_daemon);
void consumer_key_dies(struct world *world, struct world_account *account, enum slot slot,
                       bool by_daemon);
void consumer_delivered(struct world *world, struct world_account *account, unsigned target,
                        uint32_t key);
void consumer_saw(struct world *world, struct world_account *account, unsigned target,
                  uint32_t key);
void consumer_saved(struct world_account *account);
void consumer_durable(struct world_account *account);

/* --- oracle_held.c: what was promised to people --- */
void held_incident(struct world *world, const struct incident *incident);
void held_daemon_ends(struct world *world);
void held_regenerates(struct world *world, struct world_account *account);

/* --- oracle_found.c: accounts that rules find --- */
void found_incident(struct world *world, const struct incident *incident);
void found_answered(struct world_account *account, enum script_command command, bool refused);
void found_daemon_starts(struct world_account *account);
void found_daemon_ends(struct world *world);
void found_saved(const struct world *world, struct world_account *account,
                 const struct oracle_rows *rows);
void found_record_saved(struct world *world, struct world_account *account,
                        const struct record *record);
void found_regenerates(struct world *world, struct world_account *account);
void found_operation_begins(struct world *world, const struct operation *operation);
void found_expectation(struct world *world);

/* --- oracle_commit.c: what a power cut would find --- */
void commit_daemon_starts(const struct world *world, struct world_account *account);
void commit_saved(const struct world *world, struct world_account *account,
                  const struct record *record);
void commit_durable(struct world_account *account);
void commit_reconfigured(struct world_account *account);
void commit_goes_on(struct world *world, struct world_account *account);
void commit_answered(struct world *world, struct world_account *account,
                     enum script_command command);
void commit_held(struct world *world, const struct world_account *account, uint64_t id);

/* --- oracle_told.c: what the daemon knows of targets and keys --- */
void told_world_begins(struct world *world, struct world_account *account);
void told_daemon_starts(struct world *world, struct world_account *account);
void told_read(struct world *world, struct world_account *account, const struct operation *read);
void told_delivered(struct world *world, struct world_account *account,
                    const struct operation *delivery);
void told_looked(struct world *world, struct world_account *account, const struct operation *look);
void told_key_dies(struct world_account *account, enum slot slot, bool by_daemon);
void told_regenerated(struct world *world, struct world_account *account,
                      const struct operation *regenerate);
void told_durable(struct world_account *account, const struct record *record);
/* Is the key dead, and can the daemon know? */
bool told_dead(struct world_account *account, uint32_t key);
/* … and by its own request? */
bool told_killed(struct world_account *account, uint32_t key);

/* --- oracle_regenerate.c --- */
void regenerate_begins(struct world *world, struct world_account *account,
                       const struct operation *operation);
void regenerate_ends(struct world *world, struct world_account *account,
                     const struct operation *operation, bool failed, bool unknown);
void regenerate_looked(struct world *world, struct world_account *account);
void regenerate_daemon_ends(struct world *world, struct world_account *account);
void regenerate_daemon_starts(struct world *world, struct world_account *account);

/* --- oracle_pairs.c --- */
void pairs_regenerate(struct world *world, struct world_account *account);

/* --- oracle_delivery.c --- */
/* The target whose hook it is; TARGETS_MAX: none, or none that is configured. */
unsigned delivery_owner(const struct world_account *account, unsigned hook);
void delivery_reconfigured(const struct world *world, struct world_account *account);
void delivery_settle(const struct world *world, struct world_account *account);
void delivery_begins(struct world *world, struct world_account *account,
                     const struct operation *operation);
void delivery_ends(struct world *world, struct world_account *account,
                   const struct operation *operation, bool failed, bool unknown);
void delivery_changes(struct world *world, struct world_account *account, unsigned target,
                      uint32_t key);
void delivery_daemon_ends(struct world *world, struct world_account *account);
void delivery_saved(struct world *world, struct world_account *account, const struct record *record,
                    const struct oracle_rows *rows);

/* --- oracle_look.c --- */
void look_target_changes(struct world_account *account, unsigned target, uint32_t key,
                         bool by_daemon);
void look_verified(struct world *world, struct world_account *account,
                   const struct operation *operation, bool failed);
void look_saved(struct world *world, struct world_account *account, const struct record *record,
                const struct oracle_rows *rows);
void look_durable(struct world *world, struct world_account *account);
/* Remembers what this record says, after all have compared it with the one before. */
void look_remember(struct world_account *account, const struct record *record);

/* --- oracle_schedule.c --- */
void schedule_world_begins(struct world *world, struct world_account *account);
void schedule_daemon_starts(struct world *world, struct world_account *account);
void schedule_probed(struct world *world, struct world_account *account);
void schedule_regenerates(struct world *world, struct world_account *account);
void schedule_saved(struct world *world, struct world_account *account, const struct record *record,
                    const struct oracle_rows *rows);
void schedule_reconfigured(struct world *world, struct world_account *account);
void schedule_completed(struct world *world, struct world_account *account, time_ms wall,
                        bool out_of_turn);
void schedule_durable(struct world *world, struct world_account *account);
/* Back to `wall`. */
void schedule_clock_set(struct world *world, struct world_account *account, time_ms wall);

/* --- oracle_liveness.c --- */
void liveness_disturb(struct world *world, struct world_account *account);
/* A fault at one target, which must not delay the others. */
void liveness_disturb_target(struct world *world, struct world_account *account, unsigned target);
void liveness_ends(struct world *world, struct world_account *account,
                   const struct operation *operation, bool failed);
void liveness_saved(struct world *world, struct world_account *account, const struct record *record,
                    const struct oracle_rows *rows);
void liveness_completed(struct world *world, struct world_account *account);
void liveness_durable(struct world *world, struct world_account *account,
                      const struct record *record);
void liveness_rest(struct world *world, struct world_account *account);
/* Since when, but not before `since`, nothing is wrong that concerns all accounts. */
time_ms liveness_all_quiet_since(const struct world *world, time_ms since);

/* --- oracle_turn.c: how long a delivery may keep its account --- */
void turn_begins(const struct world *world, struct world_account *account, unsigned target);
/* Of the delivery to that target, if one is under way. */
void turn_reconfigured(struct world_account *account);
void turn_check(struct world *world, struct world_account *account, unsigned target);
void turn_ends(struct world *world, struct world_account *account, unsigned target, bool hung);
/* Is the account kept by a delivery that it may wait for? */
bool turn_is_allowed(const struct world *world, const struct world_account *account);

/* --- oracle_lasting.c: regenerates that go on after their answer --- */
/* What the daemon knows of it is wrong. */
void lasting_disturb(struct world_account *account);
/* Is what happens by the operation under way beyond what the daemon can know? */
static inline bool lasting_is_forgiven(const struct world_account *account)
{
    return account->oracle.slow_forgiven && account->slow.number != 0;
}
void lasting_daemon_starts(const struct world *world, struct world_account *account);
void lasting_regenerates(struct world *world, struct world_account *account,
                         const struct operation *request);
void lasting_polls(struct world *world, struct world_account *account,
                   const struct operation *poll);
void lasting_delivers(struct world *world, struct world_account *account,
                      const struct operation *delivery);
void lasting_saved(struct world *world, struct world_account *account, const struct record *record);
void lasting_leads_on(struct world *world, struct world_account *account, time_ms quiet_since,
                      duration_ms retries);

/* --- oracle_secret.c: secrets, and the soundness of the machine --- */
void secret_saved(struct world *world, const struct world_account *account,
                  const struct record *record, const struct history_row *rows, size_t row_count);
void secret_log_line(struct world *world, const struct log_line *line);
void secret_rest(struct world *world, const struct world_account *account);
void sound_saved(struct world *world, struct world_account *account, const struct record *record);
void sound_happens(struct world *world, struct world_account *account);

#endif

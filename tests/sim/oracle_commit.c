/*
 * What a power cut would find. A command that was answered is durable; and so is whatever closes
 * the interlock, before the daemon continues with the account. The list of what closes it is
 * written here from the rules, independently of the daemon's table.
 */
#include "oracle_parts.h"

static bool is_keyrotated(const struct world *world)
{
    return world->design == &design_keyrotated;
}

/* --- what closes the interlock --- */

static struct oracle_closed read_closed(const struct world *world,
                                        const struct world_account *account,
                                        const struct record *record)
{
    struct oracle_closed closed = {
        .blocked = record->blocked != REASON_NONE,
        .held = record->hold_id != 0,
        .another_rotator = record->another_rotator,
        .unconfirmed = record->unconfirmed.pending,
        .presumed = record->presumed,
        .adopt_asked = record->adopt_asked,
        .adopted = record->adopted,
        .foreign_change_at = record->foreign_change_at,
        .both_changed_at = record->both_changed_at,
        .overlap_from = record->overlap_from,
    };

    for (unsigned i = 0; i < world->script->target_count; i++) {
        const struct target_record *target = record_target_const(record, &account->targets[i].id);

        if (target && target->acknowledged)
            closed.acknowledged |= 1U << i;
    }
    return closed;
}

/* What the first record closes and the second does not; or NULL. */
static const char *closes_more(const struct oracle_closed *handed,
                               const struct oracle_closed *durable, bool reconfigured)
{
    if (handed->blocked && !durable->blocked)
        return "that it is blocked";
    if (handed->held && !durable->held)
        return "that it is held";
    if (handed->another_rotator && !durable->another_rotator)
        return "of another rotator";
    if (handed->unconfirmed && !durable->unconfirmed)
        return "of drift that is to be confirmed";
    if (handed->presumed && !durable->presumed)
        return "that nobody has confirmed its active key";
    if (handed->adopt_asked && !durable->adopt_asked)
        return "that it is to be adopted";
    if (durable->adopted && !handed->adopted)
        return "that it is not adopted any more";
    if (handed->foreign_change_at > durable->foreign_change_at ||
        handed->both_changed_at > durable->both_changed_at)
        return "that somebody else changed a key";
    /* A new configuration may come between an intent and its request. The request does not wait for
     * it. */
    if (reconfigured)
        return NULL;
    if (handed->overlap_from > durable->overlap_from)
        return "that an overlap began";
    if (durable->acknowledged & ~handed->acknowledged)
        return "that a target's acknowledgement is void";
    return NULL;
}

void commit_daemon_starts(const struct world *world, struct world_account *account)
{
    account->oracle.reconfigured = RECONFIGURED_NOT;
    account->oracle.handed = (struct oracle_closed){0};
    if (account->in_journal)
        account->oracle.handed = read_closed(world, account, &account->journal);
}

void commit_saved(const struct world *world, struct world_account *account,
                  const struct record *record)
{
    struct oracle_account *state = &account->oracle;

    state->handed = read_closed(world, account, record);
    if (state->reconfigured == RECONFIGURED_UNSAVED)
        state->reconfigured = RECONFIGURED_SAVED;
}

void commit_durable(struct world_account *account)
{
    struct oracle_account *state = &account->oracle;

    if (state->saves == 0 && state->reconfigured == RECONFIGURED_SAVED)
        state->reconfigured = RECONFIGURED_NOT;
}

void commit_reconfigured(struct world_account *account)
{
    account->oracle.reconfigured = RECONFIGURED_UNSAVED;
}

void commit_goes_on(struct world *world, struct world_account *account)
{
    const struct oracle_account *state = &account->oracle;
    struct oracle_closed durable = {0};
    const char *what;

    if (!is_keyrotated(world))
        return;
    if (account->in_journal)
        durable = read_closed(world, account, &account->journal);
    what = closes_more(&state->handed, &durable, state->reconfigured != RECONFIGURED_NOT);
    if (what)
        oracle_convict(world, ORACLE_CLOSED_FIRST, account,
                       "the daemon goes on, and the journal does not know %s", what);
}

/* --- what was answered --- */

static bool any_acknowledged(const struct record *record)
{
    for (size_t i = 0; i < record->target_count; i++)
        if (record->targets[i].acknowledged)
            return true;
    return false;
}

/* Is the command one that an account's record keeps? Holds have a book of their own. */
static bool is_kept_in_record(enum script_command command)
{
    return command == SCRIPT_ROTATE || command == SCRIPT_REDELIVER || command == SCRIPT_ADOPT ||
           command == SCRIPT_UNBLOCK || command == SCRIPT_CHECK || command == SCRIPT_CONFIRM;
}

static bool has_command(const struct record *record, enum script_command command, time_ms wall)
{
    switch (command) {
    case SCRIPT_ROTATE:
        return record->requested || record->intent.open || record->delivering != record->active;
    case SCRIPT_REDELIVER:
        return !any_acknowledged(record);
    case SCRIPT_ADOPT:
        return record->adopt_asked;
    case SCRIPT_UNBLOCK:
        return !record->another_rotator;
    case SCRIPT_CONFIRM:
        return !record->presumed;
    case SCRIPT_CHECK:
        return record->check_at <= wall;
    default:
        return true;
    }
}

void commit_answered(struct world *world, struct world_account *account,
                     enum script_command command)
{
    if (!is_keyrotated(world) || !is_kept_in_record(command))
        return;
    /* A new configuration has cleared it before the command could. A restart clears it again. */
    if (command == SCRIPT_UNBLOCK && account->oracle.reconfigured != RECONFIGURED_NOT)
        return;
    /* The clock may have been set back since the command. */
    if (!account->in_journal ||
        !has_command(&account->journal, command, world_wall(world) - account->oracle.jump_back))
        oracle_convict(world, ORACLE_ANSWERED_DURABLE, account,
                       "the command was answered, and the journal does not know of it");
}

void commit_held(struct world *world, const struct world_account *account, uint64_t id)
{
    if (!disk_has_hold(world, id))
        oracle_convict(world, ORACLE_ANSWERED_DURABLE, account,
                       "hold %llu was answered, and the journal does not know of it",
                       (unsigned long long)id);
}

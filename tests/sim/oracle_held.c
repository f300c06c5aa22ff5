/*
 * Holds: an account that was answered to be held stays held until somebody asks for the hold's end
 * or its time is over, whatever crashes and whatever other holds begin or end. A restored journal
 * has the holds of its time; a removed journal has none.
 */
#include "oracle_parts.h"

static void forget(struct oracle_holds *holds, unsigned index)
{
    holds->hold[index] = holds->hold[--holds->count];
}

/* The daemon has ended them, and a clock that is set back does not bring them back. */
static void forget_over(struct world *world)
{
    struct oracle_holds *holds = &world->oracle.holds;

    for (unsigned i = holds->count; i-- > 0;)
        if (holds->hold[i].until <= world_wall(world))
            forget(holds, i);
}

static bool ends(const struct incident *incident, const struct oracle_hold *hold)
{
    if (incident->command == SCRIPT_RESUME_HOLD)
        return incident->times == hold->id;
    return incident->command == SCRIPT_RESUME && incident->account == hold->account;
}

void held_incident(struct world *world, const struct incident *incident)
{
    struct oracle_holds *holds = &world->oracle.holds;

    forget_over(world);
    if (incident->kind == INCIDENT_BACKUP)
        world->oracle.copied_holds = *holds;
    if (incident->kind != INCIDENT_COMMAND || !world->daemon)
        return;
    for (unsigned i = holds->count; i-- > 0;)
        if (ends(incident, &holds->hold[i]))
            forget(holds, i);
}

void held_daemon_ends(struct world *world)
{
    forget_over(world);
    if (world->restore_journal)
        world->oracle.holds = world->oracle.copied_holds;
    if (world->erase_journal)
        world->oracle.holds.count = 0;
}

void oracle_held(struct world *world, const struct world_account *account, uint64_t id,
                 time_ms until)
{
    struct oracle_holds *holds = &world->oracle.holds;

    /* A hold whose time was over before the journal could be written is not in the journal. */
    if (until > world_wall(world))
        commit_held(world, account, id);
    if (holds->count == ORACLE_HOLDS_MAX)
        forget(holds, 0);
    holds->hold[holds->count++] = (struct oracle_hold){
        .id = id, .account = account ? account->index : ALL_ACCOUNTS, .until = until};
}

void held_regenerates(struct world *world, struct world_account *account)
{
    const struct oracle_holds *holds = &world->oracle.holds;

    for (unsigned i = 0; i < holds->count; i++) {
        const struct oracle_hold *hold = &holds->hold[i];

        if ((hold->account == ALL_ACCOUNTS || hold->account == account->index) &&
            hold->until > world_wall(world))
            oracle_convict(world, ORACLE_HELD, account,
                           "a regenerate of an account that is held, by hold %llu",
                           (unsigned long long)hold->id);
    }
}

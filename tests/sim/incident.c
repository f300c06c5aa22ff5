/*
 * What the script makes happen.
 */
#include "base/str.h"
#include "design.h"
#include "world.h"

enum { STOP_FOR_EDIT_MS = 60 * 1000 };

/* --- people --- */

/* The slot whose key consumers really use, as far as a person who looks can tell. */
static enum slot slot_in_use(const struct world *world, const struct world_account *account)
{
    for (unsigned i = 0; i < world->script->target_count; i++) {
        const struct world_target *target = &account->targets[i];

        if (target->cared_since == TIME_NEVER)
            continue;
        for (int slot = 0; slot < SLOT_COUNT; slot++)
            if (target->past[0].key == account->live[slot])
                return (enum slot)slot;
    }
    return account->in_journal && account->journal.adopted ? account->journal.delivering
                                                           : world->script->active;
}

static void command(struct world *world, unsigned account, enum script_command kind, enum slot slot)
{
    struct incident incident = {
        .kind = INCIDENT_COMMAND, .account = account, .command = kind, .slot = slot};

    oracle_incident(world, &incident);
    daemon_command(world, &incident);
}

/* The rule may be wrong about the account. */
static void settle_presumed(struct world *world, const struct world_account *account)
{
    if (account->journal.active == world->script->active)
        command(world, account->index, SCRIPT_CONFIRM, SLOT_PRIMARY);
    else
        command(world, account->index, SCRIPT_ADOPT, world->script->active);
}

/* Does what `status` says. */
static void settle(struct world *world, const struct world_account *account)
{
    const struct record *record = &account->journal;

    if (!account->configured || !account->in_journal)
        return;
    if (record->hold_id != 0) {
        command(world, account->index, SCRIPT_RESUME, SLOT_PRIMARY);
        command(world, ALL_ACCOUNTS, SCRIPT_RESUME, SLOT_PRIMARY);
    }
    if (record->presumed)
        settle_presumed(world, account);
    else if (record->blocked == REASON_ANOTHER_ROTATOR)
        command(world, account->index, SCRIPT_UNBLOCK, SLOT_PRIMARY);
    else if (reason_describe(record->blocked)->clearing == CLEARED_BY_HUMAN)
        command(world, account->index, SCRIPT_ADOPT, slot_in_use(world, account));
    else if (record->adopted && record_owed_required(record) > 0)
        command(world, account->index, SCRIPT_REDELIVER, SLOT_PRIMARY);
}

/* --- somebody else --- */

static void write_somewhere(struct world *world, struct world_account *account, unsigned target,
                            enum writing writing)
{
    key_number key = KEY_NONE;

    switch (writing) {
    case WRITING_NOTHING:
    case WRITING_COUNT:
        break;
    case WRITING_GIBBERISH:
        key = KEY_GIBBERISH;
        break;
    case WRITING_PRIMARY:
        key = account->live[SLOT_PRIMARY];
        break;
    case WRITING_SECONDARY:
        key = account->live[SLOT_SECONDARY];
        break;
    case WRITING_OLD:
        key = account->past_count > 0
                  ? account->past[0].live[account->live_since[0] < account->live_since[1]]
                  : world_make_key(world);
        break;
    }
    world_write_target(world, account, target, key, 0, false);
}

static void rotate_elsewhere(struct world *world, struct world_account *account, enum slot slot)
{
    world_regenerate(world, account, slot, false);
    for (unsigned i = 0; i < world->script->target_count; i++)
        if (account->targets[i].configured && account->targets[i].settings.readable)
            world_write_target(world, account, i, account->live[slot], 0, false);
}

/* --- the machine --- */

static void set_clock(struct world *world, duration_ms by)
{
    clock_turn(world, by);
    if (world->daemon && !world->dying)
        world->design->clock_jumped(world->daemon, by);
}

static void set_clock_while_off(struct world *world, const struct incident *incident)
{
    world->clock_turn_when_off += incident->duration;
    daemon_stop(world, STOP_FOR_EDIT_MS);
    if (!world->daemon) {
        clock_turn(world, world->clock_turn_when_off);
        world->clock_turn_when_off = 0;
    }
}

static void freeze(struct world *world, duration_ms duration)
{
    time_ms until = world->now + duration;

    if (world->daemon && !world->dying && until > world->frozen_until)
        world->frozen_until = until;
}

/* The loop notices that it slept; the clock was not set. */
static void on_wakes(struct happening *happening)
{
    struct world *world = container_of(happening, struct world, wakes);

    if (world->daemon && !world->dying && !world->stopping)
        world->design->clock_jumped(world->daemon, 0);
}

static void suspend(struct world *world, duration_ms duration)
{
    freeze(world, duration);
    world->wakes.happen = on_wakes;
    clock_set(world, &world->wakes, world->now + duration);
}

static void edit_journal(struct world *world, bool *when_stopped)
{
    if (!world->daemon)
        return;
    *when_stopped = true;
    daemon_stop(world, STOP_FOR_EDIT_MS);
}

static void arm(struct world *world, const struct incident *incident)
{
    for (unsigned i = 0; i < world->account_count; i++) {
        if (incident->account != ALL_ACCOUNTS && incident->account != i)
            continue;
        world->accounts[i].mishaps[incident->effect].mishap = incident->mishap;
        world->accounts[i].mishaps[incident->effect].times = incident->times;
    }
}

static void set_trap(struct world *world, const struct incident *incident)
{
    world->trap.armed = true;
    world->trap.effect = incident->effect;
    world->trap.moment = incident->moment;
    world->trap.account = incident->account;
    world->trap.away = incident->duration;
}

/* --- the configuration --- */

void world_set_policy(struct world *world, const struct script_policy *policy)
{
    world->freeze = (struct freeze){
        .from = world->began + policy->freeze_from,
        .to = world->began + policy->freeze_until,
    };
    world->policy = (struct policy){
        .rotate_every = policy->rotate_every,
        .overlap = policy->overlap,
        .splay = policy->splay,
        .check_every = policy->check_every,
        .overdue_after = policy->overdue_after,
        .verify = policy->verify,
        .on_drift = policy->on_drift,
        .rotate = policy->rotate,
        .windows = policy->has_window ? &world->window : NULL,
        .window_count = policy->has_window ? 1 : 0,
        .freezes = &world->freeze,
        .freeze_count = world->freeze.from < world->freeze.to ? 1 : 0,
    };
}

/* A hook is required where its target is. */
static void align_hooks(struct world_account *account, unsigned count)
{
    const struct world_target *owner = NULL;

    for (unsigned i = 0; i < count; i++) {
        struct world_target *target = &account->targets[i];

        if (!target->settings.hook)
            owner = target;
        else if (owner && owner->configured)
            target->required = owner->required;
    }
}

static void reconfigure(struct world *world, const struct incident *incident)
{
    struct world_account *account = &world->accounts[incident->account % WORLD_ACCOUNTS_MAX];
    struct world_target *target = &account->targets[incident->target % WORLD_TARGETS_MAX];

    switch (incident->kind) {
    case INCIDENT_REMOVE:
        account->named = false;
        break;
    case INCIDENT_ADD:
        account->named = true;
        break;
    case INCIDENT_RULE_OUT:
        world->rules_out[incident->rule] = true;
        break;
    case INCIDENT_RULE_IN:
        world->rules_out[incident->rule] = false;
        break;
    case INCIDENT_RULES_TURNED:
        world->rules_turned = !world->rules_turned;
        break;
    case INCIDENT_SHARED:
        account->shared = true;
        break;
    case INCIDENT_APART:
        account->shared = false;
        break;
    case INCIDENT_TARGET_OUT:
        target->configured = false;
        break;
    case INCIDENT_TARGET_IN:
        target->configured = true;
        target->required = true;
        break;
    case INCIDENT_TARGET_OPTIONAL:
        target->configured = true;
        target->required = false;
        break;
    case INCIDENT_POLICY:
        world_set_policy(world, &incident->policy);
        break;
    default:
        break;
    }
    align_hooks(account, world->script->target_count);
    daemon_reconfigure(world);
}

static void on_expectation(struct happening *happening)
{
    struct world *world = container_of(happening, struct world, expectation);

    oracle_expectation(world, world->expected_since);
}

static void expect(struct world *world, duration_ms within)
{
    world->expected_since = world->now;
    world->expectation.happen = on_expectation;
    clock_set(world, &world->expectation, world->now + within);
}

/* --- all of them --- */

static void prolong(time_ms *until, const struct world *world, const struct incident *incident)
{
    *until = world->now + incident->duration;
}

static void happen_to_account(struct world *world, struct world_account *account,
                              const struct incident *incident)
{
    struct world_target *target = &account->targets[incident->target];

    switch (incident->kind) {
    case INCIDENT_REGENERATE:
        world_regenerate(world, account, incident->slot, false);
        break;
    case INCIDENT_ROTATE:
        rotate_elsewhere(world, account, incident->slot);
        break;
    case INCIDENT_WRITE:
        write_somewhere(world, account, incident->target, incident->writing);
        break;
    case INCIDENT_TARGET_FAILS:
        prolong(&target->fails_until, world, incident);
        break;
    case INCIDENT_TARGET_LIES:
        prolong(&target->lies_until, world, incident);
        break;
    case INCIDENT_KEYS_OFF:
        prolong(&account->keys_off_until, world, incident);
        break;
    case INCIDENT_GONE:
        prolong(&account->gone_until, world, incident);
        break;
    case INCIDENT_DENIED:
        prolong(&account->denied_until, world, incident);
        break;
    case INCIDENT_SAVES_WAIT:
        prolong(&account->saves_wait_until, world, incident);
        break;
    case INCIDENT_UNDESCRIBED:
        prolong(&account->undescribed_until, world, incident);
        break;
    case INCIDENT_TAGGED:
        account->listed.tag = incident->tag;
        break;
    case INCIDENT_SAYS:
        account->listed.says = true;
        account->listed.slot = incident->slot;
        break;
    case INCIDENT_LISTS_LACK:
        prolong(&account->lacking_until, world, incident);
        break;
    case INCIDENT_SETTLE:
        settle(world, account);
        break;
    default:
        break;
    }
}

static void happen_to_accounts(struct world *world, const struct incident *incident)
{
    for (unsigned i = 0; i < world->account_count; i++)
        if (incident->account == ALL_ACCOUNTS || incident->account == i)
            happen_to_account(world, &world->accounts[i], incident);
}

static void happen_to_daemon(struct world *world, const struct incident *incident)
{
    switch (incident->kind) {
    case INCIDENT_CRASH:
        daemon_crash(world, incident->duration);
        break;
    case INCIDENT_CRASH_AT:
        set_trap(world, incident);
        break;
    case INCIDENT_STOP:
        daemon_stop(world, incident->duration);
        break;
    case INCIDENT_FREEZE:
        freeze(world, incident->duration);
        break;
    case INCIDENT_SUSPEND:
        suspend(world, incident->duration);
        break;
    case INCIDENT_CLOCK:
        set_clock(world, incident->duration);
        break;
    case INCIDENT_CLOCK_OFF:
        set_clock_while_off(world, incident);
        break;
    case INCIDENT_BACKUP:
        disk_backup(world);
        break;
    case INCIDENT_RESTORE:
        edit_journal(world, &world->restore_journal);
        break;
    case INCIDENT_ERASE:
        edit_journal(world, &world->erase_journal);
        break;
    case INCIDENT_COMMAND:
        daemon_command(world, incident);
        break;
    default:
        break;
    }
}

void incident_happen(struct world *world, const struct incident *incident)
{
    world->counts.incidents++;
    if (incident->kind != INCIDENT_SETTLE)
        oracle_incident(world, incident);
    switch (incident->kind) {
    case INCIDENT_MISHAP:
        arm(world, incident);
        break;
    case INCIDENT_DISK_FULL:
        prolong(&world->disk_full_until, world, incident);
        break;
    case INCIDENT_DISK_SLOW:
        prolong(&world->disk_slow_until, world, incident);
        break;
    case INCIDENT_DATA_DOWN:
        prolong(&world->data_down_until, world, incident);
        break;
    case INCIDENT_AZURE_DOWN:
        prolong(&world->azure_down_until, world, incident);
        break;
    case INCIDENT_THROTTLE:
        prolong(&world->throttled_until, world, incident);
        break;
    case INCIDENT_NEW_KEYS_LAG:
        prolong(&world->lag_until, world, incident);
        break;
    case INCIDENT_LISTS_FORBIDDEN:
        prolong(&world->lists_forbidden_until, world, incident);
        break;
    case INCIDENT_LISTS_BREAK:
        prolong(&world->lists_break_until, world, incident);
        break;
    case INCIDENT_LISTS_LATE:
        prolong(&world->lists_late_until, world, incident);
        listing_note(world);
        break;
    case INCIDENT_REMOVE:
    case INCIDENT_ADD:
    case INCIDENT_RULE_OUT:
    case INCIDENT_RULE_IN:
    case INCIDENT_RULES_TURNED:
    case INCIDENT_SHARED:
    case INCIDENT_APART:
    case INCIDENT_TARGET_OUT:
    case INCIDENT_TARGET_IN:
    case INCIDENT_TARGET_OPTIONAL:
    case INCIDENT_POLICY:
    case INCIDENT_RELOAD:
        reconfigure(world, incident);
        break;
    case INCIDENT_EXPECT_ROTATION:
        expect(world, incident->duration);
        break;
    default:
        happen_to_daemon(world, incident);
        happen_to_accounts(world, incident);
        break;
    }
}

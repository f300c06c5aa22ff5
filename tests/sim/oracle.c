/*
 * The oracles: how they convict, and which of them hears of what.
 */
#include "oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "oracle_parts.h"

/* The daemon's deadline of a minute, and a margin. */
#define READ_MAX_MS (65 * MS_SECOND)

void oracle_convict(struct world *world, enum oracle oracle, const struct world_account *account,
                    const char *format, ...)
{
    struct oracle_verdict *verdict = world->verdict;
    uint64_t bit = UINT64_C(1) << oracle;
    char text[ORACLE_TEXT_MAX];
    va_list arguments;
    int length;

    if ((verdict->muted & bit) != 0 || (verdict->convicted & bit) != 0)
        return;
    length = account ? snprintf(text, sizeof(text), "%s: ", account->name) : 0;
    va_start(arguments, format);
    vsnprintf(text + length, sizeof(text) - (size_t)length, format, arguments);
    va_end(arguments);
    trace_tell(world, account, "ORACLE", "%s: %s", oracle_describe(oracle)->name, text);
    if (verdict->convicted == 0) {
        verdict->first = oracle;
        verdict->first_at = world->now - world->began;
        memcpy(verdict->text, text, sizeof(text));
    }
    verdict->convicted |= bit;
}

/* --- shared by all of them --- */

bool oracle_cares(const struct world *world, const struct world_target *target)
{
    /* A stopping daemon takes no new configuration: the next one reads it. */
    if (world->stopping && target->cared_since >= world->stopping_since)
        return false;
    return target->configured && target->required && target->cared_since < world->now;
}

bool oracle_all_told(const struct world *world, const struct world_account *account, uint32_t key)
{
    for (unsigned i = 0; i < world->script->target_count; i++)
        if (oracle_cares(world, &account->targets[i]) && account->oracle.targets[i].told != key)
            return false;
    return true;
}

const char *oracle_target_name(const struct world_account *account, unsigned target)
{
    return account->targets[target].settings.name;
}

const char *oracle_words(duration_ms duration)
{
    static _Thread_local char text[DURATION_TEXT_MAX];

    return duration_to_words(duration, text);
}

/* --- the beginning and the end --- */

void oracle_world_begins(struct world *world)
{
    world->oracle = (struct oracle_world){
        .wall_offset = world->wall_offset,
        .check_every_max = world->policy.check_every,
        .overlap_max = world->policy.overlap,
    };
    for (unsigned i = 0; i < world->account_count; i++) {
        struct world_account *account = &world->accounts[i];

        account->oracle = (struct oracle_account){0};
        consumer_world_begins(world, account);
        told_world_begins(world, account);
        schedule_world_begins(world, account);
    }
}

static void move_back(time_ms *at, duration_ms by)
{
    if (*at > by)
        *at -= by;
}

/* The clock was set forward while the daemon was off: to the daemon, that much more time has passed
 * in all of its waits. */
static void oracle_age(struct world_account *account, duration_ms by)
{
    struct oracle_account *state = &account->oracle;

    for (unsigned i = 0; i < WORLD_TARGETS_MAX; i++) {
        struct oracle_target *target = &state->targets[i];

        for (int slot = 0; slot < SLOT_COUNT; slot++) {
            move_back(&target->left_at[slot], by);
            move_back(&target->own_at[slot], by);
            move_back(&target->seen_at[slot], by);
        }
        move_back(&target->given_since, by);
        move_back(&target->given_seen_at, by);
        move_back(&target->shown_since, by);
        move_back(&target->changed_at, by);
        move_back(&target->unsettled_at, by);
    }
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        move_back(&state->shown_since[slot], by);
        move_back(&state->strange_since[slot], by);
    }
    move_back(&state->strangers_at, by);
    move_back(&state->answered_at, by);
    move_back(&state->both_at, by);
    move_back(&state->unproven_since, by);
    move_back(&state->adopted_at, by);
}

void oracle_daemon_starts(struct world *world)
{
    duration_ms jump =
        world->wall_offset -
        (world->oracle.journal_restored ? world->oracle.copied_offset : world->oracle.wall_offset);

    /* A wait that ends far in the future because the clock was set back may be one that a server
     * asked for: the daemon believes that for a day. */
    world->oracle.disturbed_at = jump < 0 ? world->now + MS_DAY : world->now;
    for (unsigned i = 0; i < world->account_count; i++) {
        struct world_account *account = &world->accounts[i];
        /* A clock that was set in the very moment of a crash was set while the daemon was off. */
        duration_ms forward = jump + account->oracle.jump_forward;
        duration_ms back = jump + account->oracle.jump_back;

        account->oracle.jump_forward = account->oracle.jump_back = 0;
        if (forward > 0)
            oracle_age(account, forward);
        if (back < 0)
            schedule_clock_set(world, account, world_wall(world));
        if (forward > 0 || back < 0)
            lasting_disturb(account);
        consumer_daemon_starts(world, account);
        told_daemon_starts(world, account);
        commit_daemon_starts(world, account);
        regenerate_daemon_starts(world, account);
        lasting_daemon_starts(world, account);
        schedule_daemon_starts(world, account);
        /* The daemon died before what the data plane said was durable. */
        if (!account->in_journal || !account->journal.refused)
            account->oracle.refused_key = KEY_NONE;
        found_daemon_starts(account);
        look_remember(account, account->in_journal ? &account->journal : NULL);
        if (account->oracle.settle_by != 0)
            liveness_disturb(world, account);
    }
    world->oracle.journal_edited = false;
}

void oracle_daemon_ends(struct world *world)
{
    world->oracle.wall_offset = world->wall_offset;
    world->oracle.journal_restored = world->restore_journal && !world->erase_journal;
    world->oracle.journal_edited = world->restore_journal || world->erase_journal;
    held_daemon_ends(world);
    found_daemon_ends(world);
    for (unsigned i = 0; i < world->account_count; i++) {
        struct world_account *account = &world->accounts[i];
        struct oracle_account *state = &account->oracle;

        regenerate_daemon_ends(world, account);
        delivery_daemon_ends(world, account);
        state->reads = state->probes = state->others = state->saves = 0;
        state->regenerating = false;
        state->deliveries = 0;
        for (unsigned j = 0; j < WORLD_TARGETS_MAX; j++)
            state->targets[j].delivery_began = state->targets[j].passed_by = 0;
        state->milestone = (struct oracle_milestone){0};
        state->redeliver_asked = state->rotate_asked = false;
    }
}

void oracle_world_ends(struct world *world)
{
    for (unsigned i = 0; world->daemon && i < world->account_count; i++)
        liveness_rest(world, &world->accounts[i]);
}

/* --- operations --- */

static void touch(struct world *world, struct world_account *account)
{
    world->oracle.touched |= 1U << account->index;
    sound_happens(world, account);
}

/* Reads and probes go in parallel; nothing else does. */
static void one_at_a_time(struct world *world, struct world_account *account, enum effect effect)
{
    const struct oracle_account *state = &account->oracle;
    bool alone = state->others == 0;

    if (effect != EFFECT_READ)
        alone = alone && state->reads == 0;
    if (effect != EFFECT_PROBE)
        alone = alone && state->probes == 0;
    if (!alone)
        oracle_convict(world, ORACLE_ONE_AT_A_TIME, account,
                       "asks for a %s while something else is under way", effect_name(effect));
}

static void count(struct oracle_account *state, const struct operation *operation, int by)
{
    unsigned *counter = operation->effect == EFFECT_READ    ? &state->reads
                        : operation->effect == EFFECT_PROBE ? &state->probes
                                                            : &state->others;

    if (by > 0 || *counter > 0)
        *counter = (unsigned)((int)*counter + by);
    if (operation->effect == EFFECT_REGENERATE)
        state->regenerating = by > 0;
    if (operation->effect != EFFECT_DELIVER)
        return;
    if (by > 0)
        state->deliveries |= 1U << operation->target;
    else
        state->deliveries &= ~(1U << operation->target);
}

void oracle_operation_begins(struct world *world, const struct operation *operation)
{
    struct world_account *account = operation->account;
    struct oracle_account *state = &account->oracle;

    touch(world, account);
    one_at_a_time(world, account, operation->effect);
    found_operation_begins(world, operation);
    /* A read belongs to the look that is under way. */
    if (operation->effect != EFFECT_READ)
        commit_goes_on(world, account);
    switch (operation->effect) {
    case EFFECT_PROBE:
        schedule_probed(world, account);
        break;
    case EFFECT_LOOK:
        state->look = (struct oracle_look){.began = world->now};
        state->settle_by = 0;
        for (unsigned i = 0; i < WORLD_TARGETS_MAX; i++)
            state->targets[i].seen.at = 0;
        break;
    case EFFECT_READ:
        state->look.read |= 1U << operation->target;
        break;
    case EFFECT_REGENERATE:
        regenerate_begins(world, account, operation);
        break;
    case EFFECT_POLL:
        lasting_polls(world, account, operation);
        break;
    case EFFECT_DELIVER:
        lasting_delivers(world, account, operation);
        turn_begins(world, account, operation->target);
        delivery_begins(world, account, operation);
        break;
    case EFFECT_VERIFY:
    case EFFECT_SAVE:
    case EFFECT_COUNT:
        break;
    }
    count(state, operation, +1);
}

static void looked(struct world *world, struct world_account *account,
                   const struct operation *operation)
{
    struct oracle_look *look = &account->oracle.look;

    look->ended = look->answered = world->now;
    look->skew = world->wall_offset;
    look->described = operation->described;
    if (operation->describes && !operation->described)
        account->oracle.undescribed_at = world->now;
    told_looked(world, account, operation);
    regenerate_looked(world, account);
}

static void was_read(struct world *world, struct world_account *account,
                     const struct operation *operation)
{
    struct oracle_look *look = &account->oracle.look;

    look->seen |= 1U << operation->target;
    look->held[operation->target] = operation->key;
    if (operation->cycle > look->cycle)
        look->cycle = operation->cycle;
    told_read(world, account, operation);
    delivery_settle(world, account);
    if (!look->past)
        consumer_saw(world, account, operation->target, operation->key);
}

/* A look is complete when its last target was read, or failed, which can take a minute. */
static void reading_ended(struct world *world, struct world_account *account)
{
    struct oracle_look *look = &account->oracle.look;

    if (look->answered != 0 && world->now - look->answered <= READ_MAX_MS)
        look->ended = world->now;
}

void oracle_operation_ends(struct world *world, const struct operation *operation, bool failed,
                           bool unknown)
{
    struct world_account *account = operation->account;

    touch(world, account);
    count(&account->oracle, operation, -1);
    liveness_ends(world, account, operation, failed);
    switch (operation->effect) {
    case EFFECT_LOOK:
        if (!failed)
            looked(world, account, operation);
        break;
    case EFFECT_READ:
        reading_ended(world, account);
        if (!failed)
            was_read(world, account, operation);
        break;
    case EFFECT_REGENERATE:
        regenerate_ends(world, account, operation, failed, unknown);
        break;
    case EFFECT_DELIVER:
        delivery_ends(world, account, operation, failed, unknown);
        break;
    case EFFECT_VERIFY:
        look_verified(world, account, operation, failed);
        break;
    case EFFECT_PROBE:
    case EFFECT_SAVE:
    case EFFECT_POLL:
    case EFFECT_COUNT:
        break;
    }
}

/* --- the truth changes --- */

void oracle_key_dies(struct world *world, struct world_account *account, enum slot slot,
                     bool by_daemon)
{
    world->oracle.touched |= 1U << account->index;
    consumer_key_dies(world, account, slot, by_daemon);
    told_key_dies(account, slot, by_daemon);
    if (by_daemon)
        return;
    account->oracle.attempt_resolved = true;
    account->oracle.attempt_forgotten = true;
    liveness_disturb(world, account);
}

void oracle_target_changes(struct world *world, struct world_account *account, unsigned target,
                           uint32_t key, bool by_daemon)
{
    world->oracle.touched |= 1U << account->index;
    consumer_target_changes(world, account, target, key, by_daemon);
    look_target_changes(account, target, key, by_daemon);
    if (by_daemon)
        delivery_changes(world, account, target, key);
    else
        liveness_disturb(world, account);
}

/* --- the journal --- */

static struct oracle_rows read_rows(const struct history_row *rows, size_t row_count)
{
    struct oracle_rows result = {0};

    for (size_t i = 0; i < row_count; i++) {
        const char *event = rows[i].event ? rows[i].event : "";

        if (strcmp(event, "account.adopted") == 0)
            result.adopted = true;
        else if (strcmp(event, "rotation.completed") == 0)
            result.completed = true;
        else if (strcmp(event, "account.blocked") == 0)
            result.blocked = true;
        else if (strcmp(event, "drift.detected") == 0)
            result.drift = true;
    }
    return result;
}

void oracle_record_saved(struct world *world, struct world_account *account,
                         const struct record *record, const struct history_row *rows,
                         size_t row_count)
{
    struct oracle_rows told = read_rows(rows, row_count);

    touch(world, account);
    account->oracle.saves++;
    account->oracle.milestone = (struct oracle_milestone){0};
    secret_saved(world, account, record, rows, row_count);
    sound_saved(world, account, record);
    found_record_saved(world, account, record);
    found_saved(world, account, &told);
    delivery_saved(world, account, record, &told);
    look_saved(world, account, record, &told);
    schedule_saved(world, account, record, &told);
    liveness_saved(world, account, record, &told);
    lasting_saved(world, account, record);
    commit_saved(world, account, record);
    consumer_saved(account);
    look_remember(account, record);
}

void oracle_record_durable(struct world *world, struct world_account *account,
                           const struct record *record)
{
    struct oracle_account *state = &account->oracle;

    world->oracle.touched |= 1U << account->index;
    if (state->saves > 0)
        state->saves--;
    commit_durable(account);
    consumer_durable(account);
    told_durable(account, record);
    liveness_durable(world, account, record);
    schedule_durable(world, account);
    look_durable(world, account);
    state->milestone = (struct oracle_milestone){0};
}

/* --- incidents --- */

static void on_command(struct world *world, struct world_account *account,
                       enum script_command command)
{
    struct oracle_account *state = &account->oracle;

    if (!world->daemon)
        return;
    liveness_disturb(world, account);
    state->fight = state->fight && command != SCRIPT_UNBLOCK && command != SCRIPT_ADOPT;
    if (command == SCRIPT_UNBLOCK)
        state->strangers_at = state->answered_at = 0;
    if (command == SCRIPT_ROTATE)
        state->rotate_asked = true;
    else if (command == SCRIPT_REDELIVER)
        state->redeliver_asked = true;
}

/* A crash forgets the clock jumps that were not durable yet. Their number is unknown: takes the
 * largest jump that can be forgotten in each direction. */
static void note_jump(struct oracle_account *state, duration_ms jump)
{
    state->jump_forward += jump;
    if (state->jump_forward < 0)
        state->jump_forward = 0;
    state->jump_back += jump;
    if (state->jump_back > 0)
        state->jump_back = 0;
}

void oracle_incident(struct world *world, const struct incident *incident)
{
    held_incident(world, incident);
    found_incident(world, incident);
    if (incident->kind == INCIDENT_BACKUP)
        world->oracle.copied_offset = world->wall_offset;
    for (unsigned i = 0; i < world->account_count; i++) {
        struct world_account *account = &world->accounts[i];

        if (incident->kind == INCIDENT_CLOCK) {
            liveness_disturb(world, account);
            if (world->daemon)
                note_jump(&account->oracle, incident->duration);
            if (incident->duration < 0)
                schedule_clock_set(world, account, world_wall(world) + incident->duration);
        }
        if (incident->kind == INCIDENT_COMMAND &&
            (incident->account == ALL_ACCOUNTS || incident->account == i))
            on_command(world, account, incident->command);
    }
}

void oracle_command_answered(struct world *world, struct world_account *account,
                             enum script_command command, bool refused)
{
    struct oracle_account *state = &account->oracle;

    if (world->dying)
        return;
    found_answered(account, command, refused);
    if (!refused)
        commit_answered(world, account, command);
    if (!refused)
        state->commanded_at = world->now;
    if (!refused && command == SCRIPT_ADOPT)
        state->both_at = 0;
    if (!refused && (command == SCRIPT_REDELIVER || command == SCRIPT_ADOPT))
        state->told_to_deliver_at = world->now;
    if (command == SCRIPT_ROTATE) {
        state->requested = state->requested || !refused;
        state->rotate_asked = false;
    }
    if (command == SCRIPT_REDELIVER)
        state->redeliver_asked = false;
}

void oracle_reconfigured(struct world *world)
{
    if (world->policy.check_every > world->oracle.check_every_max)
        world->oracle.check_every_max = world->policy.check_every;
    if (world->policy.overlap > world->oracle.overlap_max)
        world->oracle.overlap_max = world->policy.overlap;
    for (unsigned i = 0; i < world->account_count; i++) {
        struct world_account *account = &world->accounts[i];

        if (!world->policy.rotate)
            account->oracle.fight = false;
        liveness_disturb(world, account);
        schedule_reconfigured(world, account);
        delivery_reconfigured(world, account);
        turn_reconfigured(account);
        commit_reconfigured(account);
    }
}

void oracle_log_line(struct world *world, const struct log_line *line)
{
    secret_log_line(world, line);
}

/* --- at rest --- */

enum { COUNTED_EVERY = 8 }; /* counting is slower than all other oracles together */

/* The totals that people see. */
static void check_counts(struct world *world)
{
    const char *wrong;

    if (!world->design->miscounts || world->stopping || world->happened % COUNTED_EVERY != 0)
        return;
    wrong = world->design->miscounts(world->daemon);
    if (wrong)
        oracle_convict(world, ORACLE_SOUND, NULL, "miscounts %s", wrong);
}

void oracle_rest(struct world *world)
{
    unsigned touched = world->oracle.touched;

    if (world->wall_offset > ORACLE_SKEW_MAX_MS || world->wall_offset < -ORACLE_SKEW_MAX_MS)
        world->oracle.skewed_at = world->now;
    world->oracle.touched = 0;
    while (touched != 0) {
        unsigned index = (unsigned)__builtin_ctz(touched);

        touched &= touched - 1;
        secret_rest(world, &world->accounts[index]);
        liveness_rest(world, &world->accounts[index]);
    }
    check_counts(world);
}

/*
 * Scripts from chance. The same seed gives the same script.
 *
 * Most of what happens comes in clusters around a rotation, because that is where the time matters:
 * mishaps and crashes are armed beforehand and wait for their effect, a command starts the
 * rotation, and more follows within milliseconds to days. People in these worlds are sane: nobody
 * writes into a target that nobody can read (what it holds could never be known), and only
 * INCIDENT_SETTLE, which knows the key in use, gives the command `adopt`.
 *
 * It ends in fair weather: nothing goes wrong any more, an operator does what `status` says, and
 * every account has to rotate.
 */
#include <stdio.h>

#include "base/hash.h"
#include "chance_parts.h"

enum { YEAR_DAYS = 365, CLUSTERS_PER_DECADE = 25, SETTLES = 5 };

/* What an incident begins ends so long after the last cluster at the latest. */
static const duration_ms fade = 12 * MS_DAY;
/* From the end of all faults until the rotation is expected. */
static const duration_ms settling = 4 * MS_DAY;

/* --- settings --- */

static void draw_policy(struct chance *chance, struct script_policy *policy)
{
    static const unsigned verify[] = {
        [VERIFY_AUTO] = 50, [VERIFY_REQUIRED] = 35, [VERIFY_OFF] = 15};
    duration_ms longest = chance->script->length / 8;

    if (longest > 180 * MS_DAY)
        longest = 180 * MS_DAY;
    *policy = (struct script_policy){.rotate_every = on_scale(chance, 8 * MS_DAY, longest)};
    policy->overlap = happens(chance, 60) ? policy->rotate_every / 4
                                          : between(chance, MS_DAY, policy->rotate_every + 1);
    if (policy->overlap < MS_DAY)
        policy->overlap = MS_DAY;
    policy->splay = happens(chance, 60) ? policy->rotate_every / 10 : 0;
    policy->check_every = happens(chance, 3) ? on_scale(chance, 6 * MS_HOUR, 4 * MS_DAY)
                                             : on_scale(chance, 4 * MS_DAY, 30 * MS_DAY);
    policy->overdue_after = policy->rotate_every / 10;
    policy->verify = (enum verify_mode)weigh(chance, verify, 3);
    policy->on_drift = happens(chance, 20) ? DRIFT_ALERT : DRIFT_REDELIVER;
    policy->has_window = happens(chance, 20);
    policy->rotate = true;
}

/* Not drawn from the chance, so that a seed without hooks stays what it was. */
static uint64_t hash_of_hook(uint64_t seed, unsigned target)
{
    const uint64_t both[] = {seed, target};

    return hash_bytes(HASH_START, both, sizeof(both));
}

static void draw_targets(struct chance *chance)
{
    static const unsigned counts[] = {35, 30, 20, 15};
    struct script *script = chance->script;
    unsigned adoption = draw(chance, 100);

    const struct script_target *owner = NULL;

    script->target_count = 1 + weigh(chance, counts, WORLD_TARGETS_MAX);
    chance->anchor = draw(chance, script->target_count);
    for (unsigned i = 0; i < script->target_count; i++) {
        struct script_target *target = &script->targets[i];

        snprintf(target->name, sizeof(target->name), "t%u", i + 1);
        target->required = i == chance->anchor || happens(chance, 65);
        target->readable = happens(chance, 65);
        target->settles_at_once = happens(chance, 50);
        target->hook = i > 0 && i != chance->anchor && !target->readable &&
                       hash_of_hook(script->seed, i) % 3 == 0;
        if (!target->hook)
            owner = target;
        else if (owner)
            target->required = owner->required;
        /* A target that cannot be read is no evidence when the account is adopted. */
        target->filled = adoption >= 50 && (i == chance->anchor || happens(chance, 60));
    }
    if (adoption >= 70 && adoption < 90)
        script->targets[chance->anchor].readable = true;
    /* In the rest a person has to say which key is in use, or has already said so. */
    script->has_adopt_active = adoption < 70;
}

static void draw_settings(struct chance *chance, struct script *script, uint64_t seed,
                          unsigned years)
{
    static const unsigned accounts[WORLD_ACCOUNTS_MAX] = {40, 25, 10, 5, 5, 5, 5, 5};

    *chance = (struct chance){
        .state = seed ^ UINT64_C(0x736372697074),
        .script = script,
        .bonds = FAIR_BOND,
        .settling = settling,
    };
    (void)draw64(chance);
    script_init(script);
    script->seed = seed;
    script->accounts = 1 + weigh(chance, accounts, WORLD_ACCOUNTS_MAX);
    years = years * 2 / 5 + draw(chance, years * 6 / 5 + 1);
    script->length = (years + 1) * YEAR_DAYS * MS_DAY / script->accounts;
    chance->clusters = (years + 1) * CLUSTERS_PER_DECADE / 10 + 1;
}

duration_ms script_time_by_chance(uint64_t seed, unsigned years)
{
    struct chance chance;
    struct script script;

    draw_settings(&chance, &script, seed, years);
    return script.length * script.accounts;
}

/* --- adding --- */

void chance_add(struct chance *chance, struct incident *incident, duration_ms at)
{
    bool lasts = incident->kind != INCIDENT_CLOCK && incident->kind != INCIDENT_CLOCK_OFF;

    incident->at = at < chance->calm ? at : chance->calm - 1;
    if (lasts && incident->at + incident->duration > chance->calm)
        incident->duration = chance->calm - incident->at;
    script_add(chance->script, incident);
}

static unsigned draw_account(struct chance *chance)
{
    return draw(chance, chance->script->accounts);
}

/* A target of which `fits` is true; the anchor where there is none. */
static unsigned draw_target(struct chance *chance,
                            bool (*fits)(const struct chance *chance, unsigned target))
{
    unsigned count = chance->script->target_count;
    unsigned first = draw(chance, count);

    for (unsigned i = 0; i < count; i++)
        if (fits(chance, (first + i) % count))
            return (first + i) % count;
    return chance->anchor;
}

static bool is_any(const struct chance *chance, unsigned target)
{
    (void)chance;
    (void)target;
    return true;
}

static bool is_readable(const struct chance *chance, unsigned target)
{
    return chance->script->targets[target].readable;
}

static bool is_loose(const struct chance *chance, unsigned target)
{
    return target != chance->anchor;
}

/* --- one incident after the other --- */

/* The reloads and repairs that come while a delivery hangs. */
static void add_hang(struct chance *chance, struct incident *mishap, duration_ms at)
{
    struct incident reloads[HANG_RELOADS_MAX], repair[REPAIR_INCIDENTS_MAX];
    const unsigned count =
        script_hang_by_chance(chance->script, chance->anchor, at, mishap, reloads);
    unsigned repairs;

    for (unsigned i = 0; i < count; i++) {
        reloads[i].bond = i % 2 == 0 ? ++chance->bonds : chance->bonds;
        chance_add(chance, &reloads[i], reloads[i].at);
    }
    repairs = script_repair_by_chance(chance->script, at, mishap, repair);
    for (unsigned i = 0; i < repairs; i++)
        chance_add(chance, &repair[i], repair[i].at);
}

static void add_mishap(struct chance *chance, unsigned account, duration_ms at)
{
    static const unsigned effects[EFFECT_COUNT] = {
        [EFFECT_PROBE] = 1,      [EFFECT_LOOK] = 4,   [EFFECT_READ] = 1,
        [EFFECT_REGENERATE] = 6, [EFFECT_VERIFY] = 3, [EFFECT_DELIVER] = 5};
    struct incident incident = {.kind = INCIDENT_MISHAP, .account = account, .times = 1};

    incident.effect = (enum effect)weigh(chance, effects, EFFECT_COUNT);
    do
        incident.mishap = (enum mishap)draw(chance, MISHAP_HANGS);
    while (!mishap_fits(incident.mishap, incident.effect));
    if (happens(chance, 25))
        incident.times = 2 + draw(chance, 4);
    chance->armed[account] |= 1U << incident.effect;
    if (incident.effect == EFFECT_DELIVER)
        add_hang(chance, &incident, at);
    chance_add(chance, &incident, at);
}

static void add_trap(struct chance *chance, unsigned account, duration_ms at)
{
    struct incident incident = {.kind = INCIDENT_CRASH_AT, .account = account};

    incident.effect = (enum effect)draw(chance, EFFECT_POLL);
    incident.moment = (enum crash_moment)draw(chance, CRASH_MOMENT_COUNT);
    incident.duration = on_scale(chance, MS_SECOND, MS_DAY);
    chance_add(chance, &incident, at);
}

/* The clock is set, and set right again later. */
static void add_clock(struct chance *chance, enum incident_kind kind, duration_ms at)
{
    struct incident incident = {.kind = kind};

    incident.bond = ++chance->bonds;
    incident.duration = on_scale(chance, MS_MINUTE, 400 * MS_DAY);
    if (happens(chance, 50))
        incident.duration = -incident.duration;
    chance_add(chance, &incident, at);
    incident.duration = -incident.duration;
    incident.kind = happens(chance, 70) ? INCIDENT_CLOCK : INCIDENT_CLOCK_OFF;
    chance_add(chance, &incident, at + on_scale(chance, MS_MINUTE, 8 * MS_DAY));
}

/* The journal is copied, and the copy is put back later. */
static void add_restore(struct chance *chance, duration_ms at)
{
    struct incident incident = {.kind = INCIDENT_BACKUP};

    if (!chance->has_backup || happens(chance, 30)) {
        chance_add(chance, &incident, at);
        at += on_scale(chance, MS_SECOND, 200 * MS_DAY);
    }
    chance->has_backup = true;
    incident.kind = INCIDENT_RESTORE;
    chance_add(chance, &incident, at);
}

static void add_and_back(struct chance *chance, struct incident *incident, enum incident_kind back,
                         duration_ms at)
{
    incident->bond = ++chance->bonds;
    chance_add(chance, incident, at);
    incident->kind = back;
    chance_add(chance, incident, at + on_scale(chance, MS_SECOND, 60 * MS_DAY));
}

static void add_account_out(struct chance *chance, unsigned account, duration_ms at)
{
    struct incident incident = {.kind = INCIDENT_REMOVE, .account = account};

    add_and_back(chance, &incident, INCIDENT_ADD, at);
}

static void add_target_out(struct chance *chance, enum incident_kind kind, unsigned account,
                           duration_ms at)
{
    struct incident incident = {.kind = kind, .account = account};

    incident.target = draw_target(chance, is_loose);
    if (incident.target == chance->anchor)
        incident.kind = INCIDENT_RELOAD;
    add_and_back(chance, &incident, INCIDENT_TARGET_IN, at);
}

/* It may have begun already, and is over when the weather is fair. By the instant, as
 * script_vary_command(). */
static void draw_freeze(const struct chance *chance, struct script_policy *policy, duration_ms at)
{
    const uint64_t hash = hash_bytes(HASH_START, &at, sizeof(at));
    const duration_ms begins = at + (duration_ms)(hash / 2 % 8) * MS_DAY - 3 * MS_DAY;
    const duration_ms ends = begins + (duration_ms)(1 + hash / 16 % 40) * MS_DAY;

    if (hash % 2 == 0 && begins >= 0 && ends <= chance->calm) {
        policy->freeze_from = begins;
        policy->freeze_until = ends;
    }
}

static void add_policy(struct chance *chance, duration_ms at)
{
    struct incident incident = {.kind = chance->changes_policy ? INCIDENT_POLICY : INCIDENT_RELOAD};

    if (chance->changes_policy) {
        draw_policy(chance, &incident.policy);
        incident.policy.rotate = !happens(chance, 15);
        draw_freeze(chance, &incident.policy, at);
    }
    chance_add(chance, &incident, at);
}

static void add_command(struct chance *chance, unsigned account, duration_ms at)
{
    static const unsigned commands[SCRIPT_COMMAND_COUNT] = {
        [SCRIPT_ROTATE] = 5, [SCRIPT_REDELIVER] = 2, [SCRIPT_HOLD] = 1, [SCRIPT_RESUME] = 1};
    struct incident incident = {.kind = INCIDENT_COMMAND, .account = account};

    incident.command = (enum script_command)weigh(chance, commands, SCRIPT_COMMAND_COUNT);
    if (incident.command == SCRIPT_HOLD)
        incident.duration = on_scale(chance, MS_HOUR, 10 * MS_DAY);
    if (incident.command == SCRIPT_HOLD || incident.command == SCRIPT_RESUME)
        script_vary_command(&incident, at);
    chance_add(chance, &incident, at);
}

/* Incidents that need only an account, a target, a slot and a duration. */
static void add_plain(struct chance *chance, enum incident_kind kind, unsigned account,
                      duration_ms longest, duration_ms at)
{
    struct incident incident = {.kind = kind, .account = account};
    bool readable = kind == INCIDENT_WRITE || kind == INCIDENT_TARGET_LIES;

    incident.target = draw_target(chance, readable ? is_readable : is_any);
    if (readable && !is_readable(chance, incident.target))
        incident.kind = INCIDENT_REGENERATE;
    incident.slot = (enum slot)draw(chance, SLOT_COUNT);
    incident.writing = (enum writing)draw(chance, WRITING_COUNT);
    if (longest > 0)
        incident.duration = on_scale(chance, MS_SECOND, longest);
    chance_add(chance, &incident, at);
}

/* How likely it is, and how long it lasts at most. */
static const struct {
    unsigned weight;
    duration_ms longest;
} kinds[INCIDENT_KIND_COUNT] = {
    [INCIDENT_MISHAP] = {30, 0},
    [INCIDENT_CRASH] = {12, 3 * MS_DAY},
    [INCIDENT_CRASH_AT] = {16, 0},
    [INCIDENT_STOP] = {6, 3 * MS_DAY},
    [INCIDENT_FREEZE] = {5, MS_DAY},
    [INCIDENT_SUSPEND] = {5, 5 * MS_DAY},
    [INCIDENT_CLOCK] = {4, 0},
    [INCIDENT_CLOCK_OFF] = {3, 0},
    [INCIDENT_DISK_FULL] = {4, MS_DAY},
    [INCIDENT_DISK_SLOW] = {4, MS_DAY},
    [INCIDENT_RESTORE] = {5, 0},
    [INCIDENT_ERASE] = {3, 0},
    [INCIDENT_REGENERATE] = {8, 0},
    [INCIDENT_ROTATE] = {5, 0},
    [INCIDENT_WRITE] = {7, 0},
    [INCIDENT_TARGET_FAILS] = {8, 8 * MS_DAY},
    [INCIDENT_TARGET_LIES] = {4, 6 * MS_HOUR},
    [INCIDENT_KEYS_OFF] = {4, 3 * MS_DAY},
    [INCIDENT_GONE] = {4, 3 * MS_DAY},
    [INCIDENT_DENIED] = {4, 3 * MS_DAY},
    [INCIDENT_UNDESCRIBED] = {4, 10 * MS_DAY},
    [INCIDENT_DATA_DOWN] = {5, 3 * MS_DAY},
    [INCIDENT_AZURE_DOWN] = {4, 2 * MS_DAY},
    [INCIDENT_THROTTLE] = {4, 2 * MS_DAY},
    [INCIDENT_NEW_KEYS_LAG] = {4, 10 * MS_DAY},
    [INCIDENT_REMOVE] = {5, 0},
    [INCIDENT_TARGET_OUT] = {4, 0},
    [INCIDENT_TARGET_OPTIONAL] = {4, 0},
    [INCIDENT_POLICY] = {5, 0},
    [INCIDENT_RELOAD] = {4, 0},
    [INCIDENT_COMMAND] = {14, 0},
    [INCIDENT_SETTLE] = {6, 0},
};

static void add_any(struct chance *chance, unsigned account, duration_ms at)
{
    unsigned weights[INCIDENT_KIND_COUNT];
    enum incident_kind kind;

    for (unsigned i = 0; i < INCIDENT_KIND_COUNT; i++)
        weights[i] = kinds[i].weight;
    kind = (enum incident_kind)weigh(chance, weights, INCIDENT_KIND_COUNT);
    switch (kind) {
    case INCIDENT_MISHAP:
        add_mishap(chance, account, at);
        break;
    case INCIDENT_CRASH_AT:
        add_trap(chance, account, at);
        break;
    case INCIDENT_CLOCK:
    case INCIDENT_CLOCK_OFF:
        add_clock(chance, kind, at);
        break;
    case INCIDENT_RESTORE:
        add_restore(chance, at);
        break;
    case INCIDENT_REMOVE:
        add_account_out(chance, account, at);
        break;
    case INCIDENT_TARGET_OUT:
    case INCIDENT_TARGET_OPTIONAL:
        add_target_out(chance, kind, account, at);
        break;
    case INCIDENT_POLICY:
        add_policy(chance, at);
        break;
    case INCIDENT_COMMAND:
        add_command(chance, account, at);
        break;
    default:
        add_plain(chance, kind, account, kinds[kind].longest, at);
        break;
    }
}

/* --- clusters --- */

static void add_settle(struct chance *chance, duration_ms at)
{
    struct incident incident = {.kind = INCIDENT_SETTLE, .account = ALL_ACCOUNTS};

    chance_add(chance, &incident, at);
}

/* Traps and mishaps wait for a rotation, which a command starts, and more happens soon after. */
static void add_rotation_cluster(struct chance *chance, duration_ms at)
{
    unsigned account = draw_account(chance);
    struct incident rotate = {
        .kind = INCIDENT_COMMAND, .command = SCRIPT_ROTATE, .account = account};

    for (unsigned armed = draw(chance, 4); armed > 0; armed--)
        add_mishap(chance, account, at);
    if (happens(chance, 45))
        add_trap(chance, account, at);
    if (happens(chance, 15))
        rotate.account = ALL_ACCOUNTS;
    if (happens(chance, 70))
        chance_add(chance, &rotate, at);
    for (unsigned more = draw(chance, 4); more > 0; more--)
        add_any(chance, account, at + on_scale(chance, 5, 3 * MS_DAY));
}

static void add_loose_cluster(struct chance *chance, duration_ms at)
{
    for (unsigned count = 1 + draw(chance, 3); count > 0; count--) {
        add_any(chance, draw_account(chance), at);
        at += on_scale(chance, MS_SECOND, 3 * MS_DAY);
    }
}

/* Two operators who do not know of each other. */
static void add_foreign_cluster(struct chance *chance, duration_ms at)
{
    unsigned account = draw_account(chance);

    for (unsigned count = 2 + draw(chance, 2); count > 0; count--) {
        enum incident_kind kind = happens(chance, 50) ? INCIDENT_REGENERATE : INCIDENT_ROTATE;

        add_plain(chance, kind, account, 0, at);
        at += on_scale(chance, 5, 3 * MS_DAY);
    }
}

static void add_storm(struct chance *chance)
{
    duration_ms end = chance->calm - fade;
    duration_ms gap = end / chance->clusters;
    duration_ms at =
        happens(chance, 30) ? on_scale(chance, 5, 10 * MS_MINUTE) : between(chance, 0, 2 * gap);

    for (; at < end; at += between(chance, 0, 2 * gap)) {
        unsigned kind = draw(chance, 100);

        if (kind < 60)
            add_rotation_cluster(chance, at);
        else if (kind < 90)
            add_loose_cluster(chance, at);
        else
            add_foreign_cluster(chance, at);
        if (happens(chance, 60))
            add_settle(chance, at + on_scale(chance, MS_HOUR, 5 * MS_DAY));
    }
}

/* --- fair weather --- */

static void disarm(struct chance *chance)
{
    struct incident incident = {
        .kind = INCIDENT_MISHAP, .mishap = MISHAP_NONE, .at = chance->calm, .bond = FAIR_BOND};

    for (unsigned account = 0; account < chance->script->accounts; account++) {
        for (unsigned effect = 0; effect < EFFECT_COUNT; effect++) {
            if ((chance->armed[account] >> effect & 1U) == 0)
                continue;
            incident.account = account;
            incident.effect = (enum effect)effect;
            script_add(chance->script, &incident);
        }
    }
}

static void add_fair_weather(struct chance *chance)
{
    static const duration_ms settles[SETTLES] = {MS_HOUR, 6 * MS_HOUR, MS_DAY, 2 * MS_DAY,
                                                 3 * MS_DAY};
    struct incident incident = {.kind = INCIDENT_POLICY, .at = chance->calm, .bond = FAIR_BOND};

    disarm(chance);
    if (chance->changes_policy) {
        incident.policy = chance->fair_policy;
        script_add(chance->script, &incident);
    }
    for (size_t i = 0; i < SETTLES; i++) {
        incident = (struct incident){.kind = INCIDENT_SETTLE,
                                     .account = ALL_ACCOUNTS,
                                     .at = chance->calm + settles[i],
                                     .bond = FAIR_BOND};
        script_add(chance->script, &incident);
    }
    incident = (struct incident){.kind = INCIDENT_EXPECT_ROTATION,
                                 .duration = script_longest_wait(&chance->fair_policy),
                                 .at = chance->calm + chance->settling,
                                 .bond = FAIR_BOND};
    script_add(chance->script, &incident);
}

void script_by_chance(struct script *script, uint64_t seed, unsigned years)
{
    struct chance chance;

    draw_settings(&chance, script, seed, years);
    script->active = (enum slot)draw(&chance, SLOT_COUNT);
    draw_policy(&chance, &script->policy);
    draw_targets(&chance);
    chance.fair_policy = script->policy;
    chance.changes_policy = happens(&chance, 50);
    if (chance.changes_policy)
        draw_policy(&chance, &chance.fair_policy);
    if (rules_by_chance(&chance))
        chance.settling += rules_settling(script);
    script->pairs = script->accounts > 1 && script->rule_count == 0 && seed % 3 == 0;
    slow_by_chance(&chance);
    key_times_by_chance(script);
    chance.calm = script->length - chance.settling - script_longest_wait(&chance.fair_policy);
    add_storm(&chance);
    rules_add_storm(&chance, chance.calm - fade);
    slow_add_storm(&chance);
    add_fair_weather(&chance);
    rules_add_fair_weather(&chance);
}

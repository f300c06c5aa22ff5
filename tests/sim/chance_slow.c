/*
 * Regenerates that take long, in scripts from chance: a quarter of the accounts has them, or
 * answers that do not hold all keys, or lists that lag. More goes wrong with their rotations, and
 * while they run.
 */
#include "chance_parts.h"

enum { SLOW_ONE_IN = 4 };

/* --- how Azure regenerates --- */

static void draw_pace(struct chance *chance, struct script_pace *pace)
{
    static const duration_ms times[] = {20 * MS_SECOND, 5 * MS_MINUTE, 40 * MS_MINUTE, 3 * MS_HOUR,
                                        8 * MS_HOUR};
    static const duration_ms lags[] = {0, 0, 0, 30 * MS_SECOND, 5 * MS_MINUTE};

    pace->answer = (enum pace_answer)draw(chance, PACE_ANSWER_COUNT);
    pace->lag = lags[draw(chance, sizeof(lags) / sizeof(lags[0]))];
    if (happens(chance, 30))
        return;
    pace->takes = times[draw(chance, sizeof(times) / sizeof(times[0]))];
    pace->at_most =
        happens(chance, 30) ? pace->takes : between(chance, pace->takes, 2 * pace->takes);
    pace->effect = (enum pace_effect)draw(chance, PACE_EFFECT_COUNT);
    /* Most moments between two polls are alike. */
    pace->asks = pace->takes / 4;
}

bool chance_plain;

void slow_by_chance(struct chance *chance)
{
    /* A seed without such accounts stays what it was. */
    struct chance own = {.state = chance->script->seed ^ UINT64_C(0x70616365)};

    if (chance_plain)
        return;
    for (unsigned i = 0; i < chance->script->accounts; i++)
        if (draw(&own, SLOW_ONE_IN) == 0)
            draw_pace(&own, &chance->script->paces[i]);
    /* Pairs of one resource are of one type. */
    for (unsigned i = 1; chance->script->pairs && i < chance->script->accounts; i += 2)
        chance->script->paces[i] = chance->script->paces[i - 1];
}

/* --- what goes wrong with a rotation --- */

static void arm(struct chance *chance, unsigned account, enum effect effect,
                const enum mishap mishaps[], unsigned count, unsigned times, duration_ms at)
{
    struct incident incident = {.kind = INCIDENT_MISHAP,
                                .account = account,
                                .effect = effect,
                                .mishap = mishaps[draw(chance, count)],
                                .times = times};

    chance->armed[account] |= 1U << effect;
    chance_add(chance, &incident, at);
}

static void arm_regenerate(struct chance *chance, unsigned account, duration_ms at)
{
    static const enum mishap mishaps[] = {MISHAP_UNNAMED, MISHAP_ENDS_BADLY, MISHAP_LOST_BEFORE,
                                          MISHAP_LOST_AFTER, MISHAP_LOST_LATE};

    arm(chance, account, EFFECT_REGENERATE, mishaps, sizeof(mishaps) / sizeof(mishaps[0]),
        happens(chance, 80) ? 1 : 2, at);
}

static void arm_poll(struct chance *chance, unsigned account, duration_ms at)
{
    static const enum mishap mishaps[] = {MISHAP_FAILS,     MISHAP_DENIED,      MISHAP_THROTTLED,
                                          MISHAP_TOKEN,     MISHAP_LOST_BEFORE, MISHAP_SLOW,
                                          MISHAP_FORGOTTEN, MISHAP_FORGOTTEN};

    arm(chance, account, EFFECT_POLL, mishaps, sizeof(mishaps) / sizeof(mishaps[0]),
        1U << draw(chance, 7), at);
}

static void set_trap(struct chance *chance, unsigned account, duration_ms at)
{
    static const enum effect effects[] = {EFFECT_REGENERATE, EFFECT_POLL, EFFECT_SAVE, EFFECT_LOOK};
    struct incident incident = {.kind = INCIDENT_CRASH_AT, .account = account};

    incident.effect = effects[draw(chance, sizeof(effects) / sizeof(effects[0]))];
    incident.moment = (enum crash_moment)draw(chance, CRASH_MOMENT_COUNT);
    incident.duration = on_scale(chance, MS_SECOND, MS_DAY);
    chance_add(chance, &incident, at);
}

/* --- what happens while it runs --- */

/* Incidents that something else takes back, and what that is. */
static const struct {
    enum incident_kind kind, back;
} meanwhile[] = {
    {INCIDENT_REGENERATE, INCIDENT_KIND_COUNT},   {INCIDENT_ROTATE, INCIDENT_KIND_COUNT},
    {INCIDENT_WRITE, INCIDENT_KIND_COUNT},        {INCIDENT_CRASH, INCIDENT_KIND_COUNT},
    {INCIDENT_STOP, INCIDENT_KIND_COUNT},         {INCIDENT_COMMAND, INCIDENT_KIND_COUNT},
    {INCIDENT_SETTLE, INCIDENT_KIND_COUNT},       {INCIDENT_AZURE_DOWN, INCIDENT_KIND_COUNT},
    {INCIDENT_TARGET_FAILS, INCIDENT_KIND_COUNT}, {INCIDENT_REMOVE, INCIDENT_ADD},
};

static void happen_meanwhile(struct chance *chance, unsigned account, duration_ms at)
{
    static const enum script_command commands[] = {SCRIPT_ROTATE, SCRIPT_REDELIVER, SCRIPT_CHECK,
                                                   SCRIPT_UNBLOCK};
    const struct script *script = chance->script;
    const unsigned chosen = draw(chance, sizeof(meanwhile) / sizeof(meanwhile[0]));
    struct incident incident = {.kind = meanwhile[chosen].kind, .account = account};

    incident.slot = (enum slot)draw(chance, SLOT_COUNT);
    incident.target = draw(chance, script->target_count);
    incident.command = commands[draw(chance, sizeof(commands) / sizeof(commands[0]))];
    incident.writing = (enum writing)draw(chance, WRITING_COUNT);
    /* Nobody writes into what nobody can read. */
    if (incident.kind == INCIDENT_WRITE && !script->targets[incident.target].readable)
        incident.kind = INCIDENT_REGENERATE;
    if (incident.kind == INCIDENT_CRASH || incident.kind == INCIDENT_STOP ||
        incident.kind == INCIDENT_AZURE_DOWN || incident.kind == INCIDENT_TARGET_FAILS)
        incident.duration = on_scale(chance, MS_SECOND, MS_DAY);
    if (meanwhile[chosen].back != INCIDENT_KIND_COUNT)
        incident.bond = ++chance->bonds;
    chance_add(chance, &incident, at);
    if (meanwhile[chosen].back == INCIDENT_KIND_COUNT)
        return;
    incident.kind = meanwhile[chosen].back;
    chance_add(chance, &incident, at + on_scale(chance, MS_SECOND, 2 * MS_DAY));
}

static void go_wrong(struct chance *chance, unsigned account, duration_ms at)
{
    const struct script_pace *pace = &chance->script->paces[account];

    if (happens(chance, 35))
        arm_regenerate(chance, account, at);
    if (happens(chance, 35))
        arm_poll(chance, account, at);
    if (happens(chance, 35))
        set_trap(chance, account, at);
    for (unsigned more = draw(chance, 3); more > 0; more--)
        happen_meanwhile(chance, account, at + on_scale(chance, MS_SECOND, 2 * pace->takes));
}

void slow_add_storm(struct chance *chance)
{
    const struct script *script = chance->script;
    const size_t count = script->incident_count;
    duration_ms last = -1;

    for (size_t i = 0; i < script->incident_count && script->incident_count < 2 * count; i++) {
        const struct incident incident = script->incidents[i];

        if (incident.kind != INCIDENT_COMMAND || incident.command != SCRIPT_ROTATE ||
            incident.at <= last)
            continue;
        last = incident.at;
        for (unsigned account = 0; account < script->accounts; account++)
            if (script->paces[account].takes > 0 &&
                (incident.account == account || incident.account == ALL_ACCOUNTS))
                go_wrong(chance, account, incident.at);
    }
}

/*
 * Hubs in scripts from chance: in one of six worlds without rules and pairs, all accounts are
 * policies of one hub. Others change it while keys are renewed there.
 */
#include "chance_parts.h"

enum { HUB_ONE_IN = 6 };

bool chance_hubs;

/* A seed without a hub stays what it was. */
static struct chance own_chance(const struct chance *chance, uint64_t what)
{
    struct chance own = *chance;

    own.state = chance->script->seed ^ what;
    return own;
}

static void draw_pace(struct chance *chance, struct script_pace *pace)
{
    static const duration_ms times[] = {0, 20 * MS_SECOND, 5 * MS_MINUTE, 20 * MS_MINUTE};
    static const duration_ms lags[] = {0, 30 * MS_SECOND, 5 * MS_MINUTE, 5 * MS_MINUTE};

    *pace = (struct script_pace){.answer = PACE_ANSWERS_NOTHING};
    pace->lag = lags[draw(chance, sizeof(lags) / sizeof(lags[0]))];
    pace->takes = times[draw(chance, sizeof(times) / sizeof(times[0]))];
    if (pace->takes == 0)
        return;
    pace->at_most = happens(chance, 30) ? pace->takes : between(chance, pace->takes, MS_HOUR);
    pace->effect = (enum pace_effect)draw(chance, PACE_EFFECT_COUNT);
    pace->asks = pace->takes / 4;
}

void hub_by_chance(struct chance *chance)
{
    struct script *script = chance->script;
    struct chance own = own_chance(chance, UINT64_C(0x687562));
    const bool chosen = draw(&own, HUB_ONE_IN) == 0;

    if (script->rule_count > 0 || (!chance_hubs && (chance_plain || script->pairs || !chosen)))
        return;
    script->pairs = false;
    script->hub = (struct script_hub){true, draw(&own, HUB_OTHERS_MAX + 1),
                                      (enum hub_etag)draw(&own, HUB_ETAG_COUNT)};
    draw_pace(&own, &script->paces[0]);
    for (unsigned i = 1; i < script->accounts; i++)
        script->paces[i] = script->paces[0];
}

static void change_meanwhile(struct chance *chance, duration_ms at)
{
    static const enum incident_kind kinds[] = {INCIDENT_BESIDE, INCIDENT_BESIDE, INCIDENT_BESIDE,
                                               INCIDENT_REGENERATE, INCIDENT_COMMAND};
    struct incident incident = {.kind = kinds[draw(chance, sizeof(kinds) / sizeof(kinds[0]))],
                                .account = draw(chance, chance->script->accounts),
                                .slot = (enum slot)draw(chance, SLOT_COUNT),
                                .command = SCRIPT_ROTATE};

    chance_add(chance, &incident, at);
}

void hub_add_storm(struct chance *chance)
{
    const struct script *script = chance->script;
    const size_t count = script->incident_count;
    struct chance own = own_chance(chance, UINT64_C(0x62657369646573));
    duration_ms last = -1;

    if (!script->hub.is)
        return;
    for (size_t i = 0; i < script->incident_count && script->incident_count < 2 * count; i++) {
        const struct incident incident = script->incidents[i];

        if (incident.kind != INCIDENT_COMMAND || incident.command != SCRIPT_ROTATE ||
            incident.at <= last)
            continue;
        last = incident.at;
        /* While it reads, lists and writes; while the change runs, and lists are late. */
        if (happens(&own, 50))
            change_meanwhile(&own, incident.at + on_scale(&own, 100, 10 * MS_SECOND));
        for (unsigned more = draw(&own, 3); more > 0; more--)
            change_meanwhile(&own, incident.at + on_scale(&own, MS_SECOND, 2 * MS_HOUR));
    }
}

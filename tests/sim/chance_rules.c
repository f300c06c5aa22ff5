/*
 * Rules that find accounts, from chance, in one world of ten. Drawn apart, so that each seed
 * keeps its other incidents.
 *
 * A rule is wrong about the accounts of every other world, as it says one key for all of them; a
 * tag that names a key is right. Whoever confirms at random is careless. In the fair weather all
 * accounts have the tag that the first rule looks for.
 */
#include <stdio.h>

#include "base/hash.h"
#include "chance_parts.h"

enum { ONE_WORLD_OF = 10, PER_DECADE = 60, SETTLED_EVERY_DAYS = 2 };

/* A chance of its own for this purpose. */
static struct chance begin_apart(const struct chance *chance, uint64_t purpose)
{
    const uint64_t both[] = {chance->script->seed, purpose};
    struct chance apart = *chance;

    apart.state = hash_bytes(HASH_START, both, sizeof(both));
    (void)draw64(&apart);
    return apart;
}

static void draw_rule(struct chance *chance, struct script_rule *rule, unsigned index)
{
    const unsigned accounts = chance->script->accounts;

    snprintf(rule->name, sizeof(rule->name), "r%u", index + 1);
    rule->wants = index > 0 ? TAG_BLUE : happens(chance, 60) ? TAG_RED : TAG_NONE;
    rule->has_active = happens(chance, 75);
    rule->active = (enum slot)draw(chance, SLOT_COUNT);
    rule->max_new = 1 + draw(chance, accounts);
    if (rule->max_new < (accounts + 3) / 4)
        rule->max_new = (accounts + 3) / 4;
    rule->every = on_scale(chance, 2 * MS_DAY, 16 * MS_DAY);
}

bool rules_by_chance(struct chance *chance)
{
    struct chance apart = begin_apart(chance, 1);
    struct script *script = chance->script;

    if (draw(&apart, ONE_WORLD_OF) != 0)
        return false;
    script->rule_count = happens(&apart, 60) ? 1 : 2;
    for (unsigned i = 0; i < script->rule_count; i++)
        draw_rule(&apart, &script->rules[i], i);
    return true;
}

/* The first rule finds all of them then. */
duration_ms rules_settling(const struct script *script)
{
    const struct script_rule *rule = &script->rules[0];
    const duration_ms listings = 2 + (script->accounts + rule->max_new - 1) / rule->max_new;

    return rule->every * listings + SETTLED_EVERY_DAYS * MS_DAY;
}

/* --- the storm --- */

static void add_and_back(struct chance *chance, struct incident *incident, enum incident_kind back,
                         duration_ms at)
{
    incident->bond = ++chance->bonds;
    chance_add(chance, incident, at);
    incident->kind = back;
    chance_add(chance, incident, at + on_scale(chance, MS_SECOND, 60 * MS_DAY));
}

/* The account gets another tag, and its old one again. */
static void add_tag(struct chance *chance, unsigned account, duration_ms at)
{
    struct incident incident = {.kind = INCIDENT_TAGGED, .account = account};

    incident.tag = happens(chance, 50) ? TAG_NONE : TAG_BLUE;
    incident.bond = ++chance->bonds;
    chance_add(chance, &incident, at);
    incident.tag = TAG_RED;
    chance_add(chance, &incident, at + on_scale(chance, MS_SECOND, 60 * MS_DAY));
}

/* Somebody says which key is in use, while the account is found for the first time at the latest:
 * later, another one may be. */
static void add_says(struct chance *chance, unsigned account)
{
    struct incident incident = {
        .kind = INCIDENT_SAYS, .account = account, .slot = chance->script->active};

    chance_add(chance, &incident, 0);
}

static void add_confirm(struct chance *chance, unsigned account, duration_ms at)
{
    struct incident incident = {
        .kind = INCIDENT_COMMAND, .command = SCRIPT_CONFIRM, .account = account};

    if (happens(chance, 30))
        incident.account = ALL_ACCOUNTS;
    chance_add(chance, &incident, at);
}

static void add_for_a_while(struct chance *chance, enum incident_kind kind, unsigned account,
                            duration_ms longest, duration_ms at)
{
    struct incident incident = {.kind = kind, .account = account};

    incident.duration = on_scale(chance, MS_SECOND, longest);
    chance_add(chance, &incident, at);
}

static void add_of_rule(struct chance *chance, enum incident_kind kind, enum incident_kind back,
                        unsigned account, duration_ms at)
{
    struct incident incident = {.kind = kind, .account = account};

    incident.rule = draw(chance, chance->script->rule_count);
    add_and_back(chance, &incident, back, at);
}

static void add_one(struct chance *chance, duration_ms at)
{
    const unsigned account = draw(chance, chance->script->accounts);

    switch (draw(chance, 12)) {
    case 0:
    case 1:
        add_tag(chance, account, at);
        break;
    case 2:
        add_for_a_while(chance, INCIDENT_GONE, account, 20 * MS_DAY, at);
        break;
    case 3:
        add_for_a_while(chance, INCIDENT_LISTS_FORBIDDEN, account, 20 * MS_DAY, at);
        break;
    case 4:
        add_for_a_while(chance, INCIDENT_LISTS_BREAK, account, 20 * MS_DAY, at);
        break;
    case 5:
        add_for_a_while(chance, INCIDENT_LISTS_LATE, account, 20 * MS_DAY, at);
        break;
    case 6:
        add_for_a_while(chance, INCIDENT_LISTS_LACK, account, 20 * MS_DAY, at);
        break;
    case 7:
        add_of_rule(chance, INCIDENT_RULE_OUT, INCIDENT_RULE_IN, account, at);
        break;
    case 8:
        add_of_rule(chance, INCIDENT_RULES_TURNED, INCIDENT_RULES_TURNED, account, at);
        break;
    case 9:
        add_of_rule(chance, INCIDENT_SHARED, INCIDENT_APART, account, at);
        break;
    case 10:
        add_of_rule(chance, INCIDENT_ADD, INCIDENT_REMOVE, account, at);
        break;
    default:
        add_confirm(chance, account, at);
        break;
    }
}

/* Half of it while accounts are new. */
void rules_add_storm(struct chance *chance, duration_ms end)
{
    const unsigned count = chance->script->rule_count == 0
                               ? 0
                               : 4 + (unsigned)(chance->script->length * chance->script->accounts *
                                                PER_DECADE / (3650 * MS_DAY));
    struct chance apart = begin_apart(chance, 2);

    for (unsigned i = 0; count > 0 && i < chance->script->accounts; i++)
        if (happens(&apart, 15))
            add_says(&apart, i);
    for (unsigned i = 0; i < count; i++)
        add_one(&apart, i % 2 == 0 ? between(&apart, 0, end) : on_scale(&apart, MS_SECOND, end));
    chance->bonds = apart.bonds;
}

/* --- fair weather --- */

void rules_add_fair_weather(struct chance *chance)
{
    struct incident incident = {
        .kind = INCIDENT_SETTLE, .account = ALL_ACCOUNTS, .bond = FAIR_BOND};

    if (chance->script->rule_count == 0)
        return;
    for (duration_ms at = MS_DAY; at < chance->settling; at += SETTLED_EVERY_DAYS * MS_DAY) {
        incident.at = chance->calm + at;
        script_add(chance->script, &incident);
    }
    incident.at = chance->calm + chance->settling - MS_HOUR;
    script_add(chance->script, &incident);
}

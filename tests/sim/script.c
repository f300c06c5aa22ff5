/*
 * Scripts as data: made, copied, extended; and the names of their parts.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

void script_init(struct script *script)
{
    *script = (struct script){
        .seed = 1,
        .accounts = 1,
        .length = 60 * MS_DAY,
        .policy = {.rotate_every = 30 * MS_DAY,
                   .overlap = 7 * MS_DAY,
                   .check_every = 30 * MS_DAY,
                   .overdue_after = 3 * MS_DAY,
                   .rotate = true},
        .active = SLOT_PRIMARY,
        .has_adopt_active = true,
        .target_count = 1,
        .targets = {{.name = "file", .required = true, .readable = true, .settles_at_once = true}},
    };
}

void script_done(struct script *script)
{
    free(script->incidents);
    script->incidents = NULL;
    script->incident_count = 0;
    script->incident_room = 0;
}

static void make_room(struct script *script, size_t room)
{
    if (room > SCRIPT_INCIDENTS_MAX)
        abort();
    if (room <= script->incident_room)
        return;
    room = room < 64 ? 64 : 2 * room;
    script->incidents = realloc(script->incidents, room * sizeof(script->incidents[0]));
    if (!script->incidents)
        abort();
    script->incident_room = room;
}

void script_add(struct script *script, const struct incident *incident)
{
    size_t place = script->incident_count;

    make_room(script, script->incident_count + 1);
    while (place > 0 && script->incidents[place - 1].at > incident->at)
        place--;
    memmove(&script->incidents[place + 1], &script->incidents[place],
            (script->incident_count - place) * sizeof(script->incidents[0]));
    script->incidents[place] = *incident;
    script->incident_count++;
}

void script_copy(struct script *to, const struct script *from)
{
    *to = *from;
    to->incidents = NULL;
    to->incident_room = 0;
    make_room(to, from->incident_count);
    if (from->incident_count > 0)
        memcpy(to->incidents, from->incidents, from->incident_count * sizeof(from->incidents[0]));
}

/* --- names --- */

const char *effect_name(enum effect effect)
{
    static const char *const names[EFFECT_COUNT] = {
        [EFFECT_PROBE] = "probe",   [EFFECT_LOOK] = "look",
        [EFFECT_READ] = "read",     [EFFECT_REGENERATE] = "regenerate",
        [EFFECT_VERIFY] = "verify", [EFFECT_DELIVER] = "deliver",
        [EFFECT_SAVE] = "save",     [EFFECT_POLL] = "poll",
    };

    return names[effect];
}

const char *mishap_name(enum mishap mishap)
{
    static const char *const names[MISHAP_COUNT] = {
        [MISHAP_NONE] = "nothing",
        [MISHAP_FAILS] = "fails",
        [MISHAP_DENIED] = "denied",
        [MISHAP_THROTTLED] = "throttled",
        [MISHAP_TOKEN] = "token-expired",
        [MISHAP_LOST_BEFORE] = "lost-before",
        [MISHAP_LOST_AFTER] = "lost-after",
        [MISHAP_LOST_LATE] = "lost-late",
        [MISHAP_TWICE] = "twice",
        [MISHAP_PAST] = "past",
        [MISHAP_SLOW] = "slow",
        [MISHAP_REFUSED] = "refused",
        [MISHAP_NOT_YET] = "not-yet",
        [MISHAP_CONFLICT] = "conflict",
        [MISHAP_UNDESCRIBED] = "no-description",
        [MISHAP_HANGS] = "hangs",
        [MISHAP_UNNAMED] = "unnamed",
        [MISHAP_ENDS_BADLY] = "ends-badly",
        [MISHAP_FORGOTTEN] = "forgotten",
    };

    return names[mishap];
}

bool mishap_fits(enum mishap mishap, enum effect effect)
{
    const unsigned look = 1U << EFFECT_LOOK, regenerate = 1U << EFFECT_REGENERATE;
    const unsigned verify = 1U << EFFECT_VERIFY, deliver = 1U << EFFECT_DELIVER;
    const unsigned probe = 1U << EFFECT_PROBE, read = 1U << EFFECT_READ;
    const unsigned poll = 1U << EFFECT_POLL;
    const unsigned fitting[MISHAP_COUNT] = {
        [MISHAP_FAILS] = probe | look | read | regenerate | verify | deliver | poll,
        [MISHAP_DENIED] = probe | look | read | regenerate | deliver | poll,
        [MISHAP_THROTTLED] = probe | look | read | regenerate | deliver | poll,
        [MISHAP_TOKEN] = look | regenerate | poll,
        [MISHAP_LOST_BEFORE] = look | regenerate | verify | deliver | poll,
        [MISHAP_LOST_AFTER] = regenerate | deliver,
        [MISHAP_LOST_LATE] = regenerate | deliver,
        [MISHAP_TWICE] = regenerate,
        [MISHAP_PAST] = look | regenerate,
        [MISHAP_SLOW] = look | regenerate | verify | deliver | poll,
        [MISHAP_REFUSED] = verify,
        [MISHAP_NOT_YET] = deliver,
        [MISHAP_CONFLICT] = deliver,
        [MISHAP_UNDESCRIBED] = look,
        [MISHAP_HANGS] = deliver,
        [MISHAP_UNNAMED] = regenerate,
        [MISHAP_ENDS_BADLY] = regenerate,
        [MISHAP_FORGOTTEN] = poll,
    };

    return (fitting[mishap] >> effect & 1U) != 0;
}

const char *incident_kind_name(enum incident_kind kind)
{
    static const char *const names[INCIDENT_KIND_COUNT] = {
        [INCIDENT_MISHAP] = "mishap",
        [INCIDENT_CRASH] = "crash",
        [INCIDENT_CRASH_AT] = "crash-at",
        [INCIDENT_STOP] = "stop",
        [INCIDENT_FREEZE] = "freeze",
        [INCIDENT_SUSPEND] = "suspend",
        [INCIDENT_CLOCK] = "clock",
        [INCIDENT_CLOCK_OFF] = "clock-off",
        [INCIDENT_DISK_FULL] = "disk-full",
        [INCIDENT_DISK_SLOW] = "disk-slow",
        [INCIDENT_SAVES_WAIT] = "saves-wait",
        [INCIDENT_BACKUP] = "backup",
        [INCIDENT_RESTORE] = "restore",
        [INCIDENT_ERASE] = "erase",
        [INCIDENT_REGENERATE] = "foreign-regenerate",
        [INCIDENT_ROTATE] = "foreign-rotate",
        [INCIDENT_WRITE] = "foreign-write",
        [INCIDENT_TARGET_FAILS] = "target-fails",
        [INCIDENT_TARGET_LIES] = "target-lies",
        [INCIDENT_KEYS_OFF] = "keys-off",
        [INCIDENT_GONE] = "gone",
        [INCIDENT_DENIED] = "denied",
        [INCIDENT_UNDESCRIBED] = "undescribed",
        [INCIDENT_DATA_DOWN] = "data-down",
        [INCIDENT_AZURE_DOWN] = "azure-down",
        [INCIDENT_THROTTLE] = "throttle",
        [INCIDENT_NEW_KEYS_LAG] = "new-keys-lag",
        [INCIDENT_REMOVE] = "remove",
        [INCIDENT_ADD] = "add",
        [INCIDENT_TARGET_OUT] = "target-out",
        [INCIDENT_TARGET_IN] = "target-in",
        [INCIDENT_TARGET_OPTIONAL] = "target-optional",
        [INCIDENT_POLICY] = "policy",
        [INCIDENT_RELOAD] = "reload",
        [INCIDENT_TAGGED] = "tagged",
        [INCIDENT_SAYS] = "says",
        [INCIDENT_LISTS_FORBIDDEN] = "lists-forbidden",
        [INCIDENT_LISTS_BREAK] = "lists-break",
        [INCIDENT_LISTS_LATE] = "lists-late",
        [INCIDENT_LISTS_LACK] = "lists-lack",
        [INCIDENT_RULE_OUT] = "rule-out",
        [INCIDENT_RULE_IN] = "rule-in",
        [INCIDENT_RULES_TURNED] = "rules-turned",
        [INCIDENT_SHARED] = "shared",
        [INCIDENT_APART] = "apart",
        [INCIDENT_COMMAND] = "command",
        [INCIDENT_SETTLE] = "settle",
        [INCIDENT_EXPECT_ROTATION] = "expect-rotation",
    };

    return names[kind];
}

duration_ms incident_length(const struct incident *incident)
{
    if (incident->kind == INCIDENT_CLOCK || incident->kind == INCIDENT_CLOCK_OFF)
        return 0; /* its duration says by how much */
    return incident->duration;
}

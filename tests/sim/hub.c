/*
 * A hub: a resource whose shared access policies are one description, which is written back whole
 * to renew a key (proto/two_key/rewrite.h). All accounts of the world are policies of it; further
 * ones are nobody's accounts.
 *
 * Every change gives it another etag: when it begins, when it ends, or both. One change at a time;
 * another that comes meanwhile is refused, and a stranger then tries again when that one has ended.
 */
#include "oracle_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "design.h"
#include "hub.h"
#include "script_words.h"

/* --- the line of scenarios: "hub: 2 others, etag at end" --- */

static const char *const etag_names[HUB_ETAG_COUNT] = {
    [HUB_ETAG_AT_BEGIN] = "begin", [HUB_ETAG_AT_END] = "end", [HUB_ETAG_AT_BOTH] = "both"};

bool hub_read(struct words *words, struct script *script)
{
    unsigned etag = 0;
    const unsigned others = words->count > 2 ? (unsigned)strtoul(words->word[2], NULL, 10) : 0;

    while (etag < HUB_ETAG_COUNT && !words_are(words, 7, etag_names[etag]))
        etag++;
    if (words->count != 8 || !words_are(words, 1, ":") || !words_are(words, 3, "others") ||
        !words_are(words, 4, ",") || !words_are(words, 5, "etag") || !words_are(words, 6, "at") ||
        etag == HUB_ETAG_COUNT || others > HUB_OTHERS_MAX)
        return words_wrong(words, "it reads \"hub: 2 others, etag at begin\", or end, or both");
    script->hub = (struct script_hub){true, others, (enum hub_etag)etag};
    return true;
}

void hub_print(const struct script *script, struct buf *out)
{
    if (script->hub.is)
        buf_append_format(out, "hub: %u others, etag at %s\n", script->hub.others,
                          etag_names[script->hub.etag]);
}

/* --- what it is like --- */

/* Rules find whole resources here, and the designs of others know of no hub. */
bool world_has_hub(const struct world *world)
{
    return world->script->hub.is && world->script->rule_count == 0 && world->design->finds;
}

unsigned hub_policies(const struct world *world)
{
    return world->account_count + world->script->hub.others;
}

const char *hub_policy_name(const struct world *world, unsigned policy, char out[HUB_NAME_MAX])
{
    const bool is_account = policy < world->account_count;

    (void)snprintf(out, HUB_NAME_MAX, "%c%u", is_account ? 'a' : 'o',
                   1 + policy - (is_account ? 0 : world->account_count));
    return out;
}

const struct hub_moment *hub_at(const struct world *world, time_ms at)
{
    const struct world_hub *hub = &world->hub;
    size_t i = 0;

    while (i + 1 < hub->past_count && hub->past[i].from > at)
        i++;
    return &hub->past[i];
}

/* What is true from now on: to be changed by the caller. */
static struct hub_moment *next_moment(struct world *world)
{
    struct world_hub *hub = &world->hub;
    const size_t kept = hub->past_count < HUB_PAST_MAX - 1 ? hub->past_count : HUB_PAST_MAX - 1;

    memmove(&hub->past[1], &hub->past[0], kept * sizeof(hub->past[0]));
    hub->past_count = kept + 1;
    hub->past[0].from = world->now;
    return &hub->past[0];
}

static void take_accounts_keys(const struct world *world, struct hub_moment *moment)
{
    for (unsigned i = 0; i < world->account_count; i++)
        memcpy(moment->keys[i], world->accounts[i].live, sizeof(moment->keys[i]));
}

void hub_begins(struct world *world)
{
    struct world_hub *hub = &world->hub;

    if (!world_has_hub(world))
        return;
    hub->past_count = 1;
    hub->past[0] = (struct hub_moment){.from = world->now, .etag = 1};
    take_accounts_keys(world, &hub->past[0]);
    for (unsigned i = world->account_count; i < hub_policies(world); i++)
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
            hub->past[0].keys[i][slot] = world_make_key(world);
}

void hub_key_changed(struct world *world)
{
    struct hub_moment *now;

    if (!world_has_hub(world))
        return;
    now = next_moment(world);
    take_accounts_keys(world, now);
    now->etag += !now->is_changing; /* else the change under way gives it */
}

/* --- a change --- */

static bool etag_at(const struct world *world, enum hub_etag at)
{
    return world->script->hub.etag == at || world->script->hub.etag == HUB_ETAG_AT_BOTH;
}

static void try_again(struct world *world)
{
    struct world_hub *hub = &world->hub;
    const struct incident *waiting[HUB_WAITING_MAX];
    const size_t count = hub->waiting_count;

    memcpy(waiting, hub->waiting, sizeof(waiting));
    hub->waiting_count = 0;
    for (size_t i = 0; i < count; i++)
        incident_happen(world, waiting[i]);
}

static void on_end(struct happening *happening)
{
    struct world_hub *hub = container_of(happening, struct world_hub, ends);
    struct world *world = container_of(hub, struct world, hub);
    struct hub_moment *now = next_moment(world);

    now->is_changing = false;
    now->etag += etag_at(world, HUB_ETAG_AT_END);
    try_again(world);
}

/* It goes on for so long, which is more than nothing. */
static void begin_change(struct world *world, duration_ms takes)
{
    struct hub_moment *now = next_moment(world);

    now->is_changing = true;
    now->etag += etag_at(world, HUB_ETAG_AT_BEGIN);
    world->hub.ends.happen = on_end;
    clock_set(world, &world->hub.ends, world->now + takes + 1); /* after its effect */
}

/* --- somebody else --- */

static void renew_other(struct world *world)
{
    struct world_hub *hub = &world->hub;
    struct hub_moment *now = next_moment(world);
    const unsigned policy = world->account_count + hub->other % world->script->hub.others;
    key_number *key = &now->keys[policy][hub->other / world->script->hub.others % SLOT_COUNT];
    char name[HUB_NAME_MAX];

    trace_tell(world, NULL, "somebody", "renews a key of policy %s: k%u replaces k%u",
               hub_policy_name(world, policy, name), world->keys_made + 1, *key);
    *key = world_make_key(world);
    now->etag += !now->is_changing;
    hub->other++;
}

static void on_other(struct happening *happening)
{
    renew_other(container_of(container_of(happening, struct world_hub, renews), struct world, hub));
}

/* At once, or as long as those of the daemon take, with the key at the end. */
void hub_change_beside(struct world *world, const struct world_account *account)
{
    const duration_ms takes = slow_pace(world, account)->takes;

    if (!world_has_hub(world) || world->script->hub.others == 0)
        return;
    if (takes == 0 || world_draw(world, 2) == 0) {
        renew_other(world);
        return;
    }
    trace_tell(world, NULL, "somebody", "begins to renew a key of another policy");
    world->hub.renews.happen = on_other;
    clock_set(world, &world->hub.renews, world->now + takes);
    begin_change(world, takes);
}

bool hub_puts_off(struct world *world, const struct incident *incident)
{
    struct world_hub *hub = &world->hub;

    if (!world_has_hub(world) || !hub->past[0].is_changing)
        return false;
    if (incident->kind != INCIDENT_REGENERATE && incident->kind != INCIDENT_ROTATE &&
        incident->kind != INCIDENT_BESIDE)
        return false;
    if (hub->waiting_count < HUB_WAITING_MAX)
        hub->waiting[hub->waiting_count++] = incident;
    return true;
}

/* --- what is written --- */

static struct json_object *policy_in(struct json_object *policies, const char *name)
{
    const size_t count =
        json_object_is_type(policies, json_type_array) ? json_object_array_length(policies) : 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *policy = json_object_array_get_idx(policies, i);
        const char *its = json_string(policy, "keyName");

        if (its && strcmp(its, name) == 0)
            return policy;
    }
    return NULL;
}

/* A key that is left out is made. */
static void read_body(struct world *world, const char *body, size_t length,
                      struct hub_writing *writing)
{
    static const char *const members[SLOT_COUNT] = {"primaryKey", "secondaryKey"};
    struct err err = {.code = 0};
    struct json_object *document = json_parse(body, length, &err);
    struct json_object *policies =
        json_member(json_member(document, "properties"), "authorizationPolicies");

    if (!document)
        abort();
    for (unsigned i = 0; i < hub_policies(world); i++) {
        char name[HUB_NAME_MAX];
        struct json_object *policy = policy_in(policies, hub_policy_name(world, i, name));

        writing->removes[i] = !policy;
        for (unsigned slot = 0; policy && slot < SLOT_COUNT; slot++) {
            const char *key = json_string(policy, members[slot]);

            writing->keys[i][slot] = key ? world_key_of_text(key, strlen(key)) : KEY_NONE;
        }
    }
    json_free_wiped(document);
}

int hub_put(struct world *world, const struct operation *operation, const char *etag,
            const char *body, size_t length)
{
    struct world_hub *hub = &world->hub;
    char now[HUB_ETAG_TEXT_MAX];

    if (hub->past[0].is_changing)
        return 409;
    hub_etag_text(&hub->past[0], now);
    if (etag[0] != '\0' && strcmp(etag, now) != 0)
        return 412;
    memset(&hub->writing, 0, sizeof(hub->writing));
    read_body(world, body, length, &hub->writing);
    hub_written(world, operation->account, operation->slot, &hub->writing);
    if (slow_pace(world, operation->account)->takes > 0)
        begin_change(world, slow_pace(world, operation->account)->takes);
    return 200;
}

/* What the oracle has convicted happens, too. */
void hub_take_effect(struct world *world, struct world_account *account, enum slot slot)
{
    const struct hub_writing *writing = &world->hub.writing;

    for (unsigned i = 0; i < hub_policies(world); i++)
        for (unsigned j = 0; j < SLOT_COUNT; j++) {
            const key_number key = writing->keys[i][j];
            const bool chosen = i == account->index && j == slot;

            if (writing->removes[i] || chosen || key == world->hub.past[0].keys[i][j])
                continue;
            if (i < world->account_count)
                world_renew(world, &world->accounts[i], (enum slot)j, key);
            else
                next_moment(world)->keys[i][j] = key != KEY_NONE ? key : world_make_key(world);
        }
}

void hub_etag_text(const struct hub_moment *moment, char out[HUB_ETAG_TEXT_MAX])
{
    (void)snprintf(out, HUB_ETAG_TEXT_MAX, "AAAADE%u", moment->etag);
}

void hub_done(struct world *world)
{
    clock_cancel(world, &world->hub.ends);
    clock_cancel(world, &world->hub.renews);
}

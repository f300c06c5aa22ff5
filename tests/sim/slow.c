/*
 * Regenerates that Azure carries out after its answer. The key changes at some moment between the
 * request and the end, or not at all; whoever polls is told whether it has ended.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "design.h"
#include "world.h"

static struct world_account *account_of(struct world_operation *slow)
{
    return container_of(slow, struct world_account, slow);
}

static void on_effect(struct happening *happening)
{
    struct world_operation *slow = container_of(happening, struct world_operation, takes_effect);

    world_regenerate(slow->world, account_of(slow), slow->slot, !slow->orphaned);
}

const struct script_pace *slow_pace(const struct world *world, const struct world_account *account)
{
    static const struct script_pace plain;

    return world->design->polls ? &world->script->paces[account->index] : &plain;
}

bool slow_runs(const struct world *world, const struct world_account *account)
{
    return account->slow.ends_at > world->now;
}

static duration_ms effect_after(struct world *world, const struct script_pace *pace)
{
    switch (pace->effect) {
    case PACE_EFFECT_IN_MIDDLE:
        return pace->takes / 2;
    case PACE_EFFECT_AT_END:
        return pace->takes;
    case PACE_EFFECT_ANYWHERE:
        return pace->takes / 64 * world_draw(world, 65);
    case PACE_EFFECT_AT_START:
    case PACE_EFFECT_COUNT:
        break;
    }
    return 0;
}

void slow_begin(struct world *world, struct world_account *account, struct operation *operation)
{
    const struct script_pace *pace = slow_pace(world, account);
    struct world_operation *slow = &account->slow;
    const duration_ms until_effect = effect_after(world, pace);

    slow->world = world;
    slow->number++;
    slow->slot = operation->slot;
    slow->ends_at = world->now + pace->takes;
    slow->orphaned = false;
    slow->ends_badly = operation->mishap == MISHAP_ENDS_BADLY;
    slow->takes_effect.happen = on_effect;
    operation->number = slow->number;
    trace_tell(world, account, "azure", "begins operation %u: regenerates %s", slow->number,
               slot_name(slow->slot));
    if (!slow->ends_badly)
        clock_set(world, &slow->takes_effect, world->now + until_effect);
}

void slow_journal_edited(struct world *world)
{
    for (unsigned i = 0; i < world->account_count; i++) {
        const struct intent *intent = &world->accounts[i].journal.intent;
        struct world_operation *slow = &world->accounts[i].slow;

        slow->orphaned = slow->orphaned || !world->accounts[i].in_journal || !intent->open ||
                         intent->slot != slow->slot;
    }
}

void slow_url(unsigned number, char out[WORLD_URL_MAX])
{
    snprintf(out, WORLD_URL_MAX, "https://azure.example/operations/%u", number);
}

unsigned slow_number(const char *url)
{
    unsigned number = 0;

    return sscanf(url, "https://azure.example/operations/%u", &number) == 1 ? number : 0;
}

enum operation_state slow_state(const struct world *world, const struct world_account *account,
                                unsigned number)
{
    const struct world_operation *slow = &account->slow;

    if (number == 0 || number != slow->number)
        return OPERATION_FORGOTTEN;
    if (slow_runs(world, account))
        return OPERATION_RUNNING;
    return slow->ends_badly ? OPERATION_FAILED : OPERATION_SUCCEEDED;
}

void slow_done(struct world *world)
{
    for (unsigned i = 0; i < world->account_count; i++)
        clock_cancel(world, &world->accounts[i].slow.takes_effect);
}

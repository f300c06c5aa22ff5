#include "core/commit.h"

#include <string.h>

#include "core/record_table.h"

static bool restarts_alike(enum position a, enum position b)
{
    return position_after_restart(a) == position_after_restart(b) &&
           position_may_be_delivering(a) == position_may_be_delivering(b);
}

static bool acts_on_commit(const struct action *action)
{
    return action->kind == ACTION_REGENERATE || action->kind == ACTION_DELIVER;
}

/* Could a change of that member make more durable than is to be made durable anyway? */
static bool adds_anything(const struct record_member *member, const struct effects *effects)
{
    return !effects->persist || (!effects->wait && member->wait != WAIT_NEVER);
}

static void compare(const struct record_table *table, const void *before, const void *after,
                    struct effects *effects)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct record_member *member = &table->members[i];

        if (member->kind == MEMBER_POSITION || !adds_anything(member, effects) ||
            member_equal(member, before, after))
            continue;
        effects->persist = true;
        if (member->wait != WAIT_NEVER &&
            member_is_none(member, after) == (member->wait == WAIT_WHEN_CLEARED))
            effects->wait = true;
    }
}

static bool targets_are_the_same(const struct record *before, const struct record *after)
{
    if (before->target_count != after->target_count)
        return false;
    for (size_t i = 0; i < after->target_count; i++)
        if (!target_id_equal(&before->targets[i].id, &after->targets[i].id))
            return false;
    return true;
}

static bool equal_bytes(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

/* Are all bytes equal between the position and the targets? */
static bool equal_but_position(const struct record *before, const struct record *after)
{
    const size_t from = offsetof(struct record, adopted), to = offsetof(struct record, targets);

    return equal_bytes((const char *)before + from, (const char *)after + from, to - from);
}

void commit_decide(const struct record *before, const struct record *after, struct effects *effects)
{
    effects->persist =
        effects->note_count > 0 || !restarts_alike(before->position, after->position);
    /* Many steps move the account on and change nothing else, and most change no target: equal
     * bytes save the walk through the members. */
    if (!equal_but_position(before, after))
        compare(&record_table, before, after, effects);
    if (targets_are_the_same(before, after)) {
        for (size_t i = 0; i < after->target_count; i++)
            if (!equal_bytes(&before->targets[i], &after->targets[i], sizeof(after->targets[i])))
                compare(&record_target_table, &before->targets[i], &after->targets[i], effects);
    } else {
        effects->persist = effects->wait = true;
    }
    if (position_awaits_commit(after->position))
        effects->persist = effects->wait = true;
    if (effects->outcome != COMMAND_NOT_ASKED && effects->persist)
        effects->wait = true;
    /* The intent is durable, and the interlock open: another wait would only let the look grow
     * old. */
    if (acts_on_commit(&effects->action))
        effects->wait = false;
}

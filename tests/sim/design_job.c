/*
 * One job of a field's design: its steps, one after the other, and what becomes of those that fail.
 */
#include "design_common.h"

#include <stdlib.h>
#include <string.h>

#include "core/backoff.h"

/* A step has succeeded: begins the next one, from the loop. */
static void next_step(struct field_account *account)
{
    account->step++;
    account->failures = 0;
    account->delivered_count = 0;
    loop_defer(account->daemon->parts.loop, &account->next);
}

static void pause_before_repeating(struct field_account *account)
{
    const struct step *step = account->step;
    duration_ms initial = step->pause > 0 ? step->pause : 30 * MS_SECOND;
    duration_ms pause =
        backoff_delay(initial, MS_HOUR > initial ? MS_HOUR : initial, account->failures, 0, 0);

    if (account->daemon->stopping) {
        field_job_ended(account, false);
        return;
    }
    account->pausing = true;
    timer_set_delay(&account->timer, pause);
}

static void step_failed(struct field_account *account)
{
    const struct step *step = account->step;

    account->failures++;
    if (account->canceled)
        field_job_ended(account, false);
    else if (step->failure == FAILURE_REPEATS || step->failure == FAILURE_RESENDS ||
             account->failures <= step->retries)
        pause_before_repeating(account);
    else if (step->failure == FAILURE_IGNORED)
        next_step(account);
    else
        field_job_ended(account, false);
}

static void end_step(struct field_account *account, bool failed)
{
    if (failed)
        step_failed(account);
    else
        next_step(account);
}

/* --- Azure --- */

static void on_azure(void *context, const struct azure_result *result)
{
    struct field_account *account = context;
    bool failed = !!result->failure;

    account->canceled = result->canceled;
    if (account->fetching && !failed) {
        account->fetching = false;
        loop_defer(account->daemon->parts.loop, &account->next);
        return;
    }
    account->fetching = false;
    end_step(account, failed);
}

static void look(struct field_account *account)
{
    static const struct azure_look_wish wish = {.describe = true};

    azure_look(account->daemon->parts.azure, &account->azure, &wish, on_azure, account);
}

static void regenerate(struct field_account *account, enum slot slot)
{
    azure_regenerate(account->daemon->parts.azure, &account->azure, slot, NULL, on_azure, account);
}

static void on_first_of_both(void *context, const struct azure_result *result)
{
    struct field_account *account = context;

    account->canceled = result->canceled || account->daemon->stopping;
    if (result->failure || account->canceled)
        end_step(account, true);
    else
        regenerate(account, SLOT_SECONDARY);
}

static void regenerate_both(struct field_account *account)
{
    account->slot = SLOT_PRIMARY;
    azure_regenerate(account->daemon->parts.azure, &account->azure, SLOT_PRIMARY, NULL,
                     on_first_of_both, account);
}

static void verify(struct field_account *account)
{
    if (account->account->policy->verify == VERIFY_OFF)
        next_step(account);
    else if (!account->azure.keys[account->slot])
        end_step(account, true);
    else
        azure_verify(account->daemon->parts.azure, &account->azure,
                     account->azure.keys[account->slot], on_azure, account);
}

/* --- targets --- */

struct part {
    struct field_account *account;
    size_t index;
    struct target_id target;
};

static struct part *begin_part(struct field_account *account, size_t index)
{
    struct part *part = calloc(1, sizeof(*part));

    if (!part)
        abort();
    *part = (struct part){
        .account = account,
        .index = index,
        .target = target_identify(&account->account->destinations[index]),
    };
    account->parts++;
    return part;
}

/* True: it was the last one. */
static bool end_part(struct part *part, const struct target_result *result)
{
    struct field_account *account = part->account;

    free(part);
    if (result->canceled)
        account->canceled = true;
    return --account->parts == 0;
}

static void take_active_from_targets(struct field_account *account)
{
    size_t count = account->account->destination_count;

    for (size_t i = 0; i < count; i++)
        for (int slot = 0; slot < SLOT_COUNT; slot++)
            if (account->sightings[i].kind == SIGHTING_KEYS &&
                fingerprint_equal(&account->sightings[i].keys[0],
                                  &account->azure.fingerprints[slot])) {
                account->tag.active = (enum slot)slot;
                account->tag.adopted = true;
                return;
            }
}

static void on_read(void *context, struct target_result *result)
{
    struct part *part = context;
    struct field_account *account = part->account;

    if (!result->failure)
        account->sightings[part->index] = result->sighting;
    if (!end_part(part, result))
        return;
    if (!account->canceled)
        take_active_from_targets(account);
    end_step(account, account->canceled);
}

static void ask_targets(struct field_account *account)
{
    const struct account *subject = account->account;

    memset(account->sightings, 0, sizeof(account->sightings));
    account->canceled = false;
    for (size_t i = 0; i < subject->destination_count; i++)
        if (target_is_readable(&subject->destinations[i]))
            target_read(&account->daemon->targets, &subject->destinations[i], NULL, false, on_read,
                        begin_part(account, i));
    if (account->parts == 0)
        next_step(account);
}

static void on_delivered(void *context, struct target_result *result)
{
    struct part *part = context;
    struct field_account *account = part->account;

    if (result->failure)
        account->part_failed = true;
    else if (account->delivered_count < TARGETS_MAX)
        account->delivered[account->delivered_count++] = part->target;
    if (end_part(part, result))
        end_step(account, account->part_failed || account->canceled);
}

static bool has_it(const struct field_account *account, const struct destination *destination)
{
    struct target_id id = target_identify(destination);

    for (size_t i = 0; i < account->delivered_count; i++)
        if (memcmp(&account->delivered[i], &id, sizeof(id)) == 0)
            return true;
    return false;
}

static void deliver(struct field_account *account)
{
    const struct account *subject = account->account;
    const struct delivery delivery = {
        .account = subject,
        .endpoint = account->azure.endpoint,
        .location = account->azure.location,
        .slot = account->slot,
        .key = account->azure.keys[account->slot],
        .cycle = account->tag.cycle + 1,
        .delivered_at = loop_now(account->daemon->parts.loop),
    };

    account->part_failed = false;
    account->canceled = false;
    if (!delivery.key) {
        end_step(account, true);
        return;
    }
    for (size_t i = 0; i < subject->destination_count; i++)
        if (!has_it(account, &subject->destinations[i]))
            target_deliver(&account->daemon->targets, &subject->destinations[i], &delivery,
                           on_delivered, begin_part(account, i));
    if (account->parts == 0)
        next_step(account);
}

/* --- the tag --- */

static void on_tagged(void *context)
{
    struct field_account *account = context;

    next_step(account);
}

static void write_tag(struct field_account *account)
{
    struct record *tag = &account->tag;

    tag->adopted = true;
    tag->active = account->slot;
    tag->delivering = account->slot;
    tag->cycle++;
    tag->completed_at = loop_now(account->daemon->parts.loop);
    if (account->daemon->recipe->keeps_tag)
        store_save(account->daemon->parts.store, account->key, tag, NULL, 0, on_tagged, account);
    else
        next_step(account);
}

/* --- the job --- */

void job_do_step(struct deferred *deferred)
{
    struct field_account *account = container_of(deferred, struct field_account, next);

    if (account->daemon->stopping) {
        field_job_ended(account, false);
        return;
    }
    switch (account->step->kind) {
    case STEP_LOOK:
        look(account);
        break;
    case STEP_ASK_TARGETS:
        ask_targets(account);
        break;
    case STEP_ASK_IF_NEW:
        if (account->tag.adopted)
            next_step(account);
        else
            ask_targets(account);
        break;
    case STEP_REGENERATE:
        account->slot = slot_other(account->tag.active);
        regenerate(account, account->slot);
        break;
    case STEP_REGENERATE_BOTH:
        regenerate_both(account);
        break;
    case STEP_REGENERATE_OLD:
        regenerate(account, slot_other(account->slot));
        break;
    case STEP_VERIFY:
        verify(account);
        break;
    case STEP_DELIVER:
        deliver(account);
        break;
    case STEP_TAG:
        write_tag(account);
        break;
    case STEP_END:
        field_job_ended(account, true);
        break;
    }
}

void job_begin(struct field_account *account)
{
    const struct account *subject = account->account;

    /* Without a tag, the slot that a person set up on the first day. */
    if (!account->tag.adopted)
        account->tag.active = subject->has_adopt_active ? subject->adopt_active : SLOT_PRIMARY;
    account->busy = true;
    account->step = account->daemon->recipe->steps;
    account->failures = 0;
    account->delivered_count = 0;
    loop_defer(account->daemon->parts.loop, &account->next);
}

void job_go_on(struct field_account *account)
{
    account->pausing = false;
    if (account->step->failure == FAILURE_RESENDS || account->step->kind == STEP_LOOK) {
        loop_defer(account->daemon->parts.loop, &account->next);
        return;
    }
    account->fetching = true;
    look(account);
}

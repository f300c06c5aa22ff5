#include "app/engine_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/must.h"
#include "base/str.h"
#include "proto/control_protocol.h"

static int compare_names(const void *a, const void *b)
{
    const struct account *left = (*(struct engine_account *const *)a)->account;
    const struct account *right = (*(struct engine_account *const *)b)->account;
    int order = strcasecmp(left->name, right->name);

    return order != 0 ? order : strcasecmp(left->resource_group, right->resource_group);
}

static bool same_name(const struct engine_account *a, const struct engine_account *b)
{
    return a && b && str_equal_nocase(a->account->name, b->account->name);
}

static bool same_group(const struct engine_account *a, const struct engine_account *b)
{
    return same_name(a, b) &&
           str_equal_nocase(a->account->resource_group, b->account->resource_group);
}

void engine_words_name_accounts(struct engine *engine)
{
    struct engine_account **sorted =
        must_alloc_array(engine->account_count + 1, sizeof(struct engine_account *));

    for (size_t i = 0; i < engine->account_count; i++)
        sorted[i] = engine->accounts[i];
    qsort(sorted, engine->account_count, sizeof(struct engine_account *), compare_names);
    for (size_t i = 0; i < engine->account_count; i++) {
        const struct engine_account *before = i > 0 ? sorted[i - 1] : NULL;
        const struct engine_account *after = sorted[i + 1]; /* NULL behind the last one */

        if (same_group(sorted[i], before) || same_group(sorted[i], after))
            sorted[i]->naming = NAMED_BY_ID;
        else if (same_name(sorted[i], before) || same_name(sorted[i], after))
            sorted[i]->naming = NAMED_WITH_GROUP;
        else
            sorted[i]->naming = NAMED_ALONE;
    }
    free(sorted);
}

void engine_words_account(const struct engine_account *account, char out[ENGINE_WORDS_MAX])
{
    const struct account *subject = account->account;

    if (account->naming == NAMED_BY_ID)
        (void)str_copy(out, ENGINE_WORDS_MAX, subject->id);
    else if (account->naming == NAMED_WITH_GROUP)
        (void)snprintf(out, ENGINE_WORDS_MAX, "%s/%s", subject->resource_group, subject->name);
    else
        (void)str_copy(out, ENGINE_WORDS_MAX, subject->name);
}

static bool is_called(const struct engine_account *account, const char *typed)
{
    const struct account *subject = account->account;

    return control_names_account(typed, subject->name, subject->resource_group, subject->id);
}

/* Names the accounts by what tells them apart, as far as the message has room. */
static void refuse_several(const struct engine *engine, const char *typed, struct err *err)
{
    enum { ROOM = ERR_TEXT_MAX - sizeof(" and 18446744073709551615 more") };
    char name[ENGINE_WORDS_MAX];
    size_t listed = 0, left = 0;
    struct buf text;

    buf_init(&text, ERR_TEXT_MAX);
    (void)buf_append_format(&text, "more than one account is named %.100s: say", typed);
    for (size_t i = 0; i < engine->account_count; i++) {
        if (!is_called(engine->accounts[i], typed))
            continue;
        engine_words_account(engine->accounts[i], name);
        if (left > 0 || text.length + strlen(name) + 2 > ROOM)
            left++;
        else
            (void)buf_append_format(&text, "%s %s", listed++ > 0 ? "," : "", name);
    }
    if (left > 0)
        (void)buf_append_format(&text, " and %zu more", left);
    (void)err_set(err, -ENOTUNIQ, "%s", buf_str(&text));
    buf_done(&text);
}

static void refuse_unknown(const struct engine *engine, const char *typed, struct err *err)
{
    const char **names = must_alloc_array(engine->account_count + 1, sizeof(*names));
    const char *nearest;

    for (size_t i = 0; i < engine->account_count; i++)
        names[i] = engine->accounts[i]->account->name;
    names[engine->account_count] = NULL;
    nearest = control_nearest_account(typed, names);
    free(names);
    if (nearest)
        (void)err_set(err, -ENOENT, "no account %.100s is configured; did you mean %.100s?", typed,
                      nearest);
    else
        (void)err_set(err, -ENOENT,
                      "no account %.100s is configured; `keyrotatectl status --all` lists them",
                      typed);
}

struct engine_account *engine_words_find(const struct engine *engine, const char *typed,
                                         struct err *err)
{
    struct engine_account *found = NULL;

    for (size_t i = 0; i < engine->account_count; i++) {
        if (!is_called(engine->accounts[i], typed))
            continue;
        if (found) {
            refuse_several(engine, typed, err);
            return NULL;
        }
        found = engine->accounts[i];
    }
    if (!found)
        refuse_unknown(engine, typed, err);
    return found;
}

const char *engine_words_holding(enum holding holding)
{
    static const char *const words[] = {
        [HOLDING_UNSEEN] = NULL,
        [HOLDING_EMPTY] = "nothing",
        [HOLDING_PRIMARY] = "the primary key",
        [HOLDING_SECONDARY] = "the secondary key",
        [HOLDING_BOTH] = "both keys",
        [HOLDING_DEAD_KEY] = "a key that is not live",
        [HOLDING_FOREIGN] = "something that is no key",
    };

    return words[holding];
}

/* "file /a holds nothing": the first target that does not hold the active key alone. */
static void first_unexpected(const struct engine_account *account, char *out, size_t size)
{
    const struct account *subject = account->account;
    char place[512];

    (void)str_copy(out, size, "a key or a target changed");
    for (size_t i = 0; i < subject->destination_count && i < TARGETS_MAX; i++) {
        const enum holding holding = account->holdings[i];

        if (holding == HOLDING_UNSEEN || holding == judge_holding_of(account->record.active))
            continue;
        target_describe(&subject->destinations[i], account->azure.location, place, sizeof(place));
        (void)snprintf(out, size, "%s holds %s", place, engine_words_holding(holding));
        return;
    }
}

void engine_words_unexpected(const struct engine_account *account, char *out, size_t size)
{
    const struct record *record = &account->record;
    const enum slot active = record->active;
    /* While it is regenerated, nothing is unexpected about it. */
    const bool standby =
        !record->intent.open && !fingerprint_equal(&record->unconfirmed.live[slot_other(active)],
                                                   &record->live[slot_other(active)]);
    char what[600];

    if (!fingerprint_equal(&record->unconfirmed.live[active], &record->live[active]))
        (void)snprintf(what, sizeof(what), "the %s key, which consumers use, has changed%s",
                       slot_name(active), standby ? ", and so has the other key" : "");
    else if (standby)
        (void)snprintf(what, sizeof(what), "the %s key, which consumers do not use, has changed",
                       slot_name(slot_other(active)));
    else
        first_unexpected(account, what, sizeof(what));
    (void)snprintf(out, size,
                   "a look found an unexpected change (%s): a second look must confirm it", what);
}

/* How it is known that a target has a dead key. */
enum evidence { EVIDENCE_SEEN, EVIDENCE_UNREAD, EVIDENCE_GIVEN, EVIDENCE_TOLD, EVIDENCE_COUNT };

static enum evidence evidence_of(const struct engine_account *account, size_t i)
{
    const struct destination *destination = &account->account->destinations[i];

    if (destination->without_key)
        return EVIDENCE_TOLD;
    if (!target_is_readable(destination))
        return EVIDENCE_GIVEN;
    return account->holdings[i] == HOLDING_UNSEEN ? EVIDENCE_UNREAD : EVIDENCE_SEEN;
}

/* "file /a, file /b": the required targets of which that is known. Returns how many. */
static size_t name_dead(const struct engine_account *account, enum evidence evidence,
                        struct buf *names)
{
    const struct account *subject = account->account;
    size_t count = 0;

    for (size_t i = 0; i < subject->destination_count && i < TARGETS_MAX; i++) {
        const struct target_record *target =
            record_target_const(&account->record, &account->targets[i].id);
        char place[512];

        if (!target || !target->required || target->dead_since == 0 ||
            evidence_of(account, i) != evidence)
            continue;
        target_describe(&subject->destinations[i], account->azure.location, place, sizeof(place));
        (void)buf_append_format(names, "%s%s", count++ > 0 ? ", " : "", place);
    }
    return count;
}

void engine_words_at_risk(const struct engine_account *account, char *out, size_t size)
{
    static const struct {
        const char *one, *several;
    } known[EVIDENCE_COUNT] = {
        [EVIDENCE_SEEN] = {"holds a dead key", "hold a dead key"},
        [EVIDENCE_UNREAD] = {"cannot be read, and the last key known to be there is dead",
                             "cannot be read, and the last keys known to be there are dead"},
        [EVIDENCE_GIVEN] = {"was last given a key that is dead",
                            "were last given a key that is dead"},
        [EVIDENCE_TOLD] = {"was last told of a key that is dead",
                           "were last told of a key that is dead"},
    };
    struct buf text, names;

    buf_init(&text, 8192);
    for (int i = 0; i < EVIDENCE_COUNT; i++) {
        size_t count;

        buf_init(&names, 4096);
        count = name_dead(account, (enum evidence)i, &names);
        if (count > 0)
            (void)buf_append_format(&text, "%s%s %s", text.length > 0 ? "; " : "", buf_str(&names),
                                    count > 1 ? known[i].several : known[i].one);
        buf_done(&names);
    }
    (void)str_copy(out, size, text.length > 0 ? buf_str(&text) : "a target holds a dead key");
    if (size > 0)
        out[utf8_whole(out, strlen(out))] = '\0';
    buf_done(&text);
}

void engine_words_delivered(const struct engine_account *account, const struct note *note,
                            const char *target, char *out, size_t size)
{
    const char *name = account->account->name;
    const char *slot = slot_name(note->slot);
    const char *separator = note->detail ? ": " : "";
    const char *detail = note->detail ? note->detail : "";
    const struct destination *destination =
        note->has_target ? engine_account_destination(account, &note->target) : NULL;

    if (destination && destination->after)
        snprintf(out, size, "%s: %s has been told that the %s key is there", name, target, slot);
    else if (destination && destination->without_key)
        snprintf(out, size, "%s: %s has been told of the %s key%s%s", name, target, slot, separator,
                 detail);
    else if (destination && !target_is_readable(destination))
        snprintf(out, size, "%s: the %s key was given to %s%s%s", name, slot, target, separator,
                 detail);
    else
        snprintf(out, size, "%s: the %s key is in %s%s%s", name, slot, target, separator, detail);
}

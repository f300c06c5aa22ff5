#include "app/engine_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

enum { PLACE_TEXT_MAX = 512 };

/* --- the list, sorted by account and text --- */

static int compare(const struct place *place, const char *key, const char *text)
{
    int order = strcmp(place->account_key, key);

    return order != 0 ? order : strcmp(place->text, text);
}

/* The index of the first place that is not before it. What was taken out stands behind its like. */
static size_t lower_bound(const struct place_list *list, const char *key, const char *text)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&list->items[middle], key, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void free_place(struct place *place)
{
    free((char *)place->account_key);
    free((char *)place->text);
}

static void insert(struct place_list *list, size_t index, const struct place *place)
{
    struct place copy = *place;

    if (list->count == list->capacity) {
        list->capacity = list->capacity > 0 ? list->capacity * 2 : 16;
        list->items = must(reallocarray(list->items, list->capacity, sizeof(*list->items)));
    }
    copy.account_key = must_dup(place->account_key);
    copy.text = must_dup(place->text);
    memmove(&list->items[index + 1], &list->items[index],
            (list->count - index) * sizeof(*list->items));
    list->items[index] = copy;
    list->count++;
}

/* The item stays where it is until sweep(). */
static void take_out(struct place_list *list, size_t index)
{
    list->items[index].gone = true;
    list->gone_count++;
}

/* Frees what was taken out, where that is at least half of all: a start with many accounts takes
 * one place after the other out. */
static void sweep(struct place_list *list)
{
    size_t kept = 0;

    if (list->gone_count == 0 || 2 * list->gone_count < list->count)
        return;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].gone)
            free_place(&list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
    list->gone_count = 0;
}

static void clear(struct place_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free_place(&list->items[i]);
    free(list->items);
    *list = (struct place_list){0};
}

/* --- journal --- */

static void on_loaded(void *context, const struct place *place)
{
    struct engine *engine = context;

    insert(&engine->places, engine->places.count, place);
}

int engine_places_load(struct engine *engine, struct err *err)
{
    return store_load_places(engine->parts.store, on_loaded, engine, err);
}

void engine_places_done(struct engine *engine)
{
    clear(&engine->places);
    clear(&engine->place_changes);
}

static void change(struct engine *engine, const struct place *place)
{
    insert(&engine->place_changes, engine->place_changes.count, place);
}

void engine_places_save(struct engine *engine)
{
    if (engine->place_changes.count > 0)
        store_save_places(engine->parts.store, engine->place_changes.items,
                          engine->place_changes.count);
    clear(&engine->place_changes);
    sweep(&engine->places);
}

/* --- what a configuration leaves behind --- */

/* Without the location, which is known later than the configuration: the text has to be the same
 * whether it is known or not. */
static void describe(const struct destination *destination, char out[PLACE_TEXT_MAX])
{
    target_describe(destination, NULL, out, PLACE_TEXT_MAX);
}

/* A hook holds no key, so nobody misses it. */
static bool is_place(const struct destination *destination)
{
    return !destination->after;
}

static bool delivers_to(const struct account *subject, const char *text)
{
    char described[PLACE_TEXT_MAX];

    for (size_t i = 0; i < subject->destination_count; i++) {
        describe(&subject->destinations[i], described);
        if (is_place(&subject->destinations[i]) && strcmp(described, text) == 0)
            return true;
    }
    return false;
}

static void write_warning(const struct account *subject, const char *text, const char *verb,
                          struct buf *report)
{
    (void)buf_append_format(report,
                            "%s/%s: warning: %s %s: its readers will hold a dead key after the "
                            "next two rotations, unless they change to another place\n",
                            subject->resource_group, subject->name, text, verb);
}

static void report_abandoned(struct engine_account *account, const struct account *subject,
                             const struct place *place)
{
    static const char remedy[] =
        "let its readers read a target of the configuration, then remove "
        "what is left there";
    struct engine *engine = account->engine;
    char message[PLACE_TEXT_MAX + 128];
    struct history_row row = {
        .at = place->abandoned_at,
        .event = "target.abandoned",
        .cycle = place->cycle,
        .target = place->text,
        .text = message,
    };
    struct log_line line;

    (void)snprintf(
        message, sizeof(message),
        "%s: keys are no longer delivered to %s: the key there dies within the next two rotations",
        subject->name, place->text);
    log_line_start(&line, place->abandoned_at, LEVEL_WARNING, "target.abandoned", "%s", message);
    log_line_text(&line, "account", subject->name);
    log_line_text(&line, "resource_group", subject->resource_group);
    log_line_text(&line, "subscription_id", subject->subscription_id);
    log_line_text(&line, "target", place->text);
    log_line_text(&line, "remedy", remedy);
    log_emit(engine->parts.log, &line);
    store_save_history(engine->parts.store, account->key, &row, 1);
    if (engine->place_report)
        write_warning(subject, place->text, "no longer gets keys", engine->place_report);
}

/* `text` was delivered to until now. */
static void abandon(struct engine_account *account, const struct account *subject, const char *text)
{
    struct engine *engine = account->engine;
    struct place place = {
        .account_key = account->key,
        .text = text,
        .abandoned_at = loop_now(engine->parts.loop),
        .cycle = account->record.cycle,
        .gone = !account->record.adopted, /* nothing was ever delivered there */
    };

    change(engine, &place);
    if (place.gone)
        return;
    insert(&engine->places, lower_bound(&engine->places, account->key, text), &place);
    report_abandoned(account, subject, &place);
}

static void forget(struct engine *engine, size_t index)
{
    struct place place = engine->places.items[index];

    place.gone = true;
    change(engine, &place);
    take_out(&engine->places, index);
}

/* The account's places, from `begin` on, that are abandoned or not; count: there are no more. */
static size_t next_place(const struct place_list *list, size_t begin, const char *key,
                         bool abandoned)
{
    for (size_t i = begin; i < list->count && strcmp(list->items[i].account_key, key) == 0; i++)
        if (!list->items[i].gone && (list->items[i].abandoned_at != 0) == abandoned)
            return i;
    return list->count;
}

static size_t first_place(const struct place_list *list, const char *key, bool abandoned)
{
    return next_place(list, lower_bound(list, key, ""), key, abandoned);
}

/* What was abandoned and is delivered to again is no longer abandoned. */
static void take_back(struct engine_account *account, const struct account *subject)
{
    struct place_list *list = &account->engine->places;

    for (size_t i = first_place(list, account->key, true); i < list->count;
         i = next_place(list, i + 1, account->key, true))
        if (delivers_to(subject, list->items[i].text))
            forget(account->engine, i);
}

static void add(struct engine_account *account, const char *text)
{
    change(account->engine, &(struct place){.account_key = account->key, .text = text});
}

void engine_places_change(struct engine_account *account, const struct account *subject)
{
    const struct account *before = account->account;
    char text[PLACE_TEXT_MAX];

    take_back(account, subject);
    for (size_t i = 0; i < subject->destination_count; i++) {
        describe(&subject->destinations[i], text);
        if (is_place(&subject->destinations[i]) && !delivers_to(before, text))
            add(account, text);
    }
    for (size_t i = 0; i < before->destination_count; i++) {
        describe(&before->destinations[i], text);
        if (is_place(&before->destinations[i]) && !delivers_to(subject, text))
            abandon(account, subject, text);
    }
}

void engine_places_preview(const struct engine_account *account, const struct account *subject,
                           struct buf *report)
{
    const struct account *before = account->account;
    char text[PLACE_TEXT_MAX];

    for (size_t i = 0; account->record.adopted && i < before->destination_count; i++) {
        describe(&before->destinations[i], text);
        if (is_place(&before->destinations[i]) && !delivers_to(subject, text))
            write_warning(subject, text, "would no longer get keys", report);
    }
}

/* Takes the rows of the account that are not abandoned out of the list: while it is configured, the
 * configuration tells them. Each is checked off, or abandoned. */
static void check_off(struct engine_account *account, const struct account *subject, bool *known)
{
    struct place_list *list = &account->engine->places;
    char described[PLACE_TEXT_MAX];

    for (size_t i = first_place(list, account->key, false); i < list->count;
         i = next_place(list, i + 1, account->key, false)) {
        const char *text = list->items[i].text;

        take_out(list, i);
        for (size_t d = 0; d < subject->destination_count && d < TARGETS_MAX; d++) {
            describe(&subject->destinations[d], described);
            known[d] = known[d] || strcmp(described, text) == 0;
        }
        if (!delivers_to(subject, text))
            abandon(account, subject, text); /* before i, or not at all */
    }
}

void engine_places_begin(struct engine_account *account)
{
    const struct account *subject = account->account;
    bool known[TARGETS_MAX] = {false};
    char text[PLACE_TEXT_MAX];

    take_back(account, subject);
    check_off(account, subject, known);
    for (size_t i = 0; i < subject->destination_count && i < TARGETS_MAX; i++) {
        describe(&subject->destinations[i], text);
        if (!known[i] && is_place(&subject->destinations[i]))
            add(account, text);
    }
}

void engine_places_remove(struct engine_account *account)
{
    const struct account *subject = account->account;
    struct place_list *list = &account->engine->places;
    char text[PLACE_TEXT_MAX];

    for (size_t i = 0; i < subject->destination_count; i++) {
        const struct place place = {.account_key = account->key, .text = text};
        size_t index;

        if (!is_place(&subject->destinations[i]))
            continue;
        describe(&subject->destinations[i], text);
        index = lower_bound(list, account->key, text);
        if (index == list->count || list->items[index].gone ||
            compare(&list->items[index], account->key, text) != 0)
            insert(list, index, &place);
    }
}

void engine_places_rotated(struct engine_account *account)
{
    struct place_list *list = &account->engine->places;

    for (size_t i = first_place(list, account->key, true); i < list->count;
         i = next_place(list, i + 1, account->key, true))
        if (list->items[i].cycle < account->record.cycle)
            forget(account->engine, i);
    engine_places_save(account->engine);
}

size_t engine_places_abandoned(const struct engine_account *account, struct abandoned_snapshot *out,
                               size_t max)
{
    const struct place_list *list = &account->engine->places;
    size_t count = 0;

    for (size_t i = first_place(list, account->key, true); i < list->count && count < max;
         i = next_place(list, i + 1, account->key, true))
        out[count++] = (struct abandoned_snapshot){.destination = list->items[i].text,
                                                   .since = list->items[i].abandoned_at};
    return count;
}

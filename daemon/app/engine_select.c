#include "app/engine_private.h"

#include <errno.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"

/* What people call accounts besides the states; "at_risk" is what the log calls them. */
static const char *const flags[] = {"overdue", "at_risk", "consumers_at_risk", "watched", "frozen"};
enum { FLAG_COUNT = sizeof(flags) / sizeof(flags[0]), LIST_MAX = 300 };

static bool is_among(const char *word, const char *const words[])
{
    for (; *words; words++)
        if (str_equal(*words, word))
            return true;
    return false;
}

/* Refuses a word that is none of these (NULL-terminated), with the nearest one. */
static int check_word(const char *what, const char *word, const char *const words[],
                      struct err *err)
{
    const char *nearest;
    struct buf list;

    if (is_among(word, words))
        return 0;
    nearest = str_nearest(word, words);
    if (nearest)
        return err_set(err, -EINVAL, "there is no %s %.100s; did you mean %s?", what, word,
                       nearest);
    buf_init(&list, LIST_MAX);
    for (; *words; words++)
        (void)buf_append_format(&list, "%s%s", list.length > 0 ? ", " : "", *words);
    (void)err_set(err, -EINVAL, "there is no %s %.100s; one of these was expected: %s", what, word,
                  list.failed ? "those of the configuration" : buf_str(&list));
    buf_done(&list);
    return -EINVAL;
}

static int check_state(const char *state, struct err *err)
{
    const char *words[STATE_COUNT + FLAG_COUNT + 1] = {NULL};
    size_t count = 0;

    for (int one = 0; one < STATE_COUNT; one++)
        words[count++] = account_state_name((enum account_state)one);
    for (size_t i = 0; i < FLAG_COUNT; i++)
        words[count++] = flags[i];
    return check_word("state", state, words, err);
}

static int check_policy(const struct engine *engine, const char *policy, struct err *err)
{
    const struct config *config = engine->config;
    const size_t count = config ? config->policy_count : 0; /* NULL: no accounts yet, either */
    const char **words = must_alloc_array(count + 1, sizeof(*words));
    int rc;

    for (size_t i = 0; i < count; i++)
        words[i] = config->policy_names[i];
    rc = check_word("policy", policy, words, err);
    free(words);
    return rc;
}

static bool is_in_state(const struct engine_account *account, const char *state)
{
    struct rotation_view view;

    engine_account_view_for_people(account, &view);
    return str_equal(account_state_name(view.state), state) ||
           (view.overdue && str_equal(state, "overdue")) ||
           (view.consumers_at_risk &&
            (str_equal(state, "at_risk") || str_equal(state, "consumers_at_risk"))) ||
           (view.reason == REASON_CONFIG && str_equal(state, "watched")) ||
           (view.reason == REASON_FREEZE && str_equal(state, "frozen"));
}

/* The policy first, because it costs nothing. */
static bool is_wanted(const struct engine_account *account, const struct control_query *query)
{
    return (!query->policy || str_equal(account->account->policy_name, query->policy)) &&
           (!query->state || is_in_state(account, query->state));
}

/* A selection under construction: `taken` tells which accounts of the engine are in it. */
struct choice {
    const struct engine *engine;
    const struct control_query *query;
    struct engine_selection *selection;
    bool *taken;
};

static void take(struct choice *choice, size_t index)
{
    const struct engine_account *account = choice->engine->accounts[index];

    if (choice->taken[index])
        return;
    choice->taken[index] = true;
    if (is_wanted(account, choice->query))
        choice->selection->accounts[choice->selection->count++] = account;
}

static int take_pattern(struct choice *choice, const char *pattern, struct err *err)
{
    const struct engine *engine = choice->engine;
    bool any = false;

    for (size_t i = 0; i < engine->account_count; i++) {
        const struct account *account = engine->accounts[i]->account;

        if (!control_pattern_matches(pattern, account->name, account->resource_group, account->id))
            continue;
        any = true;
        take(choice, i);
    }
    return any ? 0
               : err_set(err, -ENOENT,
                         "no account matches %.100s; `keyrotatectl status --all` lists them",
                         pattern);
}

static int take_name(struct choice *choice, const char *name, struct err *err)
{
    const struct engine_account *found = engine_words_find(choice->engine, name, err);

    if (!found)
        return err->code;
    for (size_t i = 0; i < choice->engine->account_count; i++)
        if (choice->engine->accounts[i] == found)
            take(choice, i);
    return 0;
}

static int take_named(struct choice *choice, struct err *err)
{
    const struct control_query *query = choice->query;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < query->name_count; i++)
        rc = control_is_pattern(query->names[i]) ? take_pattern(choice, query->names[i], err)
                                                 : take_name(choice, query->names[i], err);
    for (size_t i = 0; query->name_count == 0 && i < choice->engine->account_count; i++)
        take(choice, i);
    return rc;
}

int engine_select(const struct engine *engine, const struct control_query *query,
                  struct engine_selection *selection, struct err *err)
{
    struct choice choice = {.engine = engine, .query = query, .selection = selection};
    int rc = query->state ? check_state(query->state, err) : 0;

    *selection = (struct engine_selection){0};
    if (rc == 0 && query->policy)
        rc = check_policy(engine, query->policy, err);
    if (rc != 0)
        return rc;
    selection->accounts = must_alloc_array(engine->account_count + 1, sizeof(*selection->accounts));
    choice.taken = must_alloc_array(engine->account_count + 1, sizeof(*choice.taken));
    rc = take_named(&choice, err);
    free(choice.taken);
    return rc;
}

void engine_selection_done(struct engine_selection *selection)
{
    free(selection->accounts);
    *selection = (struct engine_selection){0};
}

/*
 * Accounts that rules find. A rule is right about most of its accounts, and a list is right most of
 * the time: neither is enough to replace a key, or to take an account out of care.
 *
 * Which key is in use is known where the configuration or a tag says it of this account, where a
 * target shows it, or where a person has said it. What is known when the account is adopted counts,
 * whatever the configuration says later.
 */
#include <string.h>

#include "oracle_parts.h"

/* --- the word of a person --- */

static void person_speaks(struct world *world, const struct incident *incident)
{
    for (unsigned i = 0; i < world->account_count; i++)
        if (world->daemon && (incident->account == ALL_ACCOUNTS || incident->account == i))
            world->accounts[i].oracle.person_asked = true;
}

void found_incident(struct world *world, const struct incident *incident)
{
    for (unsigned i = 0; incident->kind == INCIDENT_BACKUP && i < world->account_count; i++)
        world->accounts[i].oracle.copied_word = world->accounts[i].oracle.word;
    if (incident->kind == INCIDENT_COMMAND &&
        (incident->command == SCRIPT_CONFIRM || incident->command == SCRIPT_ADOPT))
        person_speaks(world, incident);
}

void found_answered(struct world_account *account, enum script_command command, bool refused)
{
    if (command != SCRIPT_CONFIRM && command != SCRIPT_ADOPT)
        return;
    account->oracle.word.by_person = account->oracle.word.by_person || !refused;
    account->oracle.person_asked = false;
}

/* What was not answered may be durable. */
void found_daemon_ends(struct world *world)
{
    for (unsigned i = 0; i < world->account_count; i++) {
        struct oracle_account *state = &world->accounts[i].oracle;

        state->word.by_person = state->word.by_person || state->person_asked;
        state->person_asked = false;
        if (world->restore_journal)
            state->word = state->copied_word;
        if (world->erase_journal)
            state->word = (struct oracle_word){0};
    }
}

void found_daemon_starts(struct world_account *account)
{
    account->oracle.in_book = account->found.in_book;
    account->oracle.dismissed = false;
}

/* --- adoption --- */

/* By the live keys of the same look, true or not: they may have changed since. */
static bool is_shown_by_target(const struct world *world, const struct world_account *account)
{
    const struct oracle_look *look = &account->oracle.look;

    for (unsigned i = 0; i < world->script->target_count; i++)
        if (account->targets[i].configured && (look->seen & 1U << i) != 0 &&
            (look->held[i] == look->live[SLOT_PRIMARY] ||
             look->held[i] == look->live[SLOT_SECONDARY]))
            return true;
    return false;
}

/* One that was adopted before keeps what was known of it then. */
void found_saved(const struct world *world, struct world_account *account,
                 const struct oracle_rows *rows)
{
    const struct record *journal = oracle_journal(account);

    if (rows->adopted && (!journal || journal->adopted_at == 0))
        account->oracle.word.vouched =
            account->oracle.told_active || is_shown_by_target(world, account);
}

void found_regenerates(struct world *world, struct world_account *account)
{
    const struct oracle_word *word = &account->oracle.word;

    if (world->design->finds && !word->vouched && !word->by_person && !account->oracle.person_asked)
        oracle_convict(world, ORACLE_CONFIRMED, account,
                       "a regenerate of an account whose active key nobody has confirmed");
}

/* --- care --- */

void oracle_account_configured(struct world *world, struct world_account *account,
                               const struct account *subject, enum force why)
{
    struct oracle_account *state = &account->oracle;

    state->told_active = subject && subject->has_adopt_active && !subject->presumes_active;
    if (account->configured && !subject && why == FORCE_FOUND && !state->dismissed)
        oracle_convict(world, ORACLE_NOT_FORGOTTEN, account,
                       "leaves care, and Azure has not been asked for it");
    if (why == FORCE_FOUND && !account->named && account->found.in_book != !!subject)
        oracle_convict(world, ORACLE_NOT_FORGOTTEN, account,
                       "%s care, and after a crash that would be forgotten",
                       subject ? "comes under" : "leaves");
    /* A reload says nothing about an account under care that Azure has just shown as unwanted. */
    if (subject && !account->configured)
        state->dismissed = false;
    if (subject && subject->problem && !account->refused)
        state->shared_at = world->now;
}

void oracle_account_shown(struct world *world, struct world_account *account,
                          const struct world_listed *listed)
{
    account->oracle.dismissed = !listed->exists || !listing_is_wanted(world, listed->tag);
}

/* Does a rule find what the journal has of the account? */
static bool is_wanted_still(const struct world *world, const struct discovery *discovery)
{
    enum script_tag tag = TAG_NONE;

    for (int i = TAG_RED; i < TAG_COUNT; i++)
        if (strstr(discovery->tags, script_tag_name((enum script_tag)i)))
            tag = (enum script_tag)i;
    return listing_is_wanted(world, tag);
}

static unsigned most_of_rule(const struct world *world, const char *rule)
{
    for (unsigned i = 0; i < world->script->rule_count; i++)
        if (strcmp(world->script->rules[i].name, rule) == 0)
            return world->script->rules[i].max_new;
    return 0;
}

void oracle_found_saved(struct world *world, const struct discovery *discoveries, size_t count)
{
    unsigned added = 0;

    for (size_t i = 0; i < count; i++) {
        const struct discovery *discovery = &discoveries[i];
        struct world_account *account =
            world_account_of(world, strrchr(discovery->account_key, '/') + 1);

        if (discovery->gone && !account->oracle.dismissed && is_wanted_still(world, discovery))
            oracle_convict(world, ORACLE_NOT_FORGOTTEN, account,
                           "is taken out of the journal, and Azure has not been asked for it");
        added += !discovery->gone && !account->oracle.in_book;
        account->oracle.in_book = !discovery->gone;
        if (!discovery->gone && added > most_of_rule(world, discovery->rule))
            oracle_convict(world, ORACLE_FEW_AT_ONCE, account, "is the %uth that one listing adds",
                           added);
    }
}

/* The journal of one that left is what it continues with. */
void found_record_saved(struct world *world, struct world_account *account,
                        const struct record *record)
{
    const struct record *journal = oracle_journal(account);

    if (world->design->finds && journal && journal->adopted_at != 0 && record->adopted_at == 0)
        oracle_convict(world, ORACLE_NOT_FORGOTTEN, account,
                       "begins anew, and the journal knows of %llu rotations",
                       (unsigned long long)journal->cycle);
}

/* A look that began before is finished. */
static bool ends_look(const struct operation *operation)
{
    const struct oracle_account *state = &operation->account->oracle;

    return operation->effect == EFFECT_READ && state->look.began <= state->shared_at;
}

void found_operation_begins(struct world *world, const struct operation *operation)
{
    if (operation->account->refused && operation->effect != EFFECT_VERIFY &&
        operation->effect != EFFECT_POLL && !ends_look(operation))
        oracle_convict(world, ORACLE_ONE_DESTINATION, operation->account,
                       "asks for a %s, and has the destination of another account",
                       effect_name(operation->effect));
}

/* --- fair weather --- */

void found_expectation(struct world *world)
{
    for (unsigned i = 0; world_has_rules(world) && i < world->account_count; i++) {
        struct world_account *account = &world->accounts[i];
        const struct world_listed listed = listing_of(world, account);

        if (!account->configured && listed.exists && listing_is_wanted(world, listed.tag))
            oracle_convict(world, ORACLE_PROGRESS, account,
                           "no listing has found it in fair weather");
    }
}

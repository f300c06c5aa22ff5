/*
 * The configuration as the daemon reads it: the accounts that it names, and those that its rules
 * have found.
 */
#include <stdlib.h>
#include <string.h>

#include "app/discovery_book.h"
#include "conf/arena.h"
#include "conf/discovery.h"
#include "design.h"
#include "listing.h"
#include "world.h"

enum { CONFIG_MAX = 64 * 1024 };

static const struct identity identity = {.name = "vm"};

bool world_has_rules(const struct world *world)
{
    return world->script->rule_count > 0 && world->design->finds;
}

/* --- accounts --- */

static void add_destinations(struct arena *arena, const struct world *world,
                             const struct world_account *from, struct account *to)
{
    struct destination *destinations =
        arena_alloc_array(arena, WORLD_TARGETS_MAX, sizeof(*destinations));

    to->destinations = destinations;
    const struct destination *owner = NULL;

    for (unsigned i = 0; i < world->script->target_count; i++) {
        const struct world_target *target = &from->targets[i];

        if (!target->settings.hook)
            owner = target->configured ? &destinations[to->destination_count] : NULL;
        if (!target->configured)
            continue;
        destinations[to->destination_count++] = (struct destination){
            .name = target->settings.name,
            .required = target->required,
            .place = arena_format(arena, "/a%u/t%u", from->index + 1, i),
            .settings = &target->settings,
            .after = target->settings.hook ? owner : NULL,
            .without_key = target->settings.hook,
        };
    }
}

/* As conf/resolve_found.c chooses it: a tag of the account, or else what its rule says of all. */
static void add_hint(struct arena *arena, const struct world *world,
                     const struct config_found *found, struct account *account)
{
    const struct script_rule *rule = NULL;

    account->has_adopt_active = world->script->has_adopt_active;
    account->adopt_active = world->script->active;
    account->presumes_active = world->script->presumed;
    account->rule = world->script->presumed ? "rule" : NULL;
    for (unsigned i = 0; found && i < world->script->rule_count; i++)
        if (strcmp(world->script->rules[i].name, found->rule) == 0)
            rule = &world->script->rules[i];
    if (!rule)
        return;
    account->rule = arena_dup(arena, rule->name);
    account->has_adopt_active = rule->has_active || found->has_active;
    account->adopt_active = found->has_active ? found->active : rule->active;
    account->presumes_active = rule->has_active && !found->has_active;
}

static const struct config_found *found_of(const struct world_account *account,
                                           const struct config_found *found, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(found[i].id, account->id) == 0)
            return &found[i];
    return NULL;
}

static void add_accounts(struct arena *arena, const struct world *world, struct config *config,
                         const struct policy *policy, const struct config_found *found,
                         size_t count)
{
    struct account *accounts = arena_alloc_array(arena, WORLD_ACCOUNTS_MAX, sizeof(*accounts));

    config->accounts = accounts;
    for (unsigned i = 0; i < world->account_count; i++) {
        const struct world_account *from = &world->accounts[i];
        const struct config_found *by_rule =
            world_has_rules(world) && !from->named ? found_of(from, found, count) : NULL;
        struct account *to = &accounts[config->account_count];

        if (!from->named && !by_rule)
            continue;
        config->account_count++;
        *to = (struct account){
            .id = arena_dup(arena, from->id),
            .key = arena_dup(arena, from->id),
            .name = arena_dup(arena, from->name),
            .resource_group = "group",
            .subscription_id = "subscription",
            .identity = &identity,
            .policy_name = "simulated",
            .policy = policy,
            .regenerate_takes = slow_pace(world, from)->at_most,
            .list_delay = slow_pace(world, from)->lag,
        };
        add_hint(arena, world, by_rule, to);
        add_destinations(arena, world, from, to);
    }
}

static struct account *account_at(const struct config *config, const struct world_account *account)
{
    for (size_t i = 0; i < config->account_count; i++)
        if (strcmp(config->accounts[i].key, account->id) == 0)
            return (struct account *)(uintptr_t)&config->accounts[i];
    return NULL;
}

/* As conf/resolve_account.c does: of two accounts with one place, those that rules have found get
 * nothing. */
static void refuse_shared(const struct world *world, const struct config *config)
{
    for (unsigned i = 0; i < world->account_count; i++) {
        const unsigned next = (i + 1) % world->account_count;
        struct account *one = account_at(config, &world->accounts[i]);
        struct account *other = account_at(config, &world->accounts[next]);

        if (!world->accounts[i].shared || !one || !other || one == other)
            continue;
        if (one->rule)
            one->problem = "its targets are those of another account";
        if (other->rule)
            other->problem = "its targets are those of another account";
    }
}

/* --- rules --- */

static void add_rule(struct arena *arena, const struct script_rule *from, struct discovery_rule *to)
{
    static const char *const subscriptions[] = {"subscription"};
    static const struct two_key_resource *const types[] = {&listing_type};
    struct discovery_tag *tag = arena_alloc(arena, sizeof(*tag));
    const char **value = arena_alloc(arena, sizeof(*value));

    *value = script_tag_name(from->wants);
    *tag = (struct discovery_tag){.name = LISTING_TAG, .values = {.items = value, .count = 1}};
    *to = (struct discovery_rule){
        .name = arena_dup(arena, from->name),
        .identity = &identity,
        .subscriptions = subscriptions,
        .subscription_count = 1,
        .types = types,
        .type_count = 1,
        .wanted = {.tags = tag, .tag_count = from->wants != TAG_NONE ? 1 : 0},
        .policy_name = "simulated",
        .active_tag = LISTING_ACTIVE_TAG,
        .has_adopt_active = from->has_active,
        .adopt_active = from->active,
        .every = from->every,
        .max_new = from->max_new,
    };
}

static void add_rules(struct arena *arena, const struct world *world, struct config *config)
{
    const unsigned count = world->script->rule_count;
    struct discovery_rule *rules = arena_alloc_array(arena, WORLD_RULES_MAX, sizeof(*rules));

    config->rules = rules;
    for (unsigned i = 0; i < count; i++) {
        const unsigned from = world->rules_turned ? count - 1 - i : i;

        if (!world->rules_out[from])
            add_rule(arena, &world->script->rules[from], &rules[config->rule_count++]);
    }
}

/* --- conf/config.h and conf/discovery.h: this world has no loader of files --- */

struct config *world_configuration(const struct world *world, const struct config_found *found,
                                   size_t count)
{
    struct arena *arena = arena_new(CONFIG_MAX);
    struct config *config = arena_alloc(arena, sizeof(*config));
    struct policy *policy = arena_alloc(arena, sizeof(*policy));
    struct window *window = arena_alloc(arena, sizeof(*window));
    struct freeze *freeze = arena_alloc(arena, sizeof(*freeze));

    *policy = world->policy;
    *window = world->window;
    if (policy->window_count > 0)
        policy->windows = window;
    *freeze = world->freeze;
    policy->freezes = freeze;
    *config = (struct config){
        .references = 1,
        .path = "simulated",
        .timing = world->timing,
        .cloud = {.resource_manager = LISTING_URL},
        .source = (struct config_source *)(uintptr_t)world,
        .arena = arena,
    };
    add_accounts(arena, world, config, policy, found, count);
    if (!world_has_rules(world))
        return config;
    refuse_shared(world, config);
    add_rules(arena, world, config);
    return config;
}

/* Every change of the world's configuration is followed by a reload, so the world has what was
 * loaded. */
struct config *config_expand(const struct config *config, const struct config_found *found,
                             size_t count, struct err *err)
{
    (void)err;
    return world_configuration((const struct world *)(const void *)config->source, found, count);
}

duration_ms config_regenerate_takes(const struct config *config, const char *account_id)
{
    const struct world *world = (const struct world *)(const void *)config->source;

    for (unsigned i = 0; i < world->account_count; i++)
        if (strcmp(world->accounts[i].id, account_id) == 0)
            return slow_pace(world, &world->accounts[i])->at_most;
    abort();
}

struct config *config_ref(struct config *config)
{
    if (config)
        config->references++;
    return config;
}

void config_unref(struct config *config)
{
    if (config && --config->references == 0)
        arena_free(config->arena);
}

/* --- in force --- */

static void note_care(struct world *world)
{
    for (unsigned i = 0; i < world->account_count; i++) {
        for (unsigned j = 0; j < world->script->target_count; j++) {
            struct world_account *account = &world->accounts[i];
            struct world_target *target = &account->targets[j];
            bool cared = account->configured && target->configured && target->required;

            if (!cared)
                target->cared_since = TIME_NEVER;
            else if (target->cared_since == TIME_NEVER)
                target->cared_since = world->now;
        }
    }
}

void world_in_force(struct world *world, const struct config *config, enum force why)
{
    for (unsigned i = 0; i < world->account_count; i++) {
        struct world_account *account = &world->accounts[i];
        const struct account *subject = account_at(config, account);

        oracle_account_configured(world, account, subject, why);
        account->configured = !!subject;
        account->refused = subject && subject->problem;
    }
    note_care(world);
    oracle_reconfigured(world);
}

void world_foresee(struct world *world)
{
    struct discovery_book book = {.count = 0};
    struct config *config = NULL;
    struct err err = {0};

    if (discovery_book_load(&book, world->store, &err) == 0)
        config = discovery_book_expand(&book, world->config, &err);
    if (!config)
        abort();
    world_in_force(world, config, FORCE_START);
    config_unref(config);
    discovery_book_done(&book);
}

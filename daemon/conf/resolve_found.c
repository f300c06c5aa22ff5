#include <string.h>

#include "base/str.h"
#include "conf/discovery.h"
#include "conf/resolve.h"
#include "conf/schema.h"

/* What one account finds wrong with a target must not keep the target from the next account. The
 * files were sound when they were loaded, so nothing else is marked. */
static void clear_marks(struct tree_node *node)
{
    node->invalid = false;
    node->noted = false;
    for (struct tree_node *child = node->kind == TREE_SCALAR ? NULL : node->first; child;
         child = child->next)
        clear_marks(child);
}

static void clear_all_marks(struct resolve *resolve)
{
    clear_marks((struct tree_node *)(uintptr_t)resolve->root);
}

/* "PATH: what is wrong", without the places in files: those of the rule are of no use here. */
static const char *first_error(struct resolve *resolve, struct report *report)
{
    struct config_messages messages;
    const char *text, *sentence;
    const char *copy;

    config_messages_init(&messages);
    if (!report_finish(report, &messages))
        arena_fail(resolve->arena);
    text = buf_str(&messages.text);
    sentence = strstr(text, ": ");
    if (sentence)
        text = sentence + 2;
    copy = arena_dup_n(resolve->arena, text, strcspn(text, "\n"));
    config_messages_done(&messages);
    return copy ? copy : "out of memory";
}

/* The tag of the account, or else what its rule says of all. */
static void choose_active(const struct config_found *found, struct account *account)
{
    account->presumes_active = account->has_adopt_active && !found->has_active;
    if (!found->has_active)
        return;
    account->has_adopt_active = true;
    account->adopt_active = found->active;
}

bool resolve_fill_found(struct resolve *resolve, const struct config_found *found,
                        struct account *account, const struct tree_node **ret_node)
{
    const struct discovery_rule *rule = discovery_rule_named(resolve->config, found->rule);
    const struct tree_node *rule_node = resolve_rule_node(resolve, found->rule);
    struct report *own = resolve->report;
    struct report of_account;
    bool filled;

    *ret_node = rule && rule_node ? resolve_found_node(resolve, rule_node, found->id) : NULL;
    if (!*ret_node)
        return false;
    report_init(&of_account, resolve->arena);
    resolve->report = &of_account;
    filled = resolve_fill_account(resolve, *ret_node, account);
    resolve->report = own;
    if (!filled)
        return false;
    account->rule = rule->name;
    choose_active(found, account);
    if (of_account.error_count > 0)
        account->problem = first_error(resolve, &of_account);
    else if (account->destination_count != rule->destination_count)
        account->problem = "it lacks a destination that its rule gives to every account";
    if (of_account.error_count + of_account.warning_count > 0)
        clear_all_marks(resolve);
    return account->identity && account->policy;
}

#include "base/str.h"
#include "conf/resolve.h"
#include "conf/schema.h"

typedef bool uses(const struct account *account, const char *name);

static bool uses_identity(const struct account *account, const char *name)
{
    return account->identity && str_equal(account->identity->name, name);
}

static bool uses_policy(const struct account *account, const char *name)
{
    return str_equal(account->policy_name, name);
}

static bool uses_target(const struct account *account, const char *name)
{
    for (size_t i = 0; i < account->destination_count; i++) {
        if (str_equal(account->destinations[i].name, name))
            return true;
    }
    return false;
}

static void note_unused(struct resolve *resolve, const char *section, uses *is_used)
{
    const struct config *config = resolve->config;
    const struct tree_node *names = schema_get(resolve->root, section);

    for (const struct tree_node *node = names ? names->first : NULL; node; node = node->next) {
        size_t i = 0;

        while (i < config->account_count && !is_used(&config->accounts[i], node->name))
            i++;
        if (i == config->account_count)
            report_key_warning(resolve->report, node, "is used by no account");
    }
}

void resolve_note_unused(struct resolve *resolve)
{
    /* After errors a reference may be missing by mistake; without accounts everything is unused. */
    if (resolve->report->error_count > 0 || resolve->config->account_count == 0)
        return;
    note_unused(resolve, "identities", uses_identity);
    note_unused(resolve, "policies", uses_policy);
    note_unused(resolve, "targets", uses_target);
}

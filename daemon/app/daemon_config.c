#include "app/daemon_state.h"

#include <errno.h>

#include "app/question_list.h"
#include "base/str.h"
#include "conf/origin.h"
#include "proto/control_config.h"

static void write_value(void *context, const struct origin *origin)
{
    control_config_value(context, &(struct config_value_snapshot){.key = origin->key,
                                                                  .value = origin->value,
                                                                  .file = origin->file,
                                                                  .line = origin->line,
                                                                  .from = origin->from});
}

static const struct account *account_of_key(const struct config *config, const char *key)
{
    for (size_t i = 0; i < config->account_count; i++)
        if (str_equal(config->accounts[i].key, key))
            return &config->accounts[i];
    return NULL;
}

int daemon_answer_config(void *context, const struct control_query *query, struct buf *out,
                         struct err *err)
{
    const struct daemon *daemon = context;
    const struct config *config = daemon->config;
    const struct account *account;
    const char *key;

    if (query->name_count != 1)
        return err_set(err, -EINVAL, "one account was expected");
    key = engine_account_key(daemon->engine, query->names[0], err);
    if (!key)
        return err->code;
    account = account_of_key(config, key);
    if (!account) /* the engine has no others */
        return err_set(err, -ENOENT, "no account %.100s is configured", query->names[0]);
    control_config_start(out, account->id, account->name, account->resource_group,
                         daemon->config_loaded_at);
    if (config_origins(config, account, write_value, out) != 0)
        return -ENOMEM;
    control_config_end(out);
    return 0;
}

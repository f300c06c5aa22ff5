#include "app/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"
#include "base/str.h"
#include "proto/control_protocol.h"

enum { LISTED_MAX = 10 };

static void refuse_unknown(const struct config *config, const char *typed)
{
    const char **names = must_alloc_array(config->account_count + 1, sizeof(*names));
    const char *nearest;

    for (size_t i = 0; i < config->account_count; i++)
        names[i] = config->accounts[i].name;
    names[config->account_count] = NULL;
    nearest = control_nearest_account(typed, names);
    free(names);
    if (nearest)
        fprintf(stderr, "keyrotated: no account is called %s; did you mean %s?\n", typed, nearest);
    else
        fprintf(stderr,
                "keyrotated: no account is called %s: give a name, group/name or the resource id "
                "of %s\n",
                typed, config->path);
}

/* Names the first ones of those that the name fits. */
static void refuse_several(const struct config *config, const char *typed, size_t count)
{
    size_t listed = 0;

    fprintf(stderr, "keyrotated: several accounts are called %s: give group/name or the id:\n",
            typed);
    for (size_t i = 0; i < config->account_count && listed < LISTED_MAX; i++) {
        const struct account *account = &config->accounts[i];

        if (!control_names_account(typed, account->name, account->resource_group, account->id))
            continue;
        fprintf(stderr, "  %s\n", account->id);
        listed++;
    }
    if (count > listed)
        fprintf(stderr, "  and %zu more\n", count - listed);
}

static int select_accounts(struct reading *reading, const struct options *options)
{
    const struct config *config = reading->config;
    const size_t wanted = options->account_count;

    reading->account_count = wanted > 0 ? wanted : config->account_count;
    reading->accounts = must_alloc_array(reading->account_count, sizeof(*reading->accounts));
    for (size_t i = 0; wanted == 0 && i < config->account_count; i++)
        reading->accounts[i] = &config->accounts[i];
    for (size_t i = 0; i < wanted; i++) {
        size_t found = config_match_account(config, options->accounts[i], &reading->accounts[i]);

        if (found == 1)
            continue;
        if (found == 0)
            refuse_unknown(config, options->accounts[i]);
        else
            refuse_several(config, options->accounts[i], found);
        return STATUS_USAGE;
    }
    return STATUS_OK;
}

/* Is it the configuration of a service on this machine? One that is checked elsewhere names
 * directories of another machine. */
static bool is_installed(const char *path)
{
    char *real = realpath(path, NULL);
    const bool installed = real && str_starts_with(real, KEYROTATED_SYSCONFDIR "/keyrotated/");

    free(real);
    return installed;
}

int reading_open(struct reading *reading, const struct options *options)
{
    struct config_environment environment;

    *reading = (struct reading){.config = NULL};
    environment_read(&environment);
    environment.sees_targets = geteuid() == 0 && is_installed(options->config_path);
    config_messages_init(&reading->messages);
    reading->messages.wants_json = options->json;
    reading->config = config_load(options->config_path, &environment, &reading->messages);
    if (!options->json)
        fputs(buf_str(&reading->messages.text), stderr);
    return reading->config ? select_accounts(reading, options) : STATUS_OK;
}

void reading_close(struct reading *reading)
{
    free(reading->accounts);
    config_unref(reading->config);
    config_messages_done(&reading->messages);
}

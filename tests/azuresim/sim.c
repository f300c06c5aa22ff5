#include "sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "operations.h"

/* The account of --account. */
static bool make_account(struct sim *sim, const char *name)
{
    struct json_object *properties = json_object_new_object();
    char message[256];
    bool made;

    json_add_text(properties, "name", name);
    json_add_text(properties, "subscription_id", OPTIONS_SUBSCRIPTION);
    json_add_text(properties, "resource_group", OPTIONS_GROUP);
    json_add_text(properties, "location", "westeurope");
    made = !!world_create(sim->world, properties, message, sizeof(message));
    if (!made)
        fprintf(stderr, "azuresim: --account %s: %s\n", name, message);
    json_object_put(properties);
    return made;
}

bool sim_init(struct sim *sim, const struct options *options)
{
    *sim = (struct sim){.options = *options, .stop_fd = -1};
    pthread_mutex_init(&sim->lock, NULL);
    if (mkdir(options->dir, 0755) != 0 && errno != EEXIST) {
        fprintf(stderr, "azuresim: %s: %s\n", options->dir, strerror(errno));
        return false;
    }
    sim->truth = truth_new(options->dir);
    if (!sim->truth) {
        fprintf(stderr, "azuresim: %s: %s\n", options->dir, strerror(errno));
        return false;
    }
    if (options->record) {
        sim->record = record_new(options->dir);
        if (!sim->record) {
            fprintf(stderr, "azuresim: %s: %s\n", options->dir, strerror(errno));
            return false;
        }
    }
    settings_init(&sim->settings, options->token_lifetime);
    sim->world = world_new(sim->truth);
    sim->operations = operations_new();
    sim->directory = directory_new();
    sim->ratelimit = ratelimit_new();
    sim->faults = faults_new(options->seed);
    sim->vaults = vault_store_new();
    sim->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return sim->stop_fd >= 0 && (!options->account || make_account(sim, options->account));
}

void sim_done(struct sim *sim)
{
    if (sim->stop_fd >= 0)
        close(sim->stop_fd);
    json_object_put(sim->stopped_index);
    vault_store_free(sim->vaults);
    faults_free(sim->faults);
    ratelimit_free(sim->ratelimit);
    directory_free(sim->directory);
    operations_free(sim->operations);
    world_free(sim->world);
    record_free(sim->record);
    truth_free(sim->truth);
    pthread_mutex_destroy(&sim->lock);
}

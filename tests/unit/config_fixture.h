/*
 * A directory of its own for each test of the configuration, in which files have short names, so
 * that messages can be compared as a whole.
 */
#ifndef KEYROTATED_TESTS_CONFIG_FIXTURE_H
#define KEYROTATED_TESTS_CONFIG_FIXTURE_H

#include "conf/config.h"

#define ACCOUNT_ID                                                                                 \
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/"                          \
    "default-azurebatch-japaneast/providers/Microsoft.Batch/batchAccounts/sampleacct"

/* The types of identities that this version has, as messages list them. */
#define IDENTITY_TYPES                                                                             \
    "client_secret, client_certificate, workload_identity, managed_identity or azure_cli"

/* The types of targets that this version has, as messages list them. */
#define TARGET_TYPES                                                                               \
    "file, exec, key_vault, hashicorp_vault, azure_app_settings, batch_auto_storage, webhook, "    \
    "socket, kubernetes_secret or systemd_credential"

/* 2026-11-22T12:00:00Z */
#define FIXTURE_NOW INT64_C(1795348800000)

/* Setup and teardown of a cmocka test: the working directory is a new, empty one. */
int config_fixture_enter(void **state);
int config_fixture_leave(void **state);

/* Writes a file, making conf.d where it is to lie in it. */
void config_fixture_write(const char *path, const char *text);

/* Loads k.yaml with an empty environment; `messages` is to be given back with
 * config_messages_done(). */
struct config *config_fixture_load(struct config_messages *messages);

/* Writes `text` as k.yaml, loads it, and expects exactly these messages. The configuration
 * is the caller's; NULL where there are errors. */
struct config *config_fixture_expect(const char *text, const char *expected_messages);

/* The lines of a configuration, each NULL for what a working one has. One line each, in this order,
 * so that places are easy to predict: version is on line 1, accounts on line 5. */
struct config_lines {
    const char *version;
    const char *identities;
    const char *policies;
    const char *targets;
    const char *accounts;
    const char *more; /* from line 6 on */
};

/* Writes the lines to a buffer of the caller. */
void config_fixture_compose(const struct config_lines *lines, char *out, size_t size);

#endif

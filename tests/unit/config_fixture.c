#include "config_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/keyrotated-conf-XXXXXX";
static bool entered;

int config_fixture_enter(void **state)
{
    (void)state;
    memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
    entered = mkdtemp(directory) && chdir(directory) == 0;
    return entered ? 0 : -1;
}

static void remove_files(const char *path)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;

    if (!stream)
        return;
    while ((entry = readdir(stream))) {
        char name[512];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR)
            remove_files(name);
        else
            (void)unlink(name);
    }
    closedir(stream);
    (void)rmdir(path);
}

int config_fixture_leave(void **state)
{
    (void)state;
    entered = false;
    remove_files(directory);
    return chdir("/");
}

void config_fixture_write(const char *path, const char *text)
{
    FILE *file;

    assert_true(entered); /* else the file would be left behind wherever the test was started */
    if (strncmp(path, "conf.d/", strlen("conf.d/")) == 0)
        (void)mkdir("conf.d", 0700);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

struct config *config_fixture_load(struct config_messages *messages)
{
    const struct config_environment environment = {.now = FIXTURE_NOW};

    config_messages_init(messages);
    return config_load("k.yaml", &environment, messages);
}

struct config *config_fixture_expect(const char *text, const char *expected_messages)
{
    struct config_messages messages;
    struct config *config;

    config_fixture_write("k.yaml", text);
    config = config_fixture_load(&messages);
    assert_string_equal(buf_str(&messages.text), expected_messages);
    assert_int_equal(!config, messages.error_count > 0);
    config_messages_done(&messages);
    return config;
}

static const char *line_or(const char *line, const char *usual)
{
    return line ? line : usual;
}

void config_fixture_compose(const struct config_lines *lines, char *out, size_t size)
{
    int length = snprintf(
        out, size, "%s\n%s\n%s\n%s\n%s\n%s", line_or(lines->version, "version: 1"),
        line_or(lines->identities, "identities: {vm: {type: managed_identity}}"),
        line_or(lines->policies, "policies: {standard: {max_key_age: 90d}}"),
        line_or(lines->targets, "targets: {file: {type: file, path: \"/keys/{account}\"}}"),
        line_or(lines->accounts, "accounts: [{id: " ACCOUNT_ID "}]"), line_or(lines->more, ""));

    assert_true(length > 0 && (size_t)length < size);
}

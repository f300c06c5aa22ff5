#include "io/log/log_private.h"

#include <string.h>

#include "base/cause.h"
#include "base/hash.h"

const char *log_alike_text(const struct log_line *line, const char *name)
{
    for (size_t i = 0; i < line->field_count; i++)
        if (strcmp(line->fields[i].name, name) == 0)
            return line->fields[i].text;
    return NULL;
}

static int64_t number_of(const struct log_line *line, const char *name)
{
    for (size_t i = 0; i < line->field_count; i++)
        if (!line->fields[i].text && strcmp(line->fields[i].name, name) == 0)
            return line->fields[i].number;
    return 0;
}

static uint64_t exact_hash(uint64_t hash, const char *text)
{
    return hash_byte(hash_bytes(hash, text, text ? strlen(text) : 0), 0);
}

uint64_t log_alike_kind(const struct log_line *line)
{
    return exact_hash(exact_hash(HASH_START, line->event), log_alike_text(line, "reason"));
}

uint64_t log_alike_subject(const char *event, const char *subject)
{
    return exact_hash(exact_hash(HASH_START, event), subject);
}

uint64_t log_alike_cause(const struct log_line *line)
{
    static const char *const fields[] = {"target",          "account",  "resource_group",
                                         "subscription_id", "location", "identity"};
    enum { COUNT = sizeof(fields) / sizeof(fields[0]) };
    const char *names[COUNT + 1];
    size_t count = 0;
    uint64_t hash = log_alike_kind(line);

    for (size_t i = 0; i < COUNT; i++) {
        const char *name = log_alike_text(line, fields[i]);

        if (name && name[0] != '\0')
            names[count++] = name;
    }
    names[count] = NULL;
    hash = cause_hash(hash, line->message, names);
    hash = exact_hash(hash, log_alike_text(line, "error_code"));
    return cause_hash_number(hash, number_of(line, "http_status"));
}

void log_alike_name(const struct log_line *line, struct buf *out)
{
    const char *account = log_alike_text(line, "account");
    const char *group = log_alike_text(line, "resource_group");

    if (account && group)
        buf_append_format(out, "%s/", group);
    if (!account)
        account = log_alike_text(line, "subscription_id");
    if (!account)
        account = log_alike_text(line, "identity");
    buf_append_str(out, account ? account : line->trouble);
}

static bool is_of_one_alone(const char *name)
{
    static const char *const names[] = {
        "account",     "resource_group",
        "location",    "policy",
        "slot",        "cycle",
        "target",      "fingerprint",
        "request_id",  "correlation_id",
        "attempt",     "retry_at",
        "next_at",     "client_request_id",
        "key_age_s",   "since",
        "actor",       "trigger",
        "duration_ms", "state",
        "waiting",     "subscription_id",
        "key_made_at",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void log_alike_keep_common(struct log_line *line)
{
    size_t kept = 0;

    for (size_t i = 0; i < line->field_count; i++)
        if (!is_of_one_alone(line->fields[i].name))
            line->fields[kept++] = line->fields[i];
    line->field_count = kept;
}

#include "base/json_writer.h"
#include "base/str.h"
#include "ctl/identify.h"
#include "ctl/status_text.h"

static enum key_use use_of(const struct found_key *key)
{
    const enum key_use use = key->known ? key_use_from_name(key->known->state) : KEY_UNKNOWN;

    return use == KEY_USE_COUNT ? KEY_UNKNOWN : use;
}

/* A scan meets many texts that only look like keys. */
static bool is_told(const struct findings *findings, const struct found_key *key)
{
    return !findings->of_scan || use_of(key) != KEY_UNKNOWN;
}

static bool is_whole(const struct findings *findings)
{
    return findings->skipped_count == 0 && !findings->cut_by;
}

enum ctl_exit identify_result(const struct findings *findings)
{
    static const enum ctl_exit results[KEY_USE_COUNT] = {
        [KEY_UNKNOWN] = CTL_UNKNOWN,
        [KEY_DEAD] = CTL_DEAD,
        [KEY_IDLE] = CTL_IDLE,
        [KEY_ACTIVE] = CTL_DONE,
    };
    enum key_use most = KEY_UNKNOWN;

    for (size_t i = 0; i < findings->key_count; i++)
        if (use_of(&findings->keys[i]) > most)
            most = use_of(&findings->keys[i]);
    return most == KEY_UNKNOWN && !is_whole(findings) ? CTL_NOT_DONE : results[most];
}

/* --- for people --- */

static void write_use(struct buf *out, const struct identified_key *key, enum key_use use,
                      time_ms now)
{
    char instant[CTL_TIME_MAX];

    if (use == KEY_DEAD) {
        ctl_write(out, "a former %s%skey: dead", key->slot ? key->slot : "", key->slot ? " " : "");
        if (key->dead_since != TIME_NEVER)
            ctl_write(out, " since %s", ctl_instant(key->dead_since, now, instant));
        else
            ctl_write(out, ", since when is not known");
        return;
    }
    ctl_write(out, "the %s key: live", ctl_shown(key->slot));
    if (use == KEY_IDLE)
        ctl_write(out, " and idle");
    else if (key->adopted)
        ctl_write(out, " and in use");
    else
        ctl_write(out, "; which key is in use is not known yet");
}

static void write_caveats(struct buf *out, const char *indent, const struct identified_key *key,
                          time_ms now)
{
    char instant[CTL_TIME_MAX];

    if (key->overlap_until != TIME_NEVER)
        ctl_write(out, "%s    consumers that have not read the new key yet may use it until %s\n",
                  indent, ctl_instant(key->overlap_until, now, instant));
    if (key->regenerating)
        ctl_write(out, "%s    it is being replaced: it may be dead at any moment\n", indent);
    if (key->unconfirmed)
        ctl_write(out,
                  "%s    the last look showed that a key was changed by somebody else, which a "
                  "second look has to confirm\n",
                  indent);
    if (!key->configured)
        ctl_write(out,
                  "%s    the account is no longer in the configuration: this was so when it was "
                  "last looked at, %s\n",
                  indent, ctl_instant(key->looked_at, now, instant));
}

static void write_key(struct buf *out, const struct findings *findings,
                      const struct found_key *found, time_ms now)
{
    const char *indent = findings->of_scan ? "    " : "";
    const struct identified_key *key = found->known;
    const enum key_use use = use_of(found);

    if (use == KEY_UNKNOWN) {
        ctl_write(out, "unknown: no account has this key, or is known to have had it\n");
        if (findings->is_more_than_key)
            ctl_write(
                out,
                "    it is more than a key: give the key alone, or let `keyrotatectl identify "
                "--scan FILE` find the keys in a file\n");
        return;
    }
    ctl_write(out, "%s", indent);
    if (key->resource_group)
        ctl_write(out, "%s/", key->resource_group);
    ctl_write(out, "%s: ", ctl_shown(key->name));
    write_use(out, key, use, now);
    (void)buf_append_char(out, '\n');
    write_caveats(out, indent, key, now);
}

static void write_end_of_scan(struct buf *out, const struct findings *findings, size_t keys,
                              size_t files)
{
    ctl_write(out, "%zu %s in %zu of %zu %s\n", keys, str_plural(keys, "key", "keys"), files,
              findings->files_read, str_plural(findings->files_read, "file", "files"));
}

void identify_write_text(struct buf *out, const struct findings *findings, time_ms now)
{
    size_t told = 0, files = 0, file = 0;

    for (size_t i = 0; i < findings->key_count; i++) {
        const struct found_key *key = &findings->keys[i];

        if (!is_told(findings, key))
            continue;
        if (findings->of_scan && (files == 0 || key->file != file)) {
            ctl_write(out, "%s\n", findings->files[key->file]);
            file = key->file;
            files++;
        }
        write_key(out, findings, key, now);
        told++;
    }
    if (findings->of_scan)
        write_end_of_scan(out, findings, told, files);
}

/* --- for programs --- */

static void write_scan(struct buf *out, const struct findings *findings)
{
    json_write_number(out, "files", findings->files_read);
    json_write_open(out, "skipped", '[');
    for (size_t i = 0; i < findings->skipped_count && i < SCAN_SKIPPED_NAMED; i++) {
        json_write_open(out, NULL, '{');
        json_write_text(out, "path", findings->skipped[i].path);
        json_write_text(out, "why", findings->skipped[i].why);
        json_write_close(out, '}');
    }
    json_write_close(out, ']');
    json_write_bool(out, "whole", is_whole(findings));
}

void identify_write_json(struct buf *out, const struct findings *findings, time_ms now)
{
    json_write_open(out, NULL, '{');
    json_write_time(out, "now", now);
    json_write_open(out, "keys", '[');
    for (size_t i = 0; i < findings->key_count; i++) {
        const struct found_key *key = &findings->keys[i];

        if (!key->known || !is_told(findings, key))
            continue;
        json_write_open(out, NULL, '{');
        json_write_text(out, "path", findings->of_scan ? findings->files[key->file] : NULL);
        control_identify_members(out, key->known);
        json_write_close(out, '}');
    }
    json_write_close(out, ']');
    if (findings->of_scan)
        write_scan(out, findings);
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

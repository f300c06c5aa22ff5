#include "proto/control_identify.h"

#include <errno.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "base/encoding.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "proto/snapshot.h"

enum { SALT_TEXT_MAX = 2 * FINGERPRINT_SALT_LENGTH + 1 };

static const char *const use_names[KEY_USE_COUNT] = {
    [KEY_UNKNOWN] = "unknown",
    [KEY_DEAD] = "dead",
    [KEY_IDLE] = "idle",
    [KEY_ACTIVE] = "active",
};

const char *key_use_name(enum key_use use)
{
    return use_names[use];
}

enum key_use key_use_from_name(const char *name)
{
    int use = 0;

    while (use < KEY_USE_COUNT && !str_equal(name, use_names[use]))
        use++;
    return (enum key_use)use;
}

static const struct snapshot_member members[] = {
    SNAPSHOT_MEMBER(identified_key, TEXT, fingerprint, "fingerprint"),
    SNAPSHOT_MEMBER(identified_key, TEXT, state, "state"),
    SNAPSHOT_MEMBER(identified_key, TEXT, id, "id"),
    SNAPSHOT_MEMBER(identified_key, TEXT, name, "account"),
    SNAPSHOT_MEMBER(identified_key, TEXT, resource_group, "resource_group"),
    SNAPSHOT_MEMBER(identified_key, TEXT, slot, "slot"),
    SNAPSHOT_MEMBER(identified_key, BOOL, adopted, "adopted"),
    SNAPSHOT_MEMBER(identified_key, BOOL, configured, "configured"),
    SNAPSHOT_MEMBER(identified_key, BOOL, unconfirmed, "unconfirmed"),
    SNAPSHOT_MEMBER(identified_key, BOOL, regenerating, "regenerating"),
    SNAPSHOT_MEMBER(identified_key, TIME, dead_since, "dead_since"),
    SNAPSHOT_MEMBER(identified_key, TIME, overlap_until, "overlap_until"),
    SNAPSHOT_MEMBER(identified_key, TIME, looked_at, "looked_at"),
};
static const struct snapshot_table key_table = SNAPSHOT_TABLE(identified_key, members);

/* --- writing --- */

void control_identify_start(struct buf *out, time_ms now,
                            const uint8_t salt[FINGERPRINT_SALT_LENGTH])
{
    char hex[SALT_TEXT_MAX];

    hex_encode(salt, FINGERPRINT_SALT_LENGTH, hex);
    json_write_open(out, NULL, '{');
    json_write_time(out, "now", now);
    json_write_text(out, "salt", hex);
    json_write_open(out, "keys", '[');
}

void control_identify_members(struct buf *out, const struct identified_key *key)
{
    snapshot_write(out, &key_table, key, TIME_NEVER);
}

void control_identify_key(struct buf *out, const struct identified_key *key)
{
    snapshot_write_object(out, NULL, &key_table, key, TIME_NEVER);
}

void control_identify_end(struct buf *out)
{
    json_write_close(out, ']');
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

/* --- reading --- */

int control_identify_parse(const char *text, size_t length, struct control_identity *identity,
                           struct err *err)
{
    void *keys = NULL;
    const char *salt;
    int rc;

    *identity = (struct control_identity){.now = TIME_NEVER};
    identity->document = json_parse(text, length, err);
    if (!identity->document)
        return err && err->code == -ENOMEM ? -ENOMEM : -EBADMSG;
    salt = json_string(identity->document, "salt");
    identity->now = snapshot_read_time(identity->document, "now");
    if (!salt || !hex_decode(salt, identity->salt, FINGERPRINT_SALT_LENGTH)) {
        control_identify_done(identity);
        return err_set(err, -EBADMSG, "the daemon's answer is no document about keys");
    }
    rc = snapshot_read_list(identity->document, "keys", &key_table, &keys, &identity->key_count);
    identity->keys = keys;
    if (rc != 0) {
        control_identify_done(identity);
        return err_set(err, rc, "no memory for the daemon's answer");
    }
    return 0;
}

void control_identify_done(struct control_identity *identity)
{
    free(identity->keys);
    if (identity->document)
        json_object_put(identity->document);
    *identity = (struct control_identity){.now = TIME_NEVER};
}

int control_identify_path(const struct fingerprint *sought, size_t count, struct buf *out)
{
    (void)buf_append_str(out, "/v1/identify");
    for (size_t i = 0; i < count; i++) {
        char hex[FINGERPRINT_TEXT_MAX];

        hex_encode(sought[i].bytes, FINGERPRINT_LENGTH, hex);
        (void)buf_append_format(out, "%cfingerprint=%s", i == 0 ? '?' : '&', hex);
    }
    return out->failed;
}

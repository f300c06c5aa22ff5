/*
 * The document that says whose keys these are, and whether they are live.
 *
 *    GET /v1/identify?fingerprint=HEX&fingerprint=HEX
 *
 * Who asks has the keys and sends their fingerprints alone; the document also has the salt with
 * which these are made (proto/key_fingerprint.h). Pure, like the rest of the protocol.
 */
#ifndef KEYROTATED_PROTO_CONTROL_IDENTIFY_H
#define KEYROTATED_PROTO_CONTROL_IDENTIFY_H

#include "proto/control_protocol.h"
#include "proto/key_fingerprint.h"

enum key_use {
    KEY_UNKNOWN, /* no account has it, or is known to have had it */
    KEY_DEAD,
    KEY_IDLE,   /* live; no target is given it */
    KEY_ACTIVE, /* live and in use */
    KEY_USE_COUNT
};
const char *key_use_name(enum key_use use);
/* KEY_USE_COUNT: it is none of these names. */
enum key_use key_use_from_name(const char *name);

/* A key that was asked about. Texts may be NULL (not known) and are borrowed. */
struct identified_key {
    const char *fingerprint; /* hex */
    const char *state;       /* the name of its enum key_use */
    const char *id;          /* of the account; NULL: the key is unknown. Like this, those below */
    const char *name;
    const char *resource_group;
    const char *slot;      /* where it stands, or stood */
    bool adopted;          /* false: which of the account's keys is in use is not known yet */
    bool configured;       /* false: the account has been left, and is looked at no more */
    bool unconfirmed;      /* the last look showed what only a second one can confirm */
    bool regenerating;     /* Azure may be replacing it now */
    time_ms dead_since;    /* dead: at the latest; TIME_NEVER: not known */
    time_ms overlap_until; /* idle: consumers may use it until then; TIME_NEVER: no longer */
    time_ms looked_at;     /* the last look that succeeded; TIME_NEVER: none */
};

/* Writes the document: start, the keys in the order of the question, end. */
void control_identify_start(struct buf *out, time_ms now,
                            const uint8_t salt[FINGERPRINT_SALT_LENGTH]);
void control_identify_key(struct buf *out, const struct identified_key *key);
void control_identify_end(struct buf *out);
/* The members of a key, inside of an object that is open. */
void control_identify_members(struct buf *out, const struct identified_key *key);

/* The document as it was read. All texts live as long as it does. */
struct control_identity {
    time_ms now;
    uint8_t salt[FINGERPRINT_SALT_LENGTH];
    struct identified_key *keys;
    size_t key_count;
    struct json_object *document; /* owns the texts */
};

/* Returns 0, -EBADMSG (not such a document), or -ENOMEM. On failure *identity is empty. */
int control_identify_parse(const char *text, size_t length, struct control_identity *identity,
                           struct err *err);
void control_identify_done(struct control_identity *identity);

/* The path that asks about these, at most CONTROL_SOUGHT_MAX. Returns out->failed. */
int control_identify_path(const struct fingerprint *sought, size_t count, struct buf *out);

#endif

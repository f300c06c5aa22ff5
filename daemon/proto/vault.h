/*
 * Secrets of HashiCorp Vault and OpenBao in the KV engines of both versions: requests and answers
 * as data.
 *
 * An object is all fields at one path. Version 2 keeps earlier versions of it, and a write names
 * the version that it replaces (check-and-set), so that it never overwrites what nobody has read.
 *
 * Sources: HashiCorp, "KV secrets engine - version 1 (API)", "KV secrets engine - version 2 (API)",
 * "/sys/capabilities-self", "/sys/internal/ui/mounts" and "HTTP API" (headers, status codes).
 */
#ifndef KEYROTATED_PROTO_VAULT_H
#define KEYROTATED_PROTO_VAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/time.h"
#include "proto/http_message.h"

enum vault_engine { VAULT_KV2, VAULT_KV1 };

/* One object. Texts are borrowed. */
struct vault_object {
    const char *address;    /* URL without a slash at its end */
    const char *name_space; /* NULL: the root namespace */
    const char *mount;      /* "secret": without slashes at its ends */
    const char *path;       /* "batch/sampleacct": likewise */
    enum vault_engine engine;
};

/* One call costs at most so long. */
#define VAULT_DEADLINE (30 * MS_SECOND)

/*
 * A request with the headers that all have: X-Vault-Request, which the server may demand against
 * forged requests, the namespace unless it is NULL, and the token unless that is NULL. `url` may be
 * followed by more.
 */
void vault_request_init(struct http_request *request, const char *method, const char *address,
                        const char *name_space, const struct secret *token);

/*
 * The builders return 0, -ENOMEM, or -EMSGSIZE where a part is too long or holds a character that a
 * header must not hold; the request is to be given to http_request_done() in any case.
 */

/* Reads the newest version. */
int vault_read_request(struct http_request *request, const struct vault_object *object,
                       const struct secret *token);

/* Replaces the object by `data`, the text of a JSON object. Version 2: if `version` is still the
 * newest one (0: there never was one). */
int vault_write_request(struct http_request *request, const struct vault_object *object,
                        const struct secret *token, const struct buf *data, uint64_t version);

/* Asks for the kind and version of the engine. */
int vault_mount_request(struct http_request *request, const struct vault_object *object,
                        const struct secret *token);

/* Asks what the token may do with the object; changes nothing. */
int vault_capabilities_request(struct http_request *request, const struct vault_object *object,
                               const struct secret *token);

/* The path of the object as policies and the API write it: "secret/data/batch/sampleacct". 0 or the
 * buffer's error. */
int vault_append_api_path(struct buf *out, const struct vault_object *object);

/* --- answers --- */

enum vault_presence {
    VAULT_ABSENT,  /* nothing was ever written */
    VAULT_DELETED, /* the newest version was deleted or destroyed */
    VAULT_PRESENT
};

struct vault_content {
    enum vault_presence presence;
    uint64_t version;             /* version 2: the newest one; 0: there is none */
    time_ms created_at;           /* version 2: when it was written; 0: not known */
    time_ms deletes_at;           /* version 2: when it deletes itself, or TIME_NEVER */
    struct json_object *data;     /* VAULT_PRESENT: the fields; borrowed from `document` */
    struct json_object *document; /* owned */
};

/* Reads the answer to a read. Returns 0, -EBADMSG where it is no such answer (see
 * proto/vault_failure.h for what it is), or -ENOMEM. vault_content_done() in any case. */
int vault_read_answer(struct vault_content *content, const struct http_reply *reply,
                      enum vault_engine engine);
/* Appends every string in the fields, each on a line, to `out`, which wipes itself. 0 or the
 * buffer's error. */
int vault_content_text(const struct vault_content *content, struct buf *out);
/* Wipes and frees. */
void vault_content_done(struct vault_content *content);

/* Did a write succeed? 0, -EBADMSG or -ENOMEM. */
int vault_write_answer(const struct http_reply *reply, enum vault_engine engine);

/* The version of the KV engine that a mount has: 1 or 2; 0: the answer does not say, or it is
 * another kind of engine (`ret_type` then has its name, if any). -ENOMEM. */
int vault_mount_answer(const struct http_reply *reply, char *ret_type, size_t size);

struct vault_capabilities {
    bool read, create, update;
};

/* 0, -EBADMSG where the answer does not say, or -ENOMEM. */
int vault_capabilities_answer(struct vault_capabilities *may, const struct http_reply *reply,
                              const struct vault_object *object);

#endif

/*
 * Targets: the places where consumers read a key. One interface for all types; each type has its
 * own file (target_type.h). Every operation runs outside the loop and ends in exactly one
 * completion, always from the loop.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_H
#define KEYROTATED_IO_TARGET_TARGET_H

#include "base/secret.h"
#include "conf/config.h"
#include "core/look.h"
#include "io/access/token.h"
#include "io/http/http.h"
#include "io/loop/loop.h"
#include "io/spawner/spawner.h"

/* The content to deliver. Borrowed until the call returns. */
struct delivery {
    const struct account *account;
    const char *endpoint; /* data plane host of the account; NULL: not known */
    const char *location; /* for {location}; NULL: not known */
    enum slot slot;
    const struct secret *key; /* base64 text */
    const char *key_id;       /* NULL: it has none */
    uint64_t cycle;
    time_ms delivered_at;
};

/* State of what stands around the key at a destination: mode, owner and group of a file, as far as
 * they are configured; the life of a version, or its date of expiry, in a vault. */
enum target_form {
    TARGET_FORM_RIGHT, /* as configured, or not configured */
    TARGET_FORM_SET,   /* they differed and have been corrected in place */
    TARGET_FORM_WRONG  /* they are others */
};
enum { TARGET_FORM_TEXT_MAX = 256, TARGET_FORM_REMEDY_MAX = 320, TARGET_OUTPUT_MAX = 2048 };

/* News for people. Borrowed until the call returns. */
struct target_news {
    const char *id;      /* the same for each attempt */
    const char *event;   /* "account.blocked" */
    const char *account; /* its name */
    const char *json;    /* one object on one line, without a key */
    time_ms at;
};

/* The result of an operation. */
struct target_result {
    const struct failure *failure; /* NULL: it worked */
    bool canceled;
    bool changed;             /* deliver: the destination held something else before */
    struct sighting sighting; /* read; `target` is filled in */
    struct secret *keys[SIGHTING_KEYS_MAX]; /* read: the keys found, parallel to sighting.keys; the
                                               callee takes those it keeps by setting them NULL */
    enum target_form form;                  /* read */
    const char *form_text;   /* a sentence beginning with "its" about a form that is or was wrong */
    const char *form_remedy; /* with the placeholders of proto/remedy.h; "": the usual one */
    const char *output; /* deliver: what a program wrote, on one line, without keys; NULL: nothing.
                         * A program that is given up has none */
};
typedef void target_done(void *context, struct target_result *result);

typedef struct fingerprint target_fingerprint(void *context, const char *key, size_t length);

/* Operations, grouped by what can hang as a whole: io/target/target_queue.h. All zero: empty. */
struct target_queue {
    struct target_lane **buckets; /* a hash table of lanes */
    size_t bucket_count;          /* a power of two */
    size_t lane_count;
    size_t running; /* begun and not ended; some may have been reported as hanging */
};

/* Shared by all operations; must outlive them. Unset members are zero. */
struct target_world {
    struct loop *loop;
    struct http *http;
    struct token_cache *tokens;
    struct spawner *spawner;           /* starts programs; NULL: none can be started */
    const char *credentials_directory; /* where relative files are looked up; NULL: nowhere */
    target_fingerprint *fingerprint;   /* called from the loop */
    void *fingerprint_context;
    duration_ms timeout; /* of one operation; 0: TARGET_TIMEOUT */
    bool canceled;
    struct target_queue queue;
    struct target_job *started; /* by the last start() of a type */
    struct key_vault_hosts
        *key_vaults; /* whose challenge was good (key_vault_hosts.h); NULL: none */
    struct vault_session *vault_sessions; /* the logins at HashiCorp Vault */
    struct told_unit *units;              /* that were told lately */
};

/*
 * An operation that takes longer fails with REASON_TARGET_FAILED; a delivery's outcome may then be
 * unknown. A thread that hangs in a dead network file system cannot be stopped, so no other
 * operation on that destination starts until it returns.
 */
#define TARGET_TIMEOUT MS_MINUTE

/* For shutdown: ends all present and later operations as `canceled` within a turn of the loop. When
 * a thread cannot be stopped, the outcome of its operation is also unknown. */
void target_cancel_all(struct target_world *world);

/* Is an operation still under way, canceled or not? Then the process must end with _exit(), because
 * its thread uses the world. */
bool target_is_busy(const struct target_world *world);

/* Frees what the operations left behind for later ones. None may be under way. Timers close from
 * the loop, which does not need the world any more. */
void target_world_done(struct target_world *world);

/* The id of a destination in the journal. It changes with the place and the form (type, path,
 * format, mode, group), so that a changed form is delivered again. {location} is not expanded: the
 * id is needed before Azure has answered, and an account never moves. */
struct target_id target_identify(const struct destination *destination);

/* "file /var/lib/…/sampleacct": for people. Writes at most `size` bytes. */
void target_describe(const struct destination *destination, const char *location, char *out,
                     size_t size);

bool target_is_readable(const struct destination *destination);
/* True when an operation has no later effect once it has ended or the process has died. */
bool target_settles_at_once(const struct destination *destination);

/* An operation under way: until its done() is called. */
struct target_job;

/* Nobody needs the operation any more: it ends as failed within a turn of the loop, for the reason
 * `why`, a static sentence without a full stop. A delivery that was begun may have an unknown
 * outcome. One that is about to report its result reports that. */
void target_give_up(struct target_job *job, const char *why);

/*
 * The operations. `destination`, `location` and `delivery` are borrowed until the call returns, so
 * that a reload may replace the configuration meanwhile.
 */
/* Checks whether a delivery would work now. */
struct target_job *target_probe(struct target_world *world, const struct destination *destination,
                                const char *location, target_done *done, void *context);
/* Reads the destination. A missing place is SIGHTING_EMPTY, not a failure. `set_form` corrects a
 * configured mode and group in place. */
struct target_job *target_read(struct target_world *world, const struct destination *destination,
                               const char *location, bool set_form, target_done *done,
                               void *context);
/* Tells news to a destination of type exec, socket or webhook. News never wait for deliveries, nor
 * these for news. */
void target_tell(struct target_world *world, const struct destination *destination,
                 const struct target_news *news, target_done *done, void *context);
struct target_job *target_deliver(struct target_world *world, const struct destination *destination,
                                  const struct delivery *delivery, target_done *done,
                                  void *context);

#endif

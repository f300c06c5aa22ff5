/*
 * Targets: the places where consumers pick a key up.
 *
 * One interface for all types; what is particular to a type stands in its own file
 * (target_type.h). Every operation runs off the loop and ends in exactly one completion, always
 * from the loop.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_H
#define KEYROTATED_IO_TARGET_TARGET_H

#include "base/secret.h"
#include "conf/config.h"
#include "core/look.h"
#include "io/loop/loop.h"

/* What is delivered. Borrowed until the call returns. */
struct delivery {
    const struct account *account;
    const char *endpoint; /* data plane host of the account; NULL: not known */
    const char *location; /* for {location}; NULL: not known */
    enum slot slot;
    const struct secret *key; /* base64 text */
    uint64_t cycle;
    time_ms delivered_at;
};

/* Mode and group of what stands at a destination, where the configuration names them. */
enum target_form {
    TARGET_FORM_RIGHT, /* as configured, or nothing is configured */
    TARGET_FORM_SET,   /* they were others, and have been set right in place */
    TARGET_FORM_WRONG  /* they are others */
};
enum { TARGET_FORM_TEXT_MAX = 256 };

/* What came of an operation. */
struct target_result {
    const struct failure *failure; /* NULL: it worked */
    bool canceled;
    bool changed;             /* deliver: the destination held something else before */
    struct sighting sighting; /* read; `target` is filled in */
    struct secret *keys[SIGHTING_KEYS_MAX]; /* read: the keys found, parallel to sighting.keys; the
                                               callee takes those it keeps by setting them NULL */
    enum target_form form;                  /* read */
    const char *form_text; /* of a form that is or was wrong: a sentence that begins with "its" */
};
typedef void target_done(void *context, struct target_result *result);

typedef struct fingerprint target_fingerprint(void *context, const char *key, size_t length);

/* Operations by what they may hang in: io/target/target_queue.h. All zero: none. */
struct target_queue {
    struct target_lane **buckets; /* a hash table of lanes */
    size_t bucket_count;          /* a power of two */
    size_t lane_count;
    size_t running; /* on a thread; some may have been reported as hanging */
};

/* Shared by all operations; must outlive them. Members that are not set are zero. */
struct target_world {
    struct loop *loop;
    target_fingerprint *fingerprint; /* called from the loop */
    void *fingerprint_context;
    duration_ms timeout; /* of one operation; 0: TARGET_TIMEOUT */
    bool canceled;
    struct target_queue queue; /* of the operations that run on threads */
};

/*
 * An operation that takes longer has failed with REASON_TARGET_FAILED; a delivery's outcome is then
 * unknown. A thread that hangs in a dead network file system cannot be called back, so nothing else
 * is done at that destination until it returns.
 */
#define TARGET_TIMEOUT MS_MINUTE

/* Shutdown: every operation under way, and every later one, ends within a turn of the loop as
 * `canceled`; those whose thread cannot be stopped, as failures of unknown outcome too. */
void target_cancel_all(struct target_world *world);

/* Does a thread still work for one of them, be it canceled or not? Then the process has to leave
 * with _exit(): exit() waits for libuv's threads. */
bool target_is_busy(const struct target_world *world);

/* The name of a destination in the journal: changes when the place or the form of what is written
 * there changes (type, path, format, mode, group), so that a changed form is delivered again.
 * {location} stays as it stands: the name must be there before Azure has been asked, and an account
 * never moves. */
struct target_id target_identify(const struct destination *destination);

/* "file /var/lib/…/sampleacct": for people. Writes at most `size` bytes. */
void target_describe(const struct destination *destination, const char *location, char *out,
                     size_t size);

bool target_is_readable(const struct destination *destination);
/* Once an operation has ended, or the process has died, nothing of it can take effect later. */
bool target_settles_at_once(const struct destination *destination);

/*
 * The three operations. `destination`, `location` and `delivery` are borrowed until the call
 * returns, so that a reload may replace the configuration meanwhile.
 */
/* Could a delivery work right now? */
void target_probe(struct target_world *world, const struct destination *destination,
                  const char *location, target_done *done, void *context);
/* What does it hold? A place that is not there is SIGHTING_EMPTY, not a failure. With `set_form`
 * mode and group are set right in place, where they are configured and differ. */
void target_read(struct target_world *world, const struct destination *destination,
                 const char *location, bool set_form, target_done *done, void *context);
void target_deliver(struct target_world *world, const struct destination *destination,
                    const struct delivery *delivery, target_done *done, void *context);

#endif

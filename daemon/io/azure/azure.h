/*
 * The Azure side of a rotation: look, regenerate, poll, verify. Each call runs its requests (token,
 * admission, ARM or the data plane) and ends in exactly one completion, always from the loop. The
 * account keys it saw stay in its azure_account, as secrets with their fingerprints; all other code
 * works with the fingerprints. Nothing is retried here, with one exception: a 401 is answered once
 * with a fresh token, which is safe because a request that was not authorised had no effect.
 */
#ifndef KEYROTATED_IO_AZURE_AZURE_H
#define KEYROTATED_IO_AZURE_AZURE_H

#include "base/secret.h"
#include "conf/config.h"
#include "core/event.h"
#include "io/access/access.h"
#include "io/http/http.h"
#include "io/loop/loop.h"
#include "proto/two_key/neighbours.h"
#include "proto/two_key/unchanged.h"

struct azure;
struct two_key_probe_form;

/* The state of one account at Azure. Owned by the caller. */
struct azure_account {
    const struct account *account; /* borrowed; set anew after a reload */
    char *endpoint;                /* data plane host, as last described; NULL: not known */
    char *location;                /* the same */
    unsigned port;                 /* the same of its port; 0: not known */
    const struct two_key_probe_form *probe; /* for its kind, as last described; NULL: not known */
    struct secret *keys[SLOT_COUNT]; /* the live keys of the last look or regenerate; may be NULL */
    char *key_ids[SLOT_COUNT];       /* of the last look; NULL where keys have none */
    struct fingerprint fingerprints[SLOT_COUNT];
    duration_ms
        describe_after;  /* boot time: Azure asked for a pause of description requests until then */
    int describe_status; /* and answered so */
    struct admission_server manager, data_plane; /* who answers for it */

    /* of a type with a rewrite */
    struct two_key_unchanged unchanged; /* as descriptions have shown it */
    duration_ms unchanged_for;          /* so long before its keys are written back; set by the
                                         * caller, as are the other accounts of the resource */
    const struct two_key_neighbour *neighbours; /* borrowed while a call is under way */
    size_t neighbour_count;
};
void azure_account_done(struct azure_account *account);
/* Restores what an earlier process has seen; "" means unknown. An endpoint that is no host is
 * ignored, because it goes into requests. */
void azure_account_recall(struct azure_account *account, const char *endpoint,
                          const char *location);
/* Wipes the keys; the rest stays. */
void azure_account_forget_keys(struct azure_account *account);

/* The fingerprint of key bytes with this journal's salt. */
typedef struct fingerprint fingerprint_function(void *context, const char *key, size_t length);

/* `access` outlives it. */
struct azure *azure_new(struct loop *loop, struct http *http, struct access *access,
                        fingerprint_function *fingerprint, void *fingerprint_context);
/* New settings (cloud) for what starts from now on. Takes a reference. To be
 * called before the first look. */
void azure_set_config(struct azure *azure, struct config *config);
/* Everything under way completes as canceled first; then closed() from the loop. */
void azure_close(struct azure *azure, void (*closed)(void *context), void *context);

/* failure NULL: it worked. The pointers are valid during the call. */
struct azure_result {
    const struct failure *failure;
    /* look: the description was read less than AZURE_DESCRIPTION_FRESH before the keys, and says
     * nothing against regenerating one. Otherwise `description` says why; NULL: it was not read. */
    bool described;
    const struct failure *description; /* regenerate: see operation_url */
    bool canceled; /* failure is set too: it says whether the request may have taken effect */
    struct fingerprint live[SLOT_COUNT]; /* look and regenerate */
    time_ms
        made[SLOT_COUNT];   /* look: when Azure says that they were made, unchecked; 0: not told */
    bool shown[SLOT_COUNT]; /* regenerate: the answer held that key */
    /* regenerate: Azure goes on with it after its answer, and tells how it goes where azure_poll()
     * asks `operation_url`; NULL: nobody can tell, and `description` may say why. */
    bool under_way;
    const char *operation_url;
    enum operation_state operation_state; /* poll; FAILED: failure is that of the operation */
    duration_ms poll_after;               /* Azure asks for this pause before a poll; 0: not */
    duration_ms clock_skew;               /* server minus us, from the Date headers; 0: none seen */
    char client_request_id[FAILURE_ID_MAX];
    char request_id[FAILURE_ID_MAX];
    char correlation_id[FAILURE_ID_MAX];
    duration_ms duration;
};
typedef void azure_done(void *context, const struct azure_result *result);

#define AZURE_DESCRIPTION_FRESH (30 * MS_SECOND)

struct azure_call;

struct azure_look_wish {
    bool describe;              /* read the description, too; without, only where no endpoint is
                                   known */
    bool urgent;                /* it serves a repair: it goes before all other requests */
    bool precedes_regenerate;   /* nothing is described where the list does not fit the account's
                                   neighbours */
    const char *correlation_id; /* groups the requests of one rotation in Azure's activity log */
};

/*
 * `account` stays where it is until done(), and its `account` member belongs to the configuration
 * that was set last.
 *
 * GET of the account where it is wished for, then listKeys. The keys make the look: where the
 * description cannot be had, or says that the keys are switched off, the look goes on and tells so.
 * One that says that there is no account yet, or no longer, ends it. Fills endpoint, location, keys
 * and fingerprints of `account`, each as far as it was shown.
 */
struct azure_call *azure_look(struct azure *azure, struct azure_account *account,
                              const struct azure_look_wish *wish, azure_done *done, void *context);

/* POST regenerateKeys, once; for types without it a GET, a list and the PUT of the resource, where
 * only a failure of the PUT can be failure->outcome_unknown. The PUT is sent only where the
 * resource has been unchanged for account->unchanged_for, and the list fits its neighbours. An
 * answer that cannot be read, or a connection that dies, is failure->outcome_unknown. Where the
 * answer holds keys, they are those of `account` now. */
struct azure_call *azure_regenerate(struct azure *azure, struct azure_account *account,
                                    enum slot slot, const char *correlation_id, azure_done *done,
                                    void *context);

/* Asks how a regenerate goes, at the `operation_url` of its answer. A URL that is none of the
 * configured resource manager is not asked: OPERATION_FORGOTTEN. */
struct azure_call *azure_poll(struct azure *azure, struct azure_account *account, const char *url,
                              const char *correlation_id, azure_done *done, void *context);

/* Does the data plane accept this key (of a slot, or one read from a target)? REASON_KEY_REFUSED:
 * it refused the key; REASON_NETWORK, …: no clear answer. Needs `endpoint` from an earlier look. */
struct azure_call *azure_verify(struct azure *azure, struct azure_account *account,
                                const struct secret *key, azure_done *done, void *context);

void azure_cancel(struct azure_call *call);

/* A pause that Azure has asked for. */
struct azure_pause {
    duration_ms wait;  /* how long it lasts yet, as far as is known */
    char provider[64]; /* whose requests are meant, "Microsoft.Storage"; "": all of the subscription
                        */
};

/* Would a call wait that is made now, because Azure has asked for a pause of the whole subscription
 * or of the account's provider in it? Then *ret_pause says which. */
bool azure_is_throttled(struct azure *azure, const struct azure_account *account,
                        struct azure_pause *ret_pause);
/* Does a call wait for that which was made already? Then *ret_wait is how long, as above. */
bool azure_call_is_throttled(const struct azure_call *call, duration_ms *ret_wait);

#endif

/* The data planes of the types but Batch: under which host each is asked, how a consumer proves
 * that it has a key, and what is answered. Just enough of them to say whether a key opens the door.
 */
#ifndef AZURESIM_DOORS_H
#define AZURESIM_DOORS_H

#include <stdbool.h>
#include <stddef.h>

#include "sim.h"

#define DOOR_MAX_WORDS  10
#define DOOR_MAX_ROUTES 4

/* The shapes of errors. */
enum door_shape {
    SHAPE_ARM,      /* {"error":{"code","message"}} */
    SHAPE_FLAT,     /* {"code","message"} */
    SHAPE_NUMBERED, /* {"statusCode","message"} */
    SHAPE_REGISTRY, /* {"errors":[{"code","message"}]} */
    SHAPE_XML,      /* <Error><Code>CODE</Code><Message>, and x-ms-error-code */
    SHAPE_DETAIL,   /* <Error><Code>STATUS</Code><Detail> */
};

/* How a key is proved. */
enum door_proof {
    PROOF_SENT, /* the key itself is sent: in one of the headers or the query parameter */
    PROOF_BASIC,
    PROOF_STORAGE,
    PROOF_TABLE,
    PROOF_COSMOS,
    PROOF_HMAC,
    PROOF_HMAC_WITH_ID,
    PROOF_TOKEN,
    PROOF_ACCESS,
    PROOF_DEVICE,
};

struct door_refusal {
    int status;
    const char *code, *message;
};

/* What is answered to somebody with a good key. In PATH "*" is any one segment. */
struct door_route {
    const char *method, *path;
    int status;
    const char *type, *body;
};

struct door {
    const char *domain; /* "blob.localhost" */
    bool is_bare;       /* that is the host itself; the account is found by the key */
    const char *words[DOOR_MAX_WORDS]; /* of the types */
    size_t name_index;                 /* which of the account's names is the first label */
    enum door_proof proof;
    const char *headers[2]; /* PROOF_SENT */
    const char *query;
    const char *scheme; /* before the key in the header: "Bearer " */
    enum door_shape shape;
    const char *version;                  /* this query parameter must be there; NULL: none */
    struct door_refusal none, wrong, off; /* no key, a wrong one, keys are off */
    struct door_refusal unknown;          /* no such place; status 0: 404 */
    struct door_route routes[DOOR_MAX_ROUTES];
};

/* The row at that index; NULL: there are fewer. */
const struct door *door_at(size_t index);

/* The door that the request's host is, or NULL. */
const struct door *door_of(const struct http_request *request);

/* Does the account lie behind it, and does LABEL (unused where it is bare) name it? */
bool door_leads_to(const struct door *door, const struct account *account, const char *label);

void door_error(const struct door *door, struct http_reply *reply, int status, const char *code,
                const char *message);

#endif

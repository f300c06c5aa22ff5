/* The fault rules: which request fails, and how. Rules are tried in the order they were added; the
 * first that matches and wins its throw of the dice is carried out. Callers hold the simulator's
 * lock; what faults_pick() hands out is a copy that needs no lock. */
#ifndef AZURESIM_FAULTS_H
#define AZURESIM_FAULTS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "settings.h"

#define FAULTS_MAX_RULES 1000

enum fault_kind {
    FAULT_NONE,
    FAULT_LOST_BEFORE,
    FAULT_LOST_AFTER,
    FAULT_HANG,
    FAULT_HANG_AFTER,
    FAULT_RESET,
    FAULT_TRUNCATE,
    FAULT_GARBAGE,
    FAULT_WRONG_JSON,
    FAULT_OVERSIZED,
    FAULT_STATUS,
    FAULT_THROTTLE,
    FAULT_LATE_EFFECT,
    FAULT_DELAY,
    FAULT_SKEW_DATE,
    FAULT_STALE_LIST,
    FAULT_MEMBER,
    FAULT_BOM,
    FAULT_GZIP,
    FAULT_REDIRECT,
    FAULT_PAGE,
    FAULT_KIND_COUNT,
};

struct fault {
    enum fault_kind kind;
    bool takes_effect; /* the service does what was asked, whatever the client gets to see */
    int status;
    int64_t delay_ms; /* -1: not given */
    char *code;       /* NULL: not given, as for the next two */
    char *message;
    char *param;
    struct http_fields headers; /* added to the answer */
};

struct faults;

struct faults *faults_new(uint64_t seed);
void faults_free(struct faults *faults);

/* "lost_before", ...; "" for FAULT_NONE. */
const char *fault_kind_name(enum fault_kind kind);

/* Adds RULES, an array of objects or one object, all or none. Returns false with a reason. */
bool faults_add(struct faults *faults, struct json_object *rules, char *message, size_t size);

/* Removes all rules. */
void faults_clear(struct faults *faults);

/* The rules as they were given, each with "id", "hits" and "matches". */
struct json_object *faults_to_json(const struct faults *faults);

/* The fault for REQUEST, to be freed with fault_done(); kind FAULT_NONE where there is none. */
void faults_pick(struct faults *faults, const struct http_request *request,
                 const struct settings *settings, struct fault *fault);

void fault_done(struct fault *fault);

#endif

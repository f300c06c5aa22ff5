#include "data_plane.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "describe.h"
#include "doors.h"
#include "encode.h"
#include "memory.h"
#include "operations.h"
#include "signatures.h"

struct visit {
    struct sim *sim;
    const struct http_request *request;
    const struct door *door;
    char *label;  /* first one of the host */
    char *rule;   /* that a shared access signature names; NULL: none */
    char *entity; /* that it is for */
};

static void visit_init(struct visit *visit, struct sim *sim, const struct http_request *request)
{
    const char *host = http_header(request, "Host");

    *visit = (struct visit){.sim = sim, .request = request, .door = door_of(request)};
    visit->label = memory_text_n(host, strcspn(host, "."));
    if (visit->door->proof == PROOF_ACCESS) {
        visit->rule = signature_rule(request);
        visit->entity = signature_entity(request);
    }
}

static void visit_done(struct visit *visit)
{
    free(visit->label);
    free(visit->rule);
    free(visit->entity);
}

bool data_plane_identify(struct http_request *request)
{
    if (!door_of(request))
        return false;
    request->op = "probe";
    return true;
}

/* Is the account one of those that the request may be for? The rule of a queue is not good for
 * another queue. */
static bool may_be(const struct visit *visit, const struct account *account)
{
    size_t last = type_name_count(account->type) - 1;

    if (!door_leads_to(visit->door, account, visit->label))
        return false;
    if (visit->door->proof != PROOF_ACCESS)
        return true;
    return visit->rule && visit->entity && strcasecmp(account->names[last], visit->rule) == 0 &&
           (last == 1 || strcasecmp(account->names[1], visit->entity) == 0);
}

void data_plane_name_account(struct sim *sim, struct http_request *request)
{
    struct visit visit;
    struct lh_entry *entry;

    visit_init(&visit, sim, request);
    request->own_text = memory_text(visit.label);
    if (!visit.door->is_bare) {
        for (entry = world_first(sim->world); entry; entry = lh_entry_next(entry)) {
            const struct account *account = lh_entry_v(entry);

            if (may_be(&visit, account)) {
                free(request->own_text);
                request->own_text = memory_text(account->name);
                break;
            }
        }
    }
    request->account = request->own_text;
    visit_done(&visit);
}

/* --- proofs --- */

/* Was a key sent, and, with KEY not NULL, this one? */
static bool sends(const struct door *door, const struct http_request *request, const char *key)
{
    const char *scheme = !door->scheme ? "" : door->scheme;
    const char *query = !door->query ? NULL : http_fields_get(&request->query, door->query);

    for (size_t i = 0; i < 2 && door->headers[i]; i++) {
        const char *value = http_header(request, door->headers[i]);

        if (*value != '\0' && strncasecmp(value, scheme, strlen(scheme)) == 0)
            return !key || strcmp(value + strlen(scheme), key) == 0;
    }
    return query && (!key || strcmp(query, key) == 0);
}

static bool sends_basic(const struct http_request *request, const char *user, const char *key)
{
    const char *value = http_header(request, "Authorization");
    char *credentials, *encoded;
    bool same;

    if (strncasecmp(value, "Basic ", 6) != 0)
        return false;
    credentials = memory_printf("%s:%s", user, key);
    encoded = base64_encode((const unsigned char *)credentials, strlen(credentials));
    same = strcmp(encoded, value + 6) == 0;
    free(credentials);
    free(encoded);
    return same;
}

static bool proves(const struct visit *visit, const struct account *account, size_t slot,
                   const char *key)
{
    const struct http_request *request = visit->request;
    char *id;
    bool proved;

    switch (visit->door->proof) {
    case PROOF_BASIC:
        return sends_basic(request, account->name, key);
    case PROOF_STORAGE:
        return signature_storage(request, account, key);
    case PROOF_TABLE:
        return signature_table(request, account, key);
    case PROOF_COSMOS:
        return signature_cosmos(request, key);
    case PROOF_HMAC:
        return signature_hmac(request, NULL, key);
    case PROOF_HMAC_WITH_ID:
        id = describe_key_id(visit->sim, account, slot);
        proved = signature_hmac(request, id, key);
        free(id);
        return proved;
    case PROOF_TOKEN:
        return signature_token(request, key);
    case PROOF_ACCESS:
        return signature_access(request, visit->rule, key);
    case PROOF_DEVICE:
        return signature_device(request, account->names[1], key);
    case PROOF_SENT:
        break;
    }
    return sends(visit->door, request, key);
}

/* Did the request carry anything that could be a proof? */
static bool has_proof(const struct visit *visit)
{
    if (visit->door->proof == PROOF_SENT)
        return sends(visit->door, visit->request, NULL);
    return *http_header(visit->request, "Authorization") != '\0' ||
           *http_header(visit->request, "ServiceBusAuthorization") != '\0';
}

/* Whether one of the account's keys is proved. A regenerated key becomes known here only after the
 * propagation time; until then the key before it stays good. Keys of Storage's second pair are for
 * Kerberos. */
static bool opens(const struct visit *visit, const struct account *account)
{
    int64_t at = clock_wall_us() - operations_propagation_ms(visit->sim, account) * CLOCK_US_PER_MS;
    size_t count = account->type->list.expand ? TYPE_PAIR : type_slot_count(account->type);

    for (size_t slot = 0; slot < count; slot++) {
        if (proves(visit, account, slot, account_key_at(account, slot, at)))
            return true;
    }
    return false;
}

/* --- answers --- */

static void refuse(const struct visit *visit, const struct door_refusal *refusal,
                   struct http_reply *reply)
{
    door_error(visit->door, reply, refusal->status, refusal->code, refusal->message);
    if (refusal->status == 401 && visit->door->proof == PROOF_HMAC_WITH_ID)
        http_reply_replace_header(reply, "WWW-Authenticate",
                                  "HMAC-SHA256 error=\"invalid_token\" "
                                  "error_description=\"Invalid Signature\", Bearer");
    if (refusal->status == 401 && visit->door->proof == PROOF_BASIC)
        http_reply_replace_header(reply, "WWW-Authenticate", "Basic realm=\"registry\"");
}

/* Does the request's path fit PATTERN, in which "*" is any one segment or its beginning? */
static bool path_fits(const struct http_request *request, const char *pattern)
{
    size_t i = 0;

    for (; *pattern != '\0'; i++) {
        size_t length = strcspn(pattern, "/");
        const char *segment = i < request->segment_count ? request->segments[i] : NULL;

        if (!segment)
            return false;
        if (*pattern == '*') {
            if (strlen(segment) < length - 1 ||
                strncmp(segment + strlen(segment) - (length - 1), pattern + 1, length - 1) != 0)
                return false;
        } else if (strlen(segment) != length || strncasecmp(segment, pattern, length) != 0) {
            return false;
        }
        pattern += length + (pattern[length] == '/');
    }
    return i == request->segment_count;
}

static bool has_right(const struct account *account, const char *right)
{
    struct json_object *rights;

    if (!json_object_object_get_ex(account->properties, "rights", &rights) || !rights)
        return true;
    for (size_t i = 0; i < json_object_array_length(rights); i++) {
        if (strcmp(json_object_get_string(json_object_array_get_idx(rights, i)), right) == 0)
            return true;
    }
    return false;
}

static bool is_relay(const struct account *account)
{
    return strncmp(account->type->word, "relay", 5) == 0;
}

/* What a relay says, and a rule that may not do what is asked for. Returns false where neither is
 * the case. */
static bool answer_rule(const struct visit *visit, const struct account *account,
                        struct http_reply *reply)
{
    static const struct door_refusal no_listener = {
        404, "404", "SubCode=40400: Endpoint does not exist. No listener is connected."};
    static const struct door_refusal no_right = {
        401, "401", "SubCode=40100: Unauthorized. Manage claims are required for this operation."};

    if (visit->door->proof != PROOF_ACCESS)
        return false;
    if (!has_right(account, is_relay(account) ? "Send" : "Manage"))
        refuse(visit, &no_right, reply);
    else if (is_relay(account))
        refuse(visit, &no_listener, reply);
    else
        return false;
    return true;
}

static void answer(const struct visit *visit, const struct account *account,
                   struct http_reply *reply)
{
    static const struct door_refusal no_version = {400, "MissingApiVersionParameter",
                                                   "The api-version is missing."};
    static const struct door_refusal nothing = {404, "NotFound", "Nothing lives at this path."};
    const struct door *door = visit->door;

    if (door->version && !http_fields_get(&visit->request->query, door->version)) {
        refuse(visit, &no_version, reply);
        return;
    }
    if (answer_rule(visit, account, reply))
        return;
    for (size_t i = 0; i < DOOR_MAX_ROUTES && door->routes[i].method; i++) {
        const struct door_route *route = &door->routes[i];

        if (strcmp(route->method, visit->request->method) != 0 ||
            !path_fits(visit->request, route->path))
            continue;
        free(reply->body);
        reply->status = route->status;
        reply->body = memory_text(route->body);
        reply->body_length = strlen(route->body);
        http_reply_replace_header(reply, "Content-Type", route->type);
        return;
    }
    refuse(visit, door->unknown.status == 0 ? &nothing : &door->unknown, reply);
}

void data_plane_handle(struct sim *sim, const struct http_request *request,
                       struct http_reply *reply)
{
    struct account *account = NULL;
    bool any = false, off = false;
    struct lh_entry *entry;
    struct visit visit;

    visit_init(&visit, sim, request);
    for (entry = world_first(sim->world); entry && !account; entry = lh_entry_next(entry)) {
        struct account *candidate = lh_entry_v(entry);

        if (!may_be(&visit, candidate))
            continue;
        any = true;
        if (opens(&visit, candidate))
            account = candidate;
        off = off || !account_allows_shared_key(candidate);
    }
    if (!has_proof(&visit)) {
        refuse(&visit, &visit.door->none, reply);
    } else if (account ? !account_allows_shared_key(account) : off && !visit.door->is_bare) {
        refuse(&visit, &visit.door->off, reply);
    } else if (!any || !account) {
        refuse(&visit, &visit.door->wrong, reply);
    } else {
        account->probe_count++;
        answer(&visit, account, reply);
    }
    visit_done(&visit);
}

void data_plane_error(const struct http_request *request, struct http_reply *reply, int status,
                      const char *code, const char *message)
{
    door_error(door_of(request), reply, status, code, message);
}

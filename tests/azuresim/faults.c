#include "faults.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

#define MAX_DELAY_MS 86400000.0

struct fault_rule {
    struct json_object *source; /* as it was given */
    enum fault_kind kind;
    enum http_face face; /* FACE_NONE: any */
    const char *op;      /* NULL: any; points into source, as account does */
    const char *account; /* NULL: any */
    bool takes_effect;
    double probability;
    int64_t skip;      /* "after": matches to let pass */
    int64_t hits_left; /* "count"; -1: for ever */
    uint64_t matches;
    uint64_t hits;
};

struct faults {
    struct fault_rule *rules[FAULTS_MAX_RULES];
    size_t count;
    uint64_t next_id;
    uint64_t dice;
};

static const struct {
    const char *name;
    bool takes_effect;
} kinds[FAULT_KIND_COUNT] = {
    [FAULT_NONE] = {"", true},
    [FAULT_LOST_BEFORE] = {"lost_before", false},
    [FAULT_LOST_AFTER] = {"lost_after", true},
    [FAULT_HANG] = {"hang", false},
    [FAULT_HANG_AFTER] = {"hang_after", true},
    [FAULT_RESET] = {"reset", false},
    [FAULT_TRUNCATE] = {"truncate", true},
    [FAULT_GARBAGE] = {"garbage", true},
    [FAULT_WRONG_JSON] = {"wrong_json", true},
    [FAULT_OVERSIZED] = {"oversized", true},
    [FAULT_STATUS] = {"status", false},
    [FAULT_THROTTLE] = {"throttle", false},
    [FAULT_LATE_EFFECT] = {"late_effect", true},
    [FAULT_DELAY] = {"delay", true},
    [FAULT_SKEW_DATE] = {"skew_date", true},
    [FAULT_STALE_LIST] = {"stale_list", true},
    [FAULT_MEMBER] = {"member", true},
    [FAULT_BOM] = {"bom", true},
    [FAULT_GZIP] = {"gzip", true},
    [FAULT_REDIRECT] = {"redirect", false},
    [FAULT_PAGE] = {"page", false},
};

struct faults *faults_new(uint64_t seed)
{
    struct faults *faults = memory_zeroed(1, sizeof(*faults));

    faults->dice = seed;
    faults->next_id = 1;
    return faults;
}

void faults_free(struct faults *faults)
{
    if (!faults)
        return;
    faults_clear(faults);
    free(faults);
}

const char *fault_kind_name(enum fault_kind kind)
{
    return kinds[kind].name;
}

/* SplitMix64: small, and any seed, even 0, gives a good sequence. */
static uint64_t throw_dice(struct faults *faults)
{
    uint64_t z = faults->dice += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool dice_win(struct faults *faults, double probability)
{
    return (double)(throw_dice(faults) >> 11) * 0x1p-53 < probability;
}

static bool find_kind(const char *name, enum fault_kind *kind)
{
    for (int i = FAULT_NONE + 1; name && i < FAULT_KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *kind = (enum fault_kind)i;
            return true;
        }
    }
    return false;
}

static bool find_face(const char *name, enum http_face *face)
{
    *face = FACE_NONE;
    if (!name || strcmp(name, "any") == 0)
        return true;
    for (int i = FACE_NONE + 1; i < FACE_COUNT; i++) {
        if (i != FACE_CONTROL && strcmp(http_face_name((enum http_face)i), name) == 0) {
            *face = (enum http_face)i;
            return true;
        }
    }
    return false;
}

static bool read_number(struct json_object *source, const char *name, double minimum,
                        double maximum, double *number)
{
    struct json_object *value;

    if (!json_object_object_get_ex(source, name, &value))
        return true;
    *number = json_object_get_double(value);
    return (json_object_is_type(value, json_type_int) ||
            json_object_is_type(value, json_type_double)) &&
           isfinite(*number) && *number >= minimum && *number <= maximum;
}

static const char *text_or_any(struct json_object *source, const char *name)
{
    const char *text = json_get_text(source, name);

    return !text || strcmp(text, "any") == 0 ? NULL : text;
}

static bool read_numbers(struct fault_rule *rule, char *message, size_t size)
{
    double probability = 1, count = -1, after = 0, unused = 0;

    if (!read_number(rule->source, "probability", 0, 1, &probability) ||
        !read_number(rule->source, "count", 1, 1e9, &count) ||
        !read_number(rule->source, "after", 0, 1e9, &after) ||
        !read_number(rule->source, "delay_ms", 0, MAX_DELAY_MS, &unused) ||
        !read_number(rule->source, "status", 200, 599, &unused)) {
        snprintf(message, size,
                 "probability must be 0 to 1, count at least 1, after at least 0, delay_ms 0 to "
                 "%.0f, status 200 to 599",
                 MAX_DELAY_MS);
        return false;
    }
    rule->probability = probability;
    rule->hits_left = (int64_t)count;
    rule->skip = (int64_t)after;
    return true;
}

static bool known_member(const char *name)
{
    static const char *const names[] = {"face",  "op",       "account", "fault",       "status",
                                        "code",  "message",  "headers", "probability", "count",
                                        "after", "delay_ms", "param",   "effect"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static bool rule_init(struct fault_rule *rule, char *message, size_t size)
{
    struct json_object *effect, *headers;

    if (!json_object_is_type(rule->source, json_type_object)) {
        snprintf(message, size, "a rule must be an object");
        return false;
    }
    json_object_object_foreach(rule->source, name, value)
    {
        (void)value;
        if (!known_member(name)) {
            snprintf(message, size, "a rule has no member '%.60s'", name);
            return false;
        }
    }
    if (!find_kind(json_get_text(rule->source, "fault"), &rule->kind)) {
        snprintf(message, size, "fault is not one of the known kinds");
        return false;
    }
    if (!find_face(json_get_text(rule->source, "face"), &rule->face)) {
        snprintf(message, size, "face must be arm, entra, batch, data, keyvault, imds or any");
        return false;
    }
    if (json_object_object_get_ex(rule->source, "headers", &headers) &&
        !json_object_is_type(headers, json_type_object)) {
        snprintf(message, size, "headers must be an object");
        return false;
    }
    rule->op = text_or_any(rule->source, "op");
    rule->account = text_or_any(rule->source, "account");
    rule->takes_effect = kinds[rule->kind].takes_effect;
    if (json_object_object_get_ex(rule->source, "effect", &effect))
        rule->takes_effect = json_object_get_boolean(effect);
    return read_numbers(rule, message, size);
}

static void rule_free(struct fault_rule *rule)
{
    json_object_put(rule->source);
    free(rule);
}

static bool add_rule(struct faults *faults, struct json_object *source, char *message, size_t size)
{
    struct fault_rule *rule;

    if (faults->count == FAULTS_MAX_RULES) {
        snprintf(message, size, "there are %d rules already", FAULTS_MAX_RULES);
        return false;
    }
    rule = memory_zeroed(1, sizeof(*rule));
    if (source)
        json_object_deep_copy(source, &rule->source, NULL);
    if (!rule_init(rule, message, size)) {
        rule_free(rule);
        return false;
    }
    json_object_object_add(rule->source, "id", json_object_new_uint64(faults->next_id++));
    faults->rules[faults->count++] = rule;
    return true;
}

bool faults_add(struct faults *faults, struct json_object *rules, char *message, size_t size)
{
    size_t count_before = faults->count;

    if (!json_object_is_type(rules, json_type_array))
        return add_rule(faults, rules, message, size);
    for (size_t i = 0; i < json_object_array_length(rules); i++) {
        if (!add_rule(faults, json_object_array_get_idx(rules, i), message, size)) {
            while (faults->count > count_before)
                rule_free(faults->rules[--faults->count]);
            return false;
        }
    }
    return true;
}

void faults_clear(struct faults *faults)
{
    while (faults->count > 0)
        rule_free(faults->rules[--faults->count]);
}

struct json_object *faults_to_json(const struct faults *faults)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < faults->count; i++) {
        struct json_object *rule = NULL;

        json_object_deep_copy(faults->rules[i]->source, &rule, NULL);
        json_object_object_add(rule, "matches", json_object_new_uint64(faults->rules[i]->matches));
        json_object_object_add(rule, "hits", json_object_new_uint64(faults->rules[i]->hits));
        json_object_array_add(list, rule);
    }
    return list;
}

static bool same_text(const char *a, const char *b)
{
    return a && b && strcasecmp(a, b) == 0;
}

static bool rule_matches(const struct fault_rule *rule, const struct http_request *request)
{
    if (rule->face != FACE_NONE && rule->face != request->face)
        return false;
    if (rule->op && !same_text(rule->op, request->op))
        return false;
    return !rule->account || same_text(rule->account, request->account) ||
           same_text(rule->account, request->item);
}

static void fault_from_rule(struct fault *fault, const struct fault_rule *rule)
{
    struct json_object *value, *headers;

    fault->kind = rule->kind;
    fault->takes_effect = rule->takes_effect;
    fault->delay_ms = -1;
    if (json_object_object_get_ex(rule->source, "delay_ms", &value))
        fault->delay_ms = json_object_get_int64(value);
    if (json_object_object_get_ex(rule->source, "status", &value))
        fault->status = json_object_get_int(value);
    if (json_object_object_get_ex(rule->source, "param", &value))
        fault->param = memory_text(json_object_get_string(value));
    fault->code = memory_text(json_get_text(rule->source, "code"));
    fault->message = memory_text(json_get_text(rule->source, "message"));
    if (!json_object_object_get_ex(rule->source, "headers", &headers))
        return;
    json_object_object_foreach(headers, name, header)
    {
        http_fields_add(&fault->headers, name, json_object_get_string(header));
    }
}

/* Bad weather: any of the ways in which a call over a network may fail. */
static void fault_from_weather(struct fault *fault, struct faults *faults, double delay_ms)
{
    static const struct {
        enum fault_kind kind;
        int status;
        const char *param;
    } weather[] = {
        {FAULT_LOST_BEFORE, 0, NULL}, {FAULT_LOST_AFTER, 0, NULL},    {FAULT_HANG, 0, NULL},
        {FAULT_HANG_AFTER, 0, NULL},  {FAULT_RESET, 0, NULL},         {FAULT_TRUNCATE, 0, NULL},
        {FAULT_GARBAGE, 0, NULL},     {FAULT_WRONG_JSON, 0, NULL},    {FAULT_STATUS, 500, NULL},
        {FAULT_STATUS, 502, NULL},    {FAULT_STATUS, 503, NULL},      {FAULT_STATUS, 504, NULL},
        {FAULT_STATUS, 408, NULL},    {FAULT_THROTTLE, 0, "seconds"}, {FAULT_THROTTLE, 0, "none"},
        {FAULT_LATE_EFFECT, 0, NULL}, {FAULT_DELAY, 0, NULL},
    };
    size_t i = (size_t)(throw_dice(faults) % (sizeof(weather) / sizeof(weather[0])));

    fault->kind = weather[i].kind;
    fault->takes_effect = kinds[fault->kind].takes_effect;
    fault->status = weather[i].status;
    fault->param = memory_text(weather[i].param);
    fault->delay_ms = (int64_t)delay_ms;
}

void faults_pick(struct faults *faults, const struct http_request *request,
                 const struct settings *settings, struct fault *fault)
{
    *fault = (struct fault){.kind = FAULT_NONE, .takes_effect = true};
    for (size_t i = 0; i < faults->count; i++) {
        struct fault_rule *rule = faults->rules[i];

        if (rule->hits_left == 0 || !rule_matches(rule, request))
            continue;
        rule->matches++;
        if (rule->skip > 0) {
            rule->skip--;
            continue;
        }
        if (!dice_win(faults, rule->probability))
            continue;
        rule->hits++;
        if (rule->hits_left > 0)
            rule->hits_left--;
        fault_from_rule(fault, rule);
        return;
    }
    if (request->face == FACE_ARM && settings->weather_probability > 0 &&
        dice_win(faults, settings->weather_probability))
        fault_from_weather(fault, faults, settings->weather_delay_ms);
}

void fault_done(struct fault *fault)
{
    free(fault->code);
    free(fault->message);
    free(fault->param);
    http_fields_done(&fault->headers);
    *fault = (struct fault){.kind = FAULT_NONE};
}

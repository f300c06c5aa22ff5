/* What can be changed while the simulator runs (/_sim/settings). */
#ifndef AZURESIM_SETTINGS_H
#define AZURESIM_SETTINGS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#define SETTINGS_TEXT_SIZE 256

struct settings {
    double propagation_ms; /* until the data plane accepts a regenerated key */
    double latency_ms;     /* added to every answer of every face but control */
    double read_burst;     /* token bucket of ARM reads; 0: no limit */
    double read_refill;    /* per second */
    double write_burst;    /* POST actions count as writes */
    double write_refill;
    double page_size;       /* accounts per page of a list */
    double graph_page_size; /* rows per page of Resource Graph */
    double graph_quota;     /* its queries in 5 seconds; 0: no limit */
    double token_lifetime;  /* seconds */
    double sharedkey_refusal_status;
    double weather_probability;    /* of an ARM call to fail in a random way */
    double weather_delay_ms;       /* how long hangs and late effects of the weather take */
    double operation_ms;           /* that long-running regenerations take; 0: they are none */
    double operation_retry_after;  /* seconds; 0: no Retry-After */
    double operation_rights;       /* 1: each poll takes a right, 0: those of which one is known */
    double operation_key_at_start; /* 1: the key changes when it begins, 0: when it ends */
    double key_page_size;          /* keys per page of App Configuration's list; 0: all */
    double key_ids_change;         /* 1: ids of keys in App Configuration change with the key */
    char vault_resource[SETTINGS_TEXT_SIZE]; /* what the Key Vault challenge names */
    char vault_tenant[SETTINGS_TEXT_SIZE];
    char arm_audience[SETTINGS_TEXT_SIZE]; /* accepted besides the public cloud's; may be "" */
    char batch_audience[SETTINGS_TEXT_SIZE];
    char operation_result[SETTINGS_TEXT_SIZE];  /* how they end */
    char operation_headers[SETTINGS_TEXT_SIZE]; /* "async", "location"; "": as the type has them */
    char operation_host[SETTINGS_TEXT_SIZE];    /* in these headers; "": the one that was asked */
    char key_page_host[SETTINGS_TEXT_SIZE];     /* of further pages; "": the one that was asked */
    char key_page_path[SETTINGS_TEXT_SIZE];     /* … "": the list's own */
    char regenerate_answer[SETTINGS_TEXT_SIZE]; /* "nothing", "both", "masked"; "": as the type */
    char keys_off_effect[SETTINGS_TEXT_SIZE];   /* "refuse", "answer"; "": as the type does */
    char demanded_claims[SETTINGS_TEXT_SIZE];   /* of tokens for arm and keyvault; "": none */
};

/* The values at start; TOKEN_LIFETIME in seconds. */
void settings_init(struct settings *settings, double token_lifetime);

/* Applies the members of CHANGES, all or none. On failure writes the reason to MESSAGE and
 * returns false. */
bool settings_change(struct settings *settings, struct json_object *changes, char *message,
                     size_t size);

/* All settings, in the form that settings_change() takes. */
struct json_object *settings_to_json(const struct settings *settings);

#endif

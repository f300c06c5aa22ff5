#include "settings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cloud.h"
#include "directory.h"
#include "http.h"

struct number_setting {
    const char *name;
    size_t offset;
    double minimum, maximum, initial;
};

struct text_setting {
    const char *name;
    size_t offset;
    const char *initial;
};

#define DAY_MS 86400000.0

static const struct number_setting numbers[] = {
    {"propagation_ms", offsetof(struct settings, propagation_ms), 0, DAY_MS, 0},
    {"latency_ms", offsetof(struct settings, latency_ms), 0, DAY_MS, 0},
    {"read_burst", offsetof(struct settings, read_burst), 0, 1e9, 250},
    {"read_refill", offsetof(struct settings, read_refill), 0.001, 1e9, 25},
    {"write_burst", offsetof(struct settings, write_burst), 0, 1e9, 200},
    {"write_refill", offsetof(struct settings, write_refill), 0.001, 1e9, 10},
    {"page_size", offsetof(struct settings, page_size), 1, 10000, 50},
    {"graph_page_size", offsetof(struct settings, graph_page_size), 1, 1000, 1000},
    {"graph_quota", offsetof(struct settings, graph_quota), 0, 1e9, 15},
    {"token_lifetime", offsetof(struct settings, token_lifetime), 1, 864000, 3599},
    {"sharedkey_refusal_status", offsetof(struct settings, sharedkey_refusal_status), 400, 599,
     403},
    {"operation_ms", offsetof(struct settings, operation_ms), 0, 1e12, 1000},
    {"operation_retry_after", offsetof(struct settings, operation_retry_after), 0, 1e6, 1},
    {"operation_rights", offsetof(struct settings, operation_rights), 0, 1, 0},
    {"operation_key_at_start", offsetof(struct settings, operation_key_at_start), 0, 1, 0},
    {"key_page_size", offsetof(struct settings, key_page_size), 0, 4, 0},
    {"key_ids_change", offsetof(struct settings, key_ids_change), 0, 1, 0},
};

static const struct number_setting weather_numbers[] = {
    {"probability", offsetof(struct settings, weather_probability), 0, 1, 0},
    {"delay_ms", offsetof(struct settings, weather_delay_ms), 0, DAY_MS, 1000},
};

static const struct text_setting texts[] = {
    {"vault_resource", offsetof(struct settings, vault_resource), ""},
    {"vault_tenant", offsetof(struct settings, vault_tenant), DIRECTORY_DEFAULT_TENANT},
    {"arm_audience", offsetof(struct settings, arm_audience), ""},
    {"batch_audience", offsetof(struct settings, batch_audience), ""},
    {"operation_result", offsetof(struct settings, operation_result), "Succeeded"},
    {"operation_headers", offsetof(struct settings, operation_headers), ""},
    {"operation_host", offsetof(struct settings, operation_host), ""},
    {"key_page_host", offsetof(struct settings, key_page_host), ""},
    {"key_page_path", offsetof(struct settings, key_page_path), ""},
    {"regenerate_answer", offsetof(struct settings, regenerate_answer), ""},
    {"keys_off_effect", offsetof(struct settings, keys_off_effect), ""},
    {"demanded_claims", offsetof(struct settings, demanded_claims), ""},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static double *number_at(struct settings *settings, const struct number_setting *setting)
{
    return (double *)(void *)((char *)settings + setting->offset);
}

static double read_number(const struct settings *settings, const struct number_setting *setting)
{
    double value;

    memcpy(&value, (const char *)settings + setting->offset, sizeof(value));
    return value;
}

void settings_init(struct settings *settings, double token_lifetime)
{
    *settings = (struct settings){0};
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        *number_at(settings, &numbers[i]) = numbers[i].initial;
    for (size_t i = 0; i < COUNT_OF(weather_numbers); i++)
        *number_at(settings, &weather_numbers[i]) = weather_numbers[i].initial;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        snprintf((char *)settings + texts[i].offset, SETTINGS_TEXT_SIZE, "%s", texts[i].initial);
    snprintf(settings->vault_resource, SETTINGS_TEXT_SIZE, "%s", cloud_chosen()->vault_resource);
    settings->token_lifetime = token_lifetime;
}

static bool change_number(struct settings *settings, const struct number_setting *table,
                          size_t count, const char *name, struct json_object *value, char *message,
                          size_t size)
{
    for (size_t i = 0; i < count; i++) {
        double number;

        if (strcmp(table[i].name, name) != 0)
            continue;
        number = json_object_get_double(value);
        if ((!json_object_is_type(value, json_type_int) &&
             !json_object_is_type(value, json_type_double)) ||
            !isfinite(number) || number < table[i].minimum || number > table[i].maximum) {
            snprintf(message, size, "%s must be a number from %g to %g", name, table[i].minimum,
                     table[i].maximum);
            return false;
        }
        *number_at(settings, &table[i]) = number;
        return true;
    }
    snprintf(message, size, "there is no setting '%.60s'", name);
    return false;
}

static bool change_weather(struct settings *settings, struct json_object *weather, char *message,
                           size_t size)
{
    if (!json_object_is_type(weather, json_type_object)) {
        snprintf(message, size, "weather must be an object");
        return false;
    }
    json_object_object_foreach(weather, name, value)
    {
        if (!change_number(settings, weather_numbers, COUNT_OF(weather_numbers), name, value,
                           message, size))
            return false;
    }
    return true;
}

static bool change_text(struct settings *settings, const struct text_setting *setting,
                        struct json_object *value, char *message, size_t size)
{
    if (!json_object_is_type(value, json_type_string) ||
        json_object_get_string_len(value) >= SETTINGS_TEXT_SIZE) {
        snprintf(message, size, "%s must be a short string", setting->name);
        return false;
    }
    snprintf((char *)settings + setting->offset, SETTINGS_TEXT_SIZE, "%s",
             json_object_get_string(value));
    return true;
}

static bool change_one(struct settings *settings, const char *name, struct json_object *value,
                       char *message, size_t size)
{
    if (strcmp(name, "weather") == 0)
        return change_weather(settings, value, message, size);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (strcmp(texts[i].name, name) == 0)
            return change_text(settings, &texts[i], value, message, size);
    }
    return change_number(settings, numbers, COUNT_OF(numbers), name, value, message, size);
}

bool settings_change(struct settings *settings, struct json_object *changes, char *message,
                     size_t size)
{
    struct settings changed = *settings;

    json_object_object_foreach(changes, name, value)
    {
        if (!change_one(&changed, name, value, message, size))
            return false;
    }
    *settings = changed;
    return true;
}

struct json_object *settings_to_json(const struct settings *settings)
{
    struct json_object *all = json_object_new_object();
    struct json_object *weather = json_object_new_object();

    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        json_object_object_add(all, numbers[i].name,
                               json_object_new_double(read_number(settings, &numbers[i])));
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        json_add_text(all, texts[i].name, (const char *)settings + texts[i].offset);
    for (size_t i = 0; i < COUNT_OF(weather_numbers); i++)
        json_object_object_add(weather, weather_numbers[i].name,
                               json_object_new_double(read_number(settings, &weather_numbers[i])));
    json_object_object_add(all, "weather", weather);
    return all;
}

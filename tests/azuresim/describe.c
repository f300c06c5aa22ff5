#include "describe.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "cloud.h"
#include "encode.h"
#include "memory.h"

struct filling {
    const struct sim *sim;
    const struct account *account;
    size_t slot; /* for "*" */
    int64_t wall_us;
    FILE *out;
};

char *describe_key_id(const struct sim *sim, const struct account *account, size_t slot)
{
    size_t age = sim->settings.key_ids_change > 0 ? account_key_age(account, slot) : 0;
    char *seed = memory_printf("%s %zu %zu", account->name, slot, age);
    char digest[SHA256_HEX_SIZE];
    char *id;

    sha256_hex(seed, strlen(seed), digest);
    id = memory_printf("%.4s-l%zu-s0:%.20s", digest, slot, digest + 4);
    free(seed);
    return id;
}

static void write_time(const struct filling *filling, size_t slot)
{
    char time[CLOCK_TEXT_SIZE];

    clock_iso8601(account_key_born_us(filling->account, slot, filling->wall_us), time);
    fputs(time, filling->out);
}

/* What one slot has: key, time, id and names. */
static void write_of_slot(const struct filling *filling, char what, size_t slot)
{
    const struct account *account = filling->account;
    const struct type_slot *names = &account->type->slots[slot];
    char *id;

    switch (what) {
    case 'K':
        fputs(account_key_at(account, slot, filling->wall_us), filling->out);
        break;
    case 'T':
        write_time(filling, slot);
        break;
    case 'I':
        id = describe_key_id(filling->sim, account, slot);
        fputs(id, filling->out);
        free(id);
        break;
    case 'M':
        fputs(names->member, filling->out);
        break;
    case 'O':
        fputs(slot >= TYPE_PAIR ? "true" : "false", filling->out);
        break;
    default:
        fputs(names->sent, filling->out);
        break;
    }
}

static void write_batch(const struct filling *filling)
{
    fputs(cloud_chosen()->batch, filling->out);
    if (cloud_chosen()->has_port)
        fprintf(filling->out, ":%u", filling->sim->port);
}

/* What the resource as a whole has. */
static void write_of_resource(const struct filling *filling, char what)
{
    const struct account *account = filling->account;
    size_t last = type_world_name_count(account->type) - 1;

    switch (what) {
    case 'L':
        fputs(account->location, filling->out);
        break;
    case 'P':
        if (cloud_chosen()->has_port)
            fprintf(filling->out, ":%u", filling->sim->port);
        break;
    case 'R':
        fprintf(filling->out, "%u", filling->sim->redis_port);
        break;
    case 'B':
        write_batch(filling);
        break;
    case 'Z':
        fputs(account->names[last], filling->out);
        break;
    default:
        fputs(account->names[what - '0'], filling->out);
        break;
    }
}

static char *fill(const struct sim *sim, const struct account *account, const char *text,
                  size_t slot, int64_t wall_us)
{
    struct filling filling = {.sim = sim, .account = account, .slot = slot, .wall_us = wall_us};
    char *filled = NULL;
    size_t size;

    filling.out = open_memstream(&filled, &size);
    if (!filling.out)
        abort();
    while (*text != '\0') {
        size_t length = strcspn(text, "$");

        fwrite(text, 1, length, filling.out);
        text += length;
        if (*text == '\0')
            break;
        if (strchr("KTIMOW", text[1])) {
            write_of_slot(&filling, text[1], text[2] == '*' ? slot : (size_t)(text[2] - '0'));
            text += 3;
        } else {
            write_of_resource(&filling, text[1]);
            text += 2;
        }
    }
    fclose(filling.out);
    return filled;
}

struct json_object *describe_answer(const struct sim *sim, const struct account *account,
                                    const char *text, size_t slot, int64_t wall_us)
{
    char *filled = fill(sim, account, text, slot, wall_us);
    struct json_object *answer = json_tokener_parse(filled);

    if (!answer) {
        fprintf(stderr, "azuresim: %s: no JSON: %s\n", account->type->name, filled);
        abort();
    }
    free(filled);
    return answer;
}

/* --- resources --- */

char *describe_type_name(const struct type *type, size_t count)
{
    size_t length = type_provider_length(type);

    for (size_t i = 0; i < count; i++)
        length += 1 + strcspn(type->name + length + 1, "/");
    return memory_text_n(type->name, length);
}

char *describe_id(const struct account *account, size_t count)
{
    const struct type *type = account->type;
    char *id = memory_printf("/subscriptions/%s/resourceGroups/%s/providers/%.*s",
                             account->subscription_id, account->resource_group,
                             (int)type_provider_length(type), type->name);

    for (size_t i = 0; i < count; i++) {
        size_t length;
        const char *segment = type_segment(type, i, &length);
        char *longer = memory_printf("%s/%.*s/%s", id, (int)length, segment, account->names[i]);

        free(id);
        id = longer;
    }
    return id;
}

static struct json_object *copy_of(struct json_object *source)
{
    struct json_object *copy = NULL;

    if (source)
        json_object_deep_copy(source, &copy, NULL);
    return copy;
}

/* ENDPOINTS filled in, and PROPERTIES over them; null removes. */
static struct json_object *properties_of(const struct sim *sim, const struct account *account,
                                         const char *endpoints, struct json_object *properties)
{
    struct json_object *all =
        !endpoints ? json_object_new_object()
                   : describe_answer(sim, account, endpoints, DESCRIBE_NO_SLOT, INT64_MAX);

    if (!properties)
        return all;
    json_object_object_foreach(properties, name, value)
    {
        if (value)
            json_object_object_add(all, name, copy_of(value));
        else
            json_object_object_del(all, name);
    }
    return all;
}

/* Id, name and type of the resource of the first COUNT names. */
static struct json_object *name_resource(const struct account *account, size_t count)
{
    struct json_object *resource = json_object_new_object();
    char *id = describe_id(account, count);
    char *type = describe_type_name(account->type, count);

    json_add_text(resource, "id", id);
    json_add_text(resource, "name", account->names[count - 1]);
    json_add_text(resource, "type", type);
    free(id);
    free(type);
    return resource;
}

static void add_tracked(const struct account *account, struct json_object *resource)
{
    json_add_text(resource, "location", account->location);
    json_object_object_add(resource, "tags",
                           !account->tags ? json_object_new_object() : copy_of(account->tags));
}

struct json_object *describe_resource(const struct sim *sim, const struct account *account)
{
    const struct type *type = account->type;
    size_t count = type_name_count(type);
    struct json_object *resource = name_resource(account, count);

    if (count == 1 || type->is_tracked)
        add_tracked(account, resource);
    if (type->resource) {
        struct json_object *members = json_tokener_parse(type->resource);

        json_object_object_foreach(members, name, value)
        {
            json_object_object_add(resource, name, json_object_get(value));
        }
        json_object_put(members);
    }
    if (account->kind)
        json_add_text(resource, "kind", account->kind);
    json_object_object_add(resource, "properties",
                           properties_of(sim, account, type->endpoints, account->properties));
    return resource;
}

struct json_object *describe_parent(const struct sim *sim, const struct account *account,
                                    size_t count)
{
    const struct type *type = account->type;
    struct json_object *resource = name_resource(account, count);

    if (count > 1) {
        json_object_object_add(resource, "properties", json_object_new_object());
        return resource;
    }
    add_tracked(account, resource);
    json_object_object_add(
        resource, "properties",
        properties_of(sim, account, type->parent_endpoints, account->parent_properties));
    return resource;
}

/* --- keys --- */

struct json_object *describe_keys(const struct sim *sim, const struct account *account, bool expand,
                                  int64_t wall_us)
{
    const struct type *type = account->type;

    return describe_answer(sim, account, expand ? type->list.expanded : type->list.answer,
                           DESCRIBE_NO_SLOT, wall_us);
}

static bool is_key(const struct account *account, const char *text)
{
    for (size_t slot = 0; slot < type_slot_count(account->type); slot++) {
        if (strstr(text, account_key_at(account, slot, INT64_MAX)))
            return true;
    }
    return false;
}

/* ANSWER with every text that holds a key of the account masked. */
static struct json_object *mask(const struct account *account, struct json_object *answer)
{
    if (json_object_is_type(answer, json_type_object)) {
        struct json_object *masked = json_object_new_object();

        json_object_object_foreach(answer, name, value)
        {
            json_object_object_add(masked, name, mask(account, value));
        }
        return masked;
    }
    if (json_object_is_type(answer, json_type_array)) {
        struct json_object *masked = json_object_new_array();

        for (size_t i = 0; i < json_object_array_length(answer); i++)
            json_object_array_add(masked, mask(account, json_object_array_get_idx(answer, i)));
        return masked;
    }
    if (json_object_is_type(answer, json_type_string) &&
        is_key(account, json_object_get_string(answer)))
        return json_object_new_string("********");
    return json_object_get(answer);
}

struct json_object *describe_regenerated(const struct sim *sim, const struct account *account,
                                         size_t slot)
{
    const struct type *type = account->type;
    const char *wanted = sim->settings.regenerate_answer;
    const char *text = *wanted == '\0' ? type->regenerate.answer : NULL;
    struct json_object *answer, *masked;

    if (strcmp(wanted, "nothing") == 0)
        return NULL;
    if (!text)
        text = slot < TYPE_PAIR || !type->list.expanded ? type->list.answer : type->list.expanded;
    answer = *text == '\0' ? NULL : describe_answer(sim, account, text, slot, INT64_MAX);
    if (!answer || strcmp(wanted, "masked") != 0)
        return answer;
    masked = mask(account, answer);
    json_object_put(answer);
    return masked;
}

#include "io/target/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/must.h"
#include "base/str.h"
#include "io/target/target_list.h"
#include "io/target/key_vault_hosts.h"
#include "io/target/target_place.h"
#include "io/target/target_queue.h"
#include "io/target/unit.h"
#include "io/target/vault_session.h"

/* Two destinations: the largest has 32 fields of up to 4 KiB, and their names. */
enum { IDENTITY_MAX = 1024 * 1024 };

#define ROW(name) &target_##name##_operations,
static const struct target_operations *const table[] = {TARGET_LIST(ROW)};
#undef ROW

static const struct target_operations *operations_of(const struct destination *destination)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i]->type == destination->type)
            return table[i];
    }
    abort(); /* the configuration knows a type that has no row here */
}

/* Separates the parts by NUL, which none of them contains, so that different lists give different
 * identities. */
static void append_identity(const struct destination *destination, struct buf *out)
{
    const char *type = destination->type->variant.name;

    buf_append(out, type, strlen(type) + 1);
    buf_append(out, destination->place, strlen(destination->place) + 1);
    operations_of(destination)->append_form(destination, out);
}

struct target_id target_identify(const struct destination *destination)
{
    static const char after[] = "\0after";
    struct target_id id;
    uint8_t hash[SHA256_LENGTH];
    struct buf identity;

    buf_init(&identity, IDENTITY_MAX);
    append_identity(destination, &identity);
    if (destination->after) {
        buf_append(&identity, after, sizeof(after));
        append_identity(destination->after, &identity);
    }
    if (identity.failed != 0 || crypto_sha256(identity.data, identity.length, hash) != 0)
        fault_out_of_memory();
    memcpy(id.bytes, hash, sizeof(id.bytes));
    buf_done(&identity);
    return id;
}

void target_describe(const struct destination *destination, const char *location, char *out,
                     size_t size)
{
    char *place = target_place(destination, location);

    (void)snprintf(out, size, "%s %s%s%s%s", destination->type->variant.name, place,
                   destination->after ? " (after " : "",
                   destination->after ? destination->after->name : "",
                   destination->after ? ")" : "");
    if (size > 0)
        out[utf8_whole(out, strlen(out))] = '\0';
    free(place);
}

bool target_is_readable(const struct destination *destination)
{
    return !destination->type->is_unreadable;
}

bool target_settles_at_once(const struct destination *destination)
{
    return operations_of(destination)->settles_at_once;
}

void target_world_done(struct target_world *world)
{
    vault_session_forget_all(world);
    unit_forget_all(world);
    target_queue_done(&world->queue);
    key_vault_hosts_free(world->key_vaults);
    world->key_vaults = NULL;
}

static struct target_job *start(struct target_world *world, struct target_request *request)
{
    request->id = target_identify(request->destination);
    operations_of(request->destination)->start(world, request);
    return world->started;
}

struct target_job *target_probe(struct target_world *world, const struct destination *destination,
                                const char *location, target_done *done, void *context)
{
    return start(world, &(struct target_request){
                            .action = TARGET_ACTION_PROBE,
                            .destination = destination,
                            .location = location,
                            .done = done,
                            .context = context,
                        });
}

struct target_job *target_read(struct target_world *world, const struct destination *destination,
                               const char *location, bool set_form, target_done *done,
                               void *context)
{
    return start(world,
                 &(struct target_request){
                     .action = set_form ? TARGET_ACTION_READ_AND_SET_FORM : TARGET_ACTION_READ,
                     .destination = destination,
                     .location = location,
                     .done = done,
                     .context = context,
                 });
}

struct target_job *target_deliver(struct target_world *world, const struct destination *destination,
                                  const struct delivery *delivery, target_done *done, void *context)
{
    return start(world, &(struct target_request){
                            .action = TARGET_ACTION_DELIVER,
                            .destination = destination,
                            .location = delivery->location,
                            .delivery = delivery,
                            .done = done,
                            .context = context,
                        });
}

void target_tell(struct target_world *world, const struct destination *destination,
                 const struct target_news *news, target_done *done, void *context)
{
    (void)start(world, &(struct target_request){
                           .action = TARGET_ACTION_TELL,
                           .destination = destination,
                           .news = news,
                           .done = done,
                           .context = context,
                       });
}

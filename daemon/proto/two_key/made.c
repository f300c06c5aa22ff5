#include "base/date.h"
#include "base/json_path.h"
#include "proto/two_key/two_key.h"

/* When keys were made, as far as Azure tells. Nothing depends on it, so that whatever is not a time
 * is one that is not told. */

static time_ms read_time(struct json_object *document, const char *path)
{
    const char *text;
    struct err ignored;
    time_ms at;

    if (json_text_at(document, path, &text, &ignored) < 0 || !text)
        return 0;
    return date_from_rfc3339(text, &at) && at > 0 ? at : 0;
}

void two_key_read_made(const struct two_key_resource *resource, enum two_key_teller answer,
                       const char *body, size_t length, time_ms made[SLOT_COUNT])
{
    struct json_object *document;
    struct err ignored;

    if (!resource->made_paths[SLOT_PRIMARY] || resource->made_told_by != answer)
        return;
    document = json_parse_foreign(body, length, &ignored);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        made[slot] = document ? read_time(document, resource->made_paths[slot]) : 0;
    json_free_wiped(document);
}

#include <errno.h>
#include <stdlib.h>

#include "ctl/identify.h"

void findings_done(struct findings *findings)
{
    for (size_t i = 0; i < findings->file_count; i++)
        free(findings->files[i]);
    for (size_t i = 0; i < findings->skipped_count && i < SCAN_SKIPPED_NAMED; i++)
        free(findings->skipped[i].path);
    free(findings->files);
    free(findings->keys);
}

int findings_add(struct findings *findings, const struct fingerprint *fingerprint)
{
    if (findings->key_count == findings->key_room) {
        const size_t room = findings->key_room ? 2 * findings->key_room : 64;
        struct found_key *keys = realloc(findings->keys, room * sizeof(*keys));

        if (!keys)
            return -ENOMEM;
        findings->keys = keys;
        findings->key_room = room;
    }
    findings->keys[findings->key_count++] = (struct found_key){
        .file = findings->file_count > 0 ? findings->file_count - 1 : 0,
        .fingerprint = *fingerprint,
    };
    return 0;
}

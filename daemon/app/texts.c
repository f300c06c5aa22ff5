#include "app/texts.h"

#include <stdlib.h>

#include "base/must.h"

void texts_add(struct texts *texts, const char *text)
{
    if (texts->count == texts->room) {
        texts->room = texts->room == 0 ? 16 : 2 * texts->room;
        texts->items = must(reallocarray(texts->items, texts->room, sizeof(*texts->items)));
    }
    texts->items[texts->count++] = must_dup(text);
}

void texts_done(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
    *texts = (struct texts){.count = 0};
}

#include "io/spawner/spawner_wire.h"

#include <errno.h>
#include <string.h>

static size_t count_words(const char *const *words)
{
    size_t count = 0;

    while (words[count])
        count++;
    return count;
}

int spawner_wire_start(struct buf *out, uint64_t id, const char *const *arguments,
                       const char *const *environment)
{
    const size_t argument_count = count_words(arguments);
    const size_t variable_count = count_words(environment);
    const struct spawner_order order = {
        .verb = SPAWNER_VERB_START,
        .argument_count = (uint32_t)argument_count,
        .variable_count = (uint32_t)variable_count,
        .id = id,
    };

    if (argument_count > PROGRAM_WORDS_MAX || variable_count > PROGRAM_WORDS_MAX)
        return -E2BIG;
    buf_append(out, &order, sizeof(order));
    for (size_t i = 0; i < argument_count; i++)
        buf_append(out, arguments[i], strlen(arguments[i]) + 1);
    for (size_t i = 0; i < variable_count; i++)
        buf_append(out, environment[i], strlen(environment[i]) + 1);
    return out->failed == -EMSGSIZE ? -E2BIG : out->failed;
}

/* Returns the position behind the words, or NULL. */
static char *read_words(char *at, const char *end, uint32_t count, char **words)
{
    for (uint32_t i = 0; i < count; i++) {
        char *nul = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;

        if (!nul)
            return NULL;
        words[i] = at;
        at = nul + 1;
    }
    words[count] = NULL;
    return at;
}

bool spawner_wire_read(char *message, size_t length, struct spawner_words *words)
{
    struct spawner_order order;
    char *at = message + sizeof(order);

    if (length < sizeof(order))
        return false;
    memcpy(&order, message, sizeof(order));
    if (order.verb != SPAWNER_VERB_START || order.argument_count == 0 ||
        order.argument_count > PROGRAM_WORDS_MAX || order.variable_count > PROGRAM_WORDS_MAX)
        return false;
    at = read_words(at, message + length, order.argument_count, words->arguments);
    if (at)
        at = read_words(at, message + length, order.variable_count, words->variables);
    return at == message + length;
}

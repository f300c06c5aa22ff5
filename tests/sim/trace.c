/*
 * What is told of a world: lines "12d 00:00:05.250  a1  azure     regenerates secondary: k3
 * replaces k2", in true time since the world began.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "world.h"

struct trace {
    struct buf text;
};

enum { TRACE_MAX = 64 * 1024 * 1024, LINE_MAX_BYTES = 400 };

struct trace *trace_new(void)
{
    struct trace *trace = malloc(sizeof(*trace));

    if (!trace)
        abort();
    buf_init(&trace->text, TRACE_MAX);
    return trace;
}

void trace_free(struct trace *trace)
{
    if (!trace)
        return;
    buf_done(&trace->text);
    free(trace);
}

const char *trace_text(const struct trace *trace)
{
    return buf_str(&trace->text);
}

void trace_tell(struct world *world, const struct world_account *account, const char *who,
                const char *format, ...)
{
    duration_ms since = world->now - world->began;
    char line[LINE_MAX_BYTES];
    va_list arguments;

    /* Lines of a dead process while it is freed are dropped. */
    if (!world->trace)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    buf_append_format(&world->trace->text, "%lldd %02lld:%02lld:%02lld.%03lld  %-3s %-9s %s\n",
                      (long long)(since / MS_DAY), (long long)(since / MS_HOUR % 24),
                      (long long)(since / MS_MINUTE % 60), (long long)(since / MS_SECOND % 60),
                      (long long)(since % MS_SECOND), account ? account->name : "-", who, line);
}

/*
 * Where log lines go: the native journal, logfmt or JSON lines. The sink writes lines on its own
 * thread, so that callers never wait (io/log/log_private.h). Lasting trouble is logged once, for
 * all subjects together (io/log/log_private.h).
 */
#ifndef KEYROTATED_IO_LOG_SINK_H
#define KEYROTATED_IO_LOG_SINK_H

#include "base/log.h"
#include "conf/config.h"
#include "io/loop/loop.h"

struct log_sink;

/*
 * Points log->write at the sink. LOG_FORMAT_AUTO: the journal if $JOURNAL_STREAM names stderr
 * (device:inode), else logfmt on stderr. `log` must outlive the sink. One
 * thread at a time may write to it. Lines are kept until log_sink_start().
 */
struct log_sink *log_sink_new(struct log *log, enum log_format format, enum log_level level);

/* Starts the thread that writes (io/log/log_private.h); it inherits the calling thread's system
 * call filter. Returns 0 or a negative errno value. */
int log_sink_start(struct log_sink *sink);

/* From now on troubles are gathered, and logged again daily. log_sink_unwatch() logs the gathered
 * rest and ends this; call it before the daemon's last event. The sink must live until the loop has
 * ended. */
void log_sink_watch(struct log_sink *sink, struct loop *loop);
void log_sink_unwatch(struct log_sink *sink);

/* Is stderr connected to the journal rather than to a terminal? */
bool log_sink_is_journal(void);

/* Sets format and level for later lines. */
void log_sink_configure(struct log_sink *sink, enum log_format format, enum log_level level);
/* Writes the queued lines as far as they are read (log_writer_free()), and frees the sink;
 * log->write is NULL afterwards. */
void log_sink_free(struct log_sink *sink);

/* Writes a message for a person to stderr, before the end of a start that failed. Gives up when
 * nobody reads it. */
void log_say_to_stderr(const char *text);

/* The journal's MESSAGE_ID of an event (32 hex digits), or NULL for an unknown one. Listed, with an
 * explanation each, in systemd/keyrotated.catalog. */
const char *log_event_message_id(const char *event);

#endif

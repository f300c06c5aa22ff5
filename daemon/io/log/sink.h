/*
 * Where log lines go: the native journal, logfmt or JSON lines. Nobody waits for a line to be
 * written: that happens on a thread of the sink's (log_writer.h). Trouble that lasts is told once,
 * and for all that have it together (log_troubles.h).
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

/* Starts the thread that writes (log_writer.h); it inherits the calling thread's system call
 * filter. Returns 0 or a negative errno value. */
int log_sink_start(struct log_sink *sink);

/* From now on trouble is gathered, and told again daily. Unwatch before the last event of the
 * daemon: what is untold is told then, and what repeats itself afterwards is not. The sink must
 * live until the loop has ended. */
void log_sink_watch(struct log_sink *sink, struct loop *loop);
void log_sink_unwatch(struct log_sink *sink);

/* Is what is written to stderr for the journal, and not for a person at a terminal? */
bool log_sink_is_journal(void);

/* Lines from now on. */
void log_sink_configure(struct log_sink *sink, enum log_format format, enum log_level level);
/* Writes all that is queued unless nobody reads it (log_writer_free()); frees; log->write is NULL
 * afterwards. */
void log_sink_free(struct log_sink *sink);

/* Writes a message for a person to stderr as it is, before the end of a start that failed. Given up
 * where nobody reads it. */
void log_say_to_stderr(const char *text);

/* The journal's MESSAGE_ID of an event (32 hex digits), or NULL for an unknown one. Listed, with an
 * explanation each, in systemd/keyrotated.catalog. */
const char *log_event_message_id(const char *event);

#endif

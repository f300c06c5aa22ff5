/* The last steps of an answer: how it, or something else, gets onto the connection. */
#ifndef AZURESIM_WIRE_H
#define AZURESIM_WIRE_H

#include <microhttpd.h>
#include <stdint.h>

#include "http.h"

/* Sends the whole reply. REPLY's file, if any, is taken over. */
enum MHD_Result wire_send(struct MHD_Connection *connection, struct http_reply *reply);

/* Announces the whole body, sends half of it and closes. */
enum MHD_Result wire_send_truncated(struct MHD_Connection *connection,
                                    const struct http_reply *reply);

/* Sends SIZE bytes of blanks as the body, or blanks without end for UINT64_MAX. */
enum MHD_Result wire_send_oversized(struct MHD_Connection *connection,
                                    const struct http_reply *reply, uint64_t size);

/* Ends the TCP connection with a reset. The caller returns MHD_NO. */
void wire_reset(struct MHD_Connection *connection);

/* Ends the TCP connection with a FIN and no TLS close_notify, at once, so that work may go on while
 * the client already knows. The caller returns MHD_NO. */
void wire_cut(struct MHD_Connection *connection);

enum wire_wait { WAIT_OVER, WAIT_CLIENT_GONE, WAIT_STOPPED };

/* Waits MS milliseconds, but no longer than STOP_FD stays unreadable and (with CONNECTION not NULL)
 * than the client keeps the connection open. */
enum wire_wait wire_wait(struct MHD_Connection *connection, int64_t ms, int stop_fd);

#endif

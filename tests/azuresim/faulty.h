/* Answers a request of one of Azure's faces, well or badly: picks the fault, lets the face do its
 * work where the fault leaves it an effect, writes the truth, and spoils the answer. */
#ifndef AZURESIM_FAULTY_H
#define AZURESIM_FAULTY_H

#include <microhttpd.h>

#include "sim.h"

/* Runs in the thread of CONNECTION, which may wait. */
enum MHD_Result faulty_handle(struct sim *sim, struct MHD_Connection *connection,
                              struct http_request *request);

#endif

/* Azure Resource Graph: POST /providers/Microsoft.ResourceGraph/resources. Its index can be
 * stopped, so that it shows the world as it was. */
#ifndef AZURESIM_ARM_GRAPH_H
#define AZURESIM_ARM_GRAPH_H

#include "sim.h"

/* Is the request for it? */
bool arm_graph_is_meant(const struct http_request *request);

/* After authentication. */
void arm_graph_handle(struct sim *sim, const struct http_request *request,
                      const struct principal *principal, struct http_reply *reply);

/* From now on the index stands still, or follows the world again. */
void arm_graph_stop(struct sim *sim, bool stopped);

#endif

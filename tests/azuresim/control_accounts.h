/* The part of the control API that creates, shows and changes Batch accounts. */
#ifndef AZURESIM_CONTROL_ACCOUNTS_H
#define AZURESIM_CONTROL_ACCOUNTS_H

#include "sim.h"

/* PUT /_sim/accounts: one account (object) or many (array). */
void control_accounts_put(struct sim *sim, const struct http_request *request,
                          struct http_reply *reply);

/* GET /_sim/accounts: the names. */
void control_accounts_list(struct sim *sim, const struct http_request *request,
                           struct http_reply *reply);

/* GET, PATCH, DELETE /_sim/accounts/{name} */
void control_accounts_get(struct sim *sim, const struct http_request *request,
                          struct http_reply *reply);
void control_accounts_patch(struct sim *sim, const struct http_request *request,
                            struct http_reply *reply);
void control_accounts_delete(struct sim *sim, const struct http_request *request,
                             struct http_reply *reply);

/* POST /_sim/accounts/{name}/regenerate {"slot"}: somebody else rotates. */
void control_accounts_regenerate(struct sim *sim, const struct http_request *request,
                                 struct http_reply *reply);

#endif

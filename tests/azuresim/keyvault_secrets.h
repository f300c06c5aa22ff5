/* The operations on secrets, for requests that Key Vault let pass: one function for each. */
#ifndef AZURESIM_KEYVAULT_SECRETS_H
#define AZURESIM_KEYVAULT_SECRETS_H

#include "sim.h"

#define SECRET_NAME_MAX 127

void secrets_handle_set(struct sim *sim, const struct http_request *request,
                        struct http_reply *reply);
void secrets_handle_get(struct sim *sim, const struct http_request *request,
                        struct http_reply *reply);
void secrets_handle_list(struct sim *sim, const struct http_request *request,
                         struct http_reply *reply);
void secrets_handle_list_versions(struct sim *sim, const struct http_request *request,
                                  struct http_reply *reply);
void secrets_handle_update(struct sim *sim, const struct http_request *request,
                           struct http_reply *reply);
void secrets_handle_delete(struct sim *sim, const struct http_request *request,
                           struct http_reply *reply);
void secrets_handle_get_deleted(struct sim *sim, const struct http_request *request,
                                struct http_reply *reply);
void secrets_handle_recover(struct sim *sim, const struct http_request *request,
                            struct http_reply *reply);
void secrets_handle_purge(struct sim *sim, const struct http_request *request,
                          struct http_reply *reply);

#endif

/* The clouds that the stand-in can be: under which names its faces are asked for, and which
 * audiences its tokens have. One process is one of them; `localhost`, if none is chosen. */
#ifndef AZURESIM_CLOUD_H
#define AZURESIM_CLOUD_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"

#define CLOUD_ARM_AUDIENCES 2

struct cloud {
    const char *name;
    const char *arm;         /* host of Resource Manager; NULL: any */
    const char *login;       /* host of the directory, with the path before a tenant; NULL: any */
    const char *login_alias; /* another name of that host; NULL: none */
    const char *batch;       /* the domain of data planes */
    const char *vault;       /* the domain of vaults */
    const char *arm_audiences[CLOUD_ARM_AUDIENCES];
    const char *batch_audience;
    const char *vault_resource;
    const char *certificate_names; /* as OpenSSL wants them */
    bool has_port; /* its URLs have the stand-in's port; others are reached at 443 by
                    * whoever leads there (a proxy, a resolver) */
};

/* Returns false where there is none of that name. To be called before the first request. */
bool cloud_choose(const char *name);

const struct cloud *cloud_chosen(void);

/* "https://login.microsoftonline.com", "https://localhost:8443", to be freed. */
char *cloud_login_url(uint16_t port);

/* "ACCOUNT.REGION.batch.azure.com", to be freed. */
char *cloud_batch_endpoint(const char *account, const char *region, uint16_t port);

/* Is the request's host a name below that domain? */
bool cloud_is_below(const struct http_request *request, const char *domain);

/* Is the request's host that of the cloud's Resource Manager, of its directory? */
bool cloud_is_arm(const struct http_request *request);
bool cloud_is_login(const struct http_request *request);

bool cloud_metadata_identify(struct http_request *request);

/* GET /metadata/endpoints: one object for the api-version 2015-01-01 and 2022-09-01, a list of
 * clouds for those between. */
void cloud_metadata_handle(const struct http_request *request, struct http_reply *reply);

#endif

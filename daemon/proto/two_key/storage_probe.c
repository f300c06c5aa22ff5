#include "proto/two_key/storage_probe.h"

#include <errno.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/str.h"
#include "proto/two_key/shared_key.h"

static int build(const struct two_key_probe_form *form, struct http_request *request,
                 const struct two_key_probe *probe, struct err *err)
{
    char date[DATE_TEXT_MAX];
    char *name;
    int rc = probe_begin(form, request, probe, err);

    if (rc < 0)
        return rc;
    name = str_dup(probe->name);
    if (!name)
        return err_set(err, -ENOMEM, "the request cannot be signed: there is no memory");
    /* Names of Storage accounts are lower case in Azure, even when the resource id is not. */
    str_lower(name);
    http_request_header(request, "x-ms-date", date_to_http(probe->now, date));
    http_request_header(request, "x-ms-version", "2021-12-02");
    rc = shared_key_sign(request, name, "x-ms-", probe->key, err);
    free(name);
    return rc == 0 ? probe_check_fits(request, err) : rc;
}

const struct two_key_probe_form storage_probe = {
    .build = build,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a listing of one container",
    .service = "the Storage service",
    .method = "GET",
    .path = "/?comp=list&maxresults=1",
    .accepted = {200, 404},
    .refused = {401, 403},
    .refused_codes = {"AuthenticationFailed", "AuthorizationFailure"},
    .off_code = "KeyBasedAuthenticationNotPermitted",
};

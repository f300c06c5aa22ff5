/*
 * A cloud's own description of itself: where its tokens come from, and for whom they are. Every
 * Azure Resource Manager gives it to anybody, at /metadata/endpoints.
 *
 * Source: learn.microsoft.com, "Azure Stack Hub: connect", and the answers of
 * management.azure.com/metadata/endpoints. The api-version decides its form: an object with
 * `authentication` alone (2015-01-01), a list of clouds (2019-05-01), one cloud (2022-09-01).
 */
#ifndef KEYROTATED_PROTO_CLOUD_METADATA_H
#define KEYROTATED_PROTO_CLOUD_METADATA_H

#include "base/buf.h"
#include "core/look.h"
#include "proto/http_message.h"

enum { CLOUD_METADATA_TEXT_MAX = 512, CLOUD_METADATA_FORMS = 3 };

/* URLs without slashes at their ends; an audience is as the cloud has it. */
struct cloud_metadata {
    char name[CLOUD_METADATA_TEXT_MAX];               /* "AzureStack"; "": it gives none */
    char resource_manager[CLOUD_METADATA_TEXT_MAX];   /* that was asked */
    char login[CLOUD_METADATA_TEXT_MAX];              /* "https://adfs.contoso.example/adfs" */
    char audience[CLOUD_METADATA_TEXT_MAX];           /* of tokens for Resource Manager */
    char key_vault_audience[CLOUD_METADATA_TEXT_MAX]; /* "": it does not say */
};

/* Builds the request for the description in one of the forms (0: the newest). 0, or -ENOMEM,
 * -EMSGSIZE with err set. http_request_done() in any case. */
int cloud_metadata_request(struct http_request *request, const char *resource_manager,
                           unsigned form, struct err *err);

/* Does the server want another api-version? */
bool cloud_metadata_wants_other_form(const struct http_reply *reply);

/* Reads the answer, in whatever form: 0, or -EIO with a failure that names cause and remedy. No URL
 * has been checked yet but for its length and characters. */
int cloud_metadata_read(struct cloud_metadata *metadata, const struct http_reply *reply,
                        const char *resource_manager, time_ms now, struct failure *failure);

/* For keeping it in a file, and reading it there: 0, or -EBADMSG, -ENOMEM with err set. */
void cloud_metadata_write(struct buf *out, const struct cloud_metadata *metadata);
int cloud_metadata_parse(struct cloud_metadata *metadata, const char *text, size_t length,
                         struct err *err);

#endif

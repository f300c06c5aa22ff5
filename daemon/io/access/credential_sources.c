#include "base/str.h"
#include "io/access/credential.h"

extern const struct credential_source credential_azure_cli;
extern const struct credential_source credential_client_certificate;
extern const struct credential_source credential_client_secret;
extern const struct credential_source credential_managed_identity;
extern const struct credential_source credential_workload_identity;

static const struct credential_source *const sources[] = {
    &credential_azure_cli,        &credential_client_certificate, &credential_client_secret,
    &credential_managed_identity, &credential_workload_identity,
};

const struct credential_source *credential_source_of(const struct identity_type *type)
{
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        if (str_equal(sources[i]->type, type->variant.name))
            return sources[i];
    }
    return NULL;
}

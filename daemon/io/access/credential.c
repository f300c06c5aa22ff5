#include "io/access/credential.h"

static const struct credential_source *const sources[] = {
    &credential_client_secret,
    &credential_managed_identity,
};

const struct credential_source *credential_source_of(const struct identity_type *type)
{
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        if (sources[i]->type == type)
            return sources[i];
    }
    return NULL;
}

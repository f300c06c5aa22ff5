#include "conf/identity.h"
#include "conf/schema_row.h"

extern const struct identity_type identity_azure_cli;
extern const struct identity_type identity_client_certificate;
extern const struct identity_type identity_client_secret;
extern const struct identity_type identity_managed_identity;
extern const struct identity_type identity_workload_identity;

// clang-format off
const struct schema_variant *const schema_identity_types[] = {
    &identity_client_secret.variant,
    &identity_client_certificate.variant,
    &identity_workload_identity.variant,
    &identity_managed_identity.variant,
    &identity_azure_cli.variant,
    NULL,
};
// clang-format on

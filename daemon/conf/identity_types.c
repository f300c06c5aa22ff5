#include "conf/identity.h"
#include "conf/schema_row.h"

extern const struct identity_type identity_client_certificate;
extern const struct identity_type identity_client_secret;
extern const struct identity_type identity_managed_identity;
extern const struct identity_type identity_workload_identity;

static const struct schema_map azure_cli = {(const struct schema_key[]){
    SCHEMA_ROW("command", SCHEMA_TEXT, .shape = SHAPE_ONE_OR_LIST, .fallback = "az"),
    SCHEMA_END,
}};

const struct schema_variant *const schema_identity_types[] = {
    &identity_client_secret.variant,       &identity_managed_identity.variant,
    &identity_client_certificate.variant,  &identity_workload_identity.variant,
    SCHEMA_LATER("azure_cli", &azure_cli), NULL,
};

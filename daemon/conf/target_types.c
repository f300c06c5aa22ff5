#include "conf/schema_row.h"
#include "conf/target_app_settings.h"
#include "conf/target_file.h"
#include "conf/target_hashicorp_vault.h"
#include "conf/target_key_vault.h"
#include "conf/target_socket.h"
#include "conf/target_webhook.h"
#include "conf/target_kubernetes_secret.h"

/* The keys of later types are checked already, so that this version can check as much as possible
 * of a later version's file. */
static const struct schema_map exec = {(const struct schema_key[]){
    SCHEMA_ROW("command", SCHEMA_TEMPLATE, .shape = SHAPE_LIST, .required = true),
    SCHEMA_ROW("timeout", SCHEMA_DURATION, .fallback = "60s", .maximum = MS_DAY),
    SCHEMA_END,
}};

const struct schema_variant *const schema_target_types[] = {
    &target_file_type.variant,
    &target_key_vault_type.variant,
    &target_hashicorp_vault_type.variant,
    &target_app_settings_type.variant,
    SCHEMA_LATER("exec", &exec),
    &target_webhook_type.variant,
    &target_socket_type.variant,
    &target_kubernetes_secret_type.variant,
    SCHEMA_LATER("systemd_credential", NULL),
    NULL,
};

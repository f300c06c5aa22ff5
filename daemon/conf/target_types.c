#include "conf/schema_row.h"
#include "conf/target_app_settings.h"
#include "conf/target_batch_auto_storage.h"
#include "conf/target_exec.h"
#include "conf/target_file.h"
#include "conf/target_hashicorp_vault.h"
#include "conf/target_key_vault.h"
#include "conf/target_socket.h"
#include "conf/target_systemd_credential.h"
#include "conf/target_webhook.h"
#include "conf/target_kubernetes_secret.h"

const struct schema_variant *const schema_target_types[] = {
    &target_file_type.variant,
    &target_exec_type.variant,
    &target_key_vault_type.variant,
    &target_hashicorp_vault_type.variant,
    &target_app_settings_type.variant,
    &target_batch_auto_storage_type.variant,
    &target_webhook_type.variant,
    &target_socket_type.variant,
    &target_kubernetes_secret_type.variant,
    &target_systemd_credential_type.variant,
    NULL,
};

/*
 * The types of targets, a row each: target_NAME_operations, which NAME.c defines.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_LIST_H
#define KEYROTATED_IO_TARGET_TARGET_LIST_H

#include "io/target/target_type.h"

/* clang-format off */
#define TARGET_LIST(ROW)                                                                           \
    ROW(exec)                                                                                      \
    ROW(file)                                                                                      \
    ROW(key_vault)                                                                                 \
    ROW(hashicorp_vault)                                                                           \
    ROW(webhook)                                                                                   \
    ROW(socket)                                                                                    \
    ROW(kubernetes_secret)                                                                         \
    ROW(app_settings)                                                                              \
    ROW(batch_auto_storage)                                                                        \
    ROW(systemd_credential)                                                                        \
    ROW(unit)
/* clang-format on */

#define ROW(name) extern const struct target_operations target_##name##_operations;
TARGET_LIST(ROW)
#undef ROW

#endif

/*
 * The target `systemd_credential`: a file that systemd decrypts for a unit with
 * LoadCredentialEncrypted=.
 */
#ifndef KEYROTATED_IO_TARGET_SYSTEMD_CREDENTIAL_H
#define KEYROTATED_IO_TARGET_SYSTEMD_CREDENTIAL_H

#include "io/target/target_type.h"

extern const struct target_operations target_systemd_credential_operations;

#endif

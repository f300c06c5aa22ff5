/*
 * The settings of a target of type `systemd_credential`.
 */
#ifndef KEYROTATED_CONF_TARGET_SYSTEMD_CREDENTIAL_H
#define KEYROTATED_CONF_TARGET_SYSTEMD_CREDENTIAL_H

#include "base/time.h"
#include "conf/target_type.h"

/* The place is the path of the file with the encrypted credential. */
struct target_systemd_credential {
    const char *name;      /* of the credential in the unit that reads it */
    const char *key;       /* for systemd-creds --with-key= */
    duration_ms not_after; /* how long after its encryption it can be decrypted; 0: for ever */
    const char
        *host_secret_file; /* absolute or below $CREDENTIALS_DIRECTORY; NULL: systemd's own */
    const char *program;
};

extern const struct target_type target_systemd_credential_type;

/* The settings of a destination of this type. */
static inline const struct target_systemd_credential *target_systemd_credential_of(
    const struct destination *destination)
{
    return destination->settings;
}

#endif

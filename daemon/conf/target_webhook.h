/*
 * The settings of a target of type `webhook`.
 */
#ifndef KEYROTATED_CONF_TARGET_WEBHOOK_H
#define KEYROTATED_CONF_TARGET_WEBHOOK_H

#include "conf/target_type.h"

enum { TARGET_WEBHOOK_SECRETS_MAX = 2, TARGET_WEBHOOK_PINS_MAX = 2 };

/* The place is the URL. */
struct target_webhook {
    /* Of the secrets, each of which signs. Relative ones lie below $CREDENTIALS_DIRECTORY. */
    const char *secret_files[TARGET_WEBHOOK_SECRETS_MAX];
    size_t secret_count;
    bool include_key;
    const char *ca_file; /* NULL: as for everything else */
    const char *pin;     /* "sha256//BASE64", or two with a ';' between them; NULL: none */
    duration_ms timeout;
};

extern const struct target_type target_webhook_type;

/* The settings of a destination of this type. */
static inline const struct target_webhook *target_webhook_of(const struct destination *destination)
{
    return destination->settings;
}

#endif

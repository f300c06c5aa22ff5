/*
 * The two places a key can stand in, and the only trace of a key that the core ever sees.
 */
#ifndef KEYROTATED_CORE_SLOT_H
#define KEYROTATED_CORE_SLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum slot { SLOT_PRIMARY = 0, SLOT_SECONDARY = 1 };
enum { SLOT_COUNT = 2 };

static inline enum slot slot_other(enum slot slot)
{
    return slot == SLOT_PRIMARY ? SLOT_SECONDARY : SLOT_PRIMARY;
}

/* "primary" / "secondary": for people, the configuration and the log. */
const char *slot_name(enum slot slot);
/* Reads either name without regard to case. */
bool slot_from_name(const char *name, enum slot *ret_slot);

/*
 * A keyed hash of an account key: HMAC-SHA-256 with the journal's salt, cut to 16 bytes. All zero
 * means "no key".
 */
enum { FINGERPRINT_LENGTH = 16, FINGERPRINT_TEXT_MAX = 2 * FINGERPRINT_LENGTH + 1 };
struct fingerprint {
    uint8_t bytes[FINGERPRINT_LENGTH];
};

static inline bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b)
{
    return memcmp(a->bytes, b->bytes, FINGERPRINT_LENGTH) == 0;
}

static inline bool fingerprint_is_none(const struct fingerprint *fingerprint)
{
    static const struct fingerprint none;

    return fingerprint_equal(fingerprint, &none);
}

#endif

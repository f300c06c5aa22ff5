#include "base/sealed.h"

#include <stdlib.h>

struct sealed {
    struct secret *pad;
    struct secret *masked; /* the secret XOR the pad */
};

struct sealed *sealed_new(const struct secret *secret)
{
    struct sealed *sealed = calloc(1, sizeof(*sealed));

    if (!sealed)
        return NULL;
    sealed->pad = secret_random(secret_length(secret));
    if (sealed->pad)
        sealed->masked = secret_xor(secret, sealed->pad);
    if (!sealed->masked) {
        sealed_free(sealed);
        return NULL;
    }
    return sealed;
}

struct secret *sealed_open(const struct sealed *sealed)
{
    return secret_xor(sealed->masked, sealed->pad);
}

void sealed_free(struct sealed *sealed)
{
    if (!sealed)
        return;
    secret_free(sealed->pad);
    secret_free(sealed->masked);
    free(sealed);
}

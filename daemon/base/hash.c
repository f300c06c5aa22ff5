#include "base/hash.h"

uint64_t hash_byte(uint64_t hash, uint8_t byte)
{
    return (hash ^ byte) * UINT64_C(0x100000001b3);
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < length; i++)
        hash = hash_byte(hash, byte[i]);
    return hash;
}

uint64_t hash_folded_text(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++) {
        char c = *text;

        hash = hash_byte(hash, (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c));
    }
    return hash_byte(hash, 0);
}

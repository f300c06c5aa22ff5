#include "base/crypto.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/wipe.h"

/* Like OpenSSL's own realloc: a size of 0 frees the block and returns NULL. */

static void *on_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size > 0 ? malloc(size) : NULL;
}

static void on_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    wiping_free(memory);
}

static void *on_realloc(void *memory, size_t size, const char *file, int line)
{
    if (size > 0)
        return wiping_realloc(memory, size);
    on_free(memory, file, line);
    return NULL;
}

bool crypto_wipe_freed_memory(void)
{
    return CRYPTO_set_mem_functions(on_malloc, on_realloc, on_free) == 1;
}

void crypto_wipe_received(void *tls_context)
{
    (void)SSL_CTX_set_options((SSL_CTX *)tls_context, SSL_OP_CLEANSE_PLAINTEXT);
}

/* OpenSSL would ask for it at the terminal. */
static int no_password(char *out, int size, int is_writing, void *context)
{
    (void)out;
    (void)size;
    (void)is_writing;
    (void)context;
    return 0;
}

int crypto_check_authorities(const char *path, struct err *err)
{
    X509_STORE *store;
    struct stat status;
    bool is_loaded, is_memory_out;
    unsigned long code;

    if (stat(path, &status) < 0 || access(path, R_OK) < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    if (!S_ISREG(status.st_mode)) /* it might never end */
        return err_set(err, -EINVAL, "%s is not a regular file", path);
    store = X509_STORE_new();
    is_loaded = store && X509_STORE_load_file(store, path) == 1;
    /* When OpenSSL has no memory for its error queue, the queue stays empty. */
    is_memory_out = ERR_peek_error() == 0;
    while ((code = ERR_get_error()) != 0)
        is_memory_out = is_memory_out || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE ||
                        (ERR_SYSTEM_ERROR(code) && ERR_GET_REASON(code) == ENOMEM);
    X509_STORE_free(store);
    if (is_loaded)
        return 0;
    if (is_memory_out)
        return err_set(err, -ENOMEM, "out of memory while reading %s", path);
    return err_set(err, -ENODATA, "%s holds no certificate that can be read", path);
}

int crypto_check_authorities_text(const void *pem, size_t length, struct err *err)
{
    /* Of an empty file there may be no text at all, which OpenSSL refuses. */
    const bool is_readable = length > 0 && length <= INT_MAX;
    BIO *bio = is_readable ? BIO_new_mem_buf(pem, (int)length) : NULL;
    STACK_OF(X509_INFO) *items = bio ? PEM_X509_INFO_read_bio(bio, NULL, no_password, NULL) : NULL;
    bool is_memory_out = !bio && is_readable;
    int count = 0;
    unsigned long code;

    for (int i = 0; items && i < sk_X509_INFO_num(items); i++)
        count += sk_X509_INFO_value(items, i)->x509 ? 1 : 0;
    while ((code = ERR_get_error()) != 0)
        is_memory_out = is_memory_out || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    sk_X509_INFO_pop_free(items, X509_INFO_free);
    BIO_free(bio);
    if (is_memory_out)
        return err_set(err, -ENOMEM, "out of memory");
    return count > 0 ? 0 : err_set(err, -ENODATA, "it holds no certificate that can be read");
}

int crypto_sha256(const void *bytes, size_t length, uint8_t out[SHA256_LENGTH])
{
    return EVP_Digest(bytes, length, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

int crypto_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
                       uint8_t out[SHA256_LENGTH])
{
    if (key_length > INT_MAX)
        return -EIO;
    if (!HMAC(EVP_sha256(), key, (int)key_length, bytes, length, out, NULL))
        return -EIO;
    return 0;
}

int crypto_random(void *out, size_t length)
{
    if (length > INT_MAX)
        return -EIO;
    return RAND_bytes(out, (int)length) == 1 ? 0 : -EIO;
}

int crypto_uuid(char out[UUID_TEXT_MAX])
{
    /* Lengths in bytes of the five groups that hyphens separate (RFC 9562, section 4). */
    static const size_t group_lengths[] = {4, 2, 2, 2, 6};
    uint8_t bytes[16];

    if (crypto_random(bytes, sizeof(bytes)) != 0)
        return -EIO;
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40); /* version 4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80); /* the variant of RFC 9562 */

    const uint8_t *group = bytes;
    char *end = out;
    for (size_t i = 0; i < sizeof(group_lengths) / sizeof(group_lengths[0]); i++) {
        if (i > 0)
            *end++ = '-';
        hex_encode(group, group_lengths[i], end);
        end += 2 * group_lengths[i];
        group += group_lengths[i];
    }
    return 0;
}

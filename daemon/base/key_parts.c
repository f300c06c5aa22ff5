#include "base/key_parts.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* A block of PEM: "-----BEGIN NAME-----", its headers, and its bytes. */
struct block {
    char *name;
    char *header;
    unsigned char *data;
    long length;
};

int key_pair_fail(struct key_pair_error *error, enum key_pair_problem problem, const char *format,
                  ...)
{
    va_list arguments;

    error->problem = problem;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return problem == KEY_PAIR_NO_MEMORY ? -ENOMEM : -EBADMSG;
}

bool key_pair_take_errors(bool *ret_unsupported)
{
    bool memory_out = ERR_peek_error() == 0;
    unsigned long code;

    *ret_unsupported = false;
    while ((code = ERR_get_error()) != 0) {
        const int library = ERR_GET_LIB(code), reason = ERR_GET_REASON(code);

        memory_out = memory_out || reason == ERR_R_MALLOC_FAILURE;
        *ret_unsupported = *ret_unsupported || reason == ERR_R_UNSUPPORTED ||
                           (library == ERR_LIB_EVP && (reason == EVP_R_UNSUPPORTED_ALGORITHM ||
                                                       reason == EVP_R_UNKNOWN_PBE_ALGORITHM ||
                                                       reason == EVP_R_UNKNOWN_CIPHER)) ||
                           (library == ERR_LIB_PEM && reason == PEM_R_UNSUPPORTED_ENCRYPTION);
    }
    return memory_out;
}

static int no_memory(struct key_pair_error *error)
{
    return key_pair_fail(error, KEY_PAIR_NO_MEMORY, "cannot be read: out of memory");
}

/* Decrypting failed. */
static int fail_to_decrypt(const struct secret *password, struct key_pair_error *error)
{
    bool unsupported;

    if (key_pair_take_errors(&unsupported))
        return no_memory(error);
    if (unsupported)
        return key_pair_fail(error, KEY_PAIR_CIPHER,
                             "is encrypted in an old way that OpenSSL %d leaves out",
                             OPENSSL_VERSION_MAJOR);
    if (!password)
        return key_pair_fail(error, KEY_PAIR_PASSWORD_MISSING, "is encrypted");
    return key_pair_fail(error, KEY_PAIR_PASSWORD_WRONG, "is encrypted with another password");
}

static int fail_to_read(const char *what, struct key_pair_error *error)
{
    bool unsupported;

    if (key_pair_take_errors(&unsupported))
        return no_memory(error);
    return key_pair_fail(error, KEY_PAIR_UNREADABLE, "holds a damaged %s", what);
}

/* Takes the certificate. More of them than fit are left out: no chain is so long. */
static void add_certificate(struct key_parts *parts, X509 *certificate)
{
    if (parts->count < KEY_PAIR_CHAIN_MAX)
        parts->certificates[parts->count++] = certificate;
    else
        X509_free(certificate);
}

/* Takes the key. */
static int add_key(struct key_parts *parts, EVP_PKEY *key, struct key_pair_error *error)
{
    if (!parts->key) {
        parts->key = key;
        return 0;
    }
    EVP_PKEY_free(key);
    return key_pair_fail(error, KEY_PAIR_MANY_KEYS, "holds more than one private key");
}

/* --- PEM --- */

/* Instead of OpenSSL's own, which asks on the terminal. */
static int on_password(char *out, int size, int writing, void *context)
{
    const struct secret *password = context;

    (void)writing;
    if (!password || secret_length(password) > (size_t)size)
        return -1;
    memcpy(out, secret_bytes(password), secret_length(password));
    return (int)secret_length(password);
}

static int read_certificate(struct key_parts *parts, const struct block *block,
                            struct key_pair_error *error)
{
    const unsigned char *data = block->data;
    /* A "TRUSTED CERTIFICATE" has the same bytes, and more behind them. */
    X509 *certificate = d2i_X509(NULL, &data, block->length);

    if (!certificate)
        return fail_to_read("certificate", error);
    add_certificate(parts, certificate);
    return 0;
}

static EVP_PKEY *from_pkcs8(PKCS8_PRIV_KEY_INFO *info)
{
    EVP_PKEY *key = info ? EVP_PKCS82PKEY(info) : NULL;

    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

/* "ENCRYPTED PRIVATE KEY" (RFC 5958, section 3) */
static int read_encrypted_key(struct key_parts *parts, const struct block *block,
                              const struct secret *password, struct key_pair_error *error)
{
    const unsigned char *data = block->data;
    X509_SIG *sealed = d2i_X509_SIG(NULL, &data, block->length);
    PKCS8_PRIV_KEY_INFO *info;
    EVP_PKEY *key;

    if (!sealed)
        return fail_to_read("private key", error);
    if (!password) {
        X509_SIG_free(sealed);
        return key_pair_fail(error, KEY_PAIR_PASSWORD_MISSING, "holds an encrypted private key");
    }
    info = PKCS8_decrypt(sealed, secret_bytes(password), (int)secret_length(password));
    X509_SIG_free(sealed);
    if (!info)
        return fail_to_decrypt(password, error);
    key = from_pkcs8(info);
    return key ? add_key(parts, key, error) : fail_to_read("private key", error);
}

/* "PRIVATE KEY", or the traditional "RSA PRIVATE KEY" with an encryption of its own (RFC 1421). */
static int read_key(struct key_parts *parts, struct block *block, const struct secret *password,
                    struct key_pair_error *error)
{
    const bool encrypted = !!strstr(block->header, "ENCRYPTED");
    const unsigned char *data;
    EVP_CIPHER_INFO cipher;
    EVP_PKEY *key;

    if (encrypted && !password)
        return key_pair_fail(error, KEY_PAIR_PASSWORD_MISSING, "holds an encrypted private key");
    if (encrypted && (PEM_get_EVP_CIPHER_INFO(block->header, &cipher) != 1 ||
                      PEM_do_header(&cipher, block->data, &block->length, on_password,
                                    (void *)(uintptr_t)password) != 1))
        return fail_to_decrypt(password, error);
    data = block->data;
    if (str_equal(block->name, "PRIVATE KEY"))
        key = from_pkcs8(d2i_PKCS8_PRIV_KEY_INFO(NULL, &data, block->length));
    else
        key = d2i_AutoPrivateKey(NULL, &data, block->length);
    if (key)
        return add_key(parts, key, error);
    /* The padding of a wrong decryption is right once in 256 times. */
    return encrypted ? fail_to_decrypt(password, error) : fail_to_read("private key", error);
}

static int read_block(struct key_parts *parts, struct block *block, const struct secret *password,
                      bool keys, struct key_pair_error *error)
{
    const char *name = block->name;

    if (str_equal(name, "CERTIFICATE") || str_equal(name, "X509 CERTIFICATE") ||
        str_equal(name, "TRUSTED CERTIFICATE"))
        return read_certificate(parts, block, error);
    if (str_equal(name, "ENCRYPTED PRIVATE KEY"))
        return keys ? read_encrypted_key(parts, block, password, error) : 0;
    if (str_equal(name, "PRIVATE KEY") || str_equal(name, "RSA PRIVATE KEY") ||
        str_equal(name, "EC PRIVATE KEY") || str_equal(name, "DSA PRIVATE KEY"))
        return keys ? read_key(parts, block, password, error) : 0;
    if (parts->stranger[0] == '\0')
        (void)snprintf(parts->stranger, sizeof(parts->stranger), "%s", name);
    return 0;
}

/* False at the end of the text, or where it is damaged. */
static bool next_block(BIO *text, struct block *block)
{
    *block = (struct block){.name = NULL};
    ERR_clear_error();
    return PEM_read_bio(text, &block->name, &block->header, &block->data, &block->length) == 1;
}

static void block_done(struct block *block)
{
    OPENSSL_free(block->name);
    OPENSSL_free(block->header);
    OPENSSL_clear_free(block->data, (size_t)block->length);
}

static int read_pem(struct key_parts *parts, BIO *text, const struct secret *password, bool keys,
                    struct key_pair_error *error)
{
    struct block block;
    int rc = 0;

    while (rc == 0 && next_block(text, &block)) {
        rc = read_block(parts, &block, password, keys, error);
        block_done(&block);
    }
    if (rc == 0 && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        rc = fail_to_read("block of PEM", error);
    ERR_clear_error();
    return rc;
}

/* --- PKCS#12 --- */

static int add_from_pkcs12(struct key_parts *parts, EVP_PKEY *key, X509 *certificate,
                           STACK_OF(X509) * others, bool keys, struct key_pair_error *error)
{
    X509 *other;
    int rc = 0;

    if (certificate)
        add_certificate(parts, certificate);
    while ((other = sk_X509_shift(others)))
        add_certificate(parts, other);
    if (key && keys)
        rc = add_key(parts, key, error);
    else
        EVP_PKEY_free(key);
    return rc;
}

static int read_pkcs12(struct key_parts *parts, BIO *bytes, const struct secret *password,
                       bool keys, struct key_pair_error *error)
{
    PKCS12 *bag = d2i_PKCS12_bio(bytes, NULL);
    STACK_OF(X509) *others = NULL;
    X509 *certificate = NULL;
    EVP_PKEY *key = NULL;
    bool unsupported;
    int rc;

    if (!bag) {
        if (key_pair_take_errors(&unsupported))
            return no_memory(error);
        return key_pair_fail(error, KEY_PAIR_UNREADABLE, "is neither PEM nor PKCS#12");
    }
    if (PKCS12_parse(bag, password ? secret_bytes(password) : NULL, &key, &certificate, &others) ==
        1)
        rc = add_from_pkcs12(parts, key, certificate, others, keys, error);
    else
        rc = fail_to_decrypt(password, error);
    sk_X509_pop_free(others, X509_free);
    PKCS12_free(bag);
    return rc;
}

/* --- either --- */

/* A sequence of DER (ITU-T X.690) of more than 127 bytes. */
static bool is_der(const struct buf *content)
{
    return content->length > 4 && (uint8_t)content->data[0] == 0x30 &&
           (uint8_t)content->data[1] > 0x80;
}

int key_parts_read(struct key_parts *parts, const struct buf *content,
                   const struct secret *password, bool keys, struct key_pair_error *error)
{
    const char *text = buf_str(content);
    size_t length = content->length;
    BIO *bio;
    int rc;

    if (length == 0)
        return key_pair_fail(error, KEY_PAIR_UNREADABLE, "is empty");
    if (str_starts_with(text, "\xEF\xBB\xBF")) { /* a byte order mark */
        text += 3;
        length -= 3;
    }
    if (!is_der(content) && !memmem(text, length, "-----BEGIN ", strlen("-----BEGIN ")))
        return key_pair_fail(error, KEY_PAIR_UNREADABLE, "is neither PEM nor PKCS#12%s",
                             str_starts_with(text, "MII") ? ", but the base64 text of one" : "");
    ERR_clear_error();
    bio = length <= INT_MAX ? BIO_new_mem_buf(text, (int)length) : NULL;
    if (!bio)
        return no_memory(error);
    rc = is_der(content) ? read_pkcs12(parts, bio, password, keys, error)
                         : read_pem(parts, bio, password, keys, error);
    BIO_free(bio);
    return rc;
}

void key_parts_done(struct key_parts *parts)
{
    EVP_PKEY_free(parts->key);
    for (size_t i = 0; i < parts->count; i++)
        X509_free(parts->certificates[i]);
    *parts = (struct key_parts){.count = 0};
}

#include "io/access/certificate_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/must.h"
#include "io/access/secret_file.h"
#include "proto/failure.h"

#define CERTIFICATE_KEY "client_certificate_file"
#define KEY_KEY         "client_certificate_key_file"
#define PASSWORD_KEY    "client_certificate_password_file"

/* --- one file --- */

/* The path, to be freed, with what is there in *content; NULL: *failure says why there is nothing.
 */
static char *read_file(const struct certificate_files *files, const char *key,
                       const char *configured, struct secret_file_content *content,
                       struct failure *failure)
{
    const struct secret_file file = {.key = key, .path = configured, .reason = REASON_TOKEN_FAILED};
    char *path = secret_file_path(&file, files->directory, failure);

    if (!path)
        return NULL;
    secret_file_fetch(path, KEY_PAIR_FILE_MAX, content);
    if (content->err.code == -ENOMEM)
        fault_out_of_memory();
    if (content->err.code == 0)
        return path;
    failure_init(failure, REASON_TOKEN_FAILED);
    failure_set_text(failure, "%s %s cannot be used: %s", key, path, content->err.text);
    if (!secret_file_set_remedy(&file, path, content, failure))
        failure_set_remedy(failure,
                           "put the file there, PEM or PKCS#12, readable for the daemon (systemd: "
                           "LoadCredential=)");
    free(path);
    return NULL;
}

/* --- what is wrong with the pair --- */

/* The paths, as in messages. */
struct paths {
    char *certificate;
    char *key; /* NULL: it is in the certificate's file */
};

static const char *named_path(const struct paths *paths, bool in_key)
{
    return in_key && paths->key ? paths->key : paths->certificate;
}

static void set_remedy_for_password(const struct certificate_files *files, const char *path,
                                    struct failure *failure)
{
    char place[SECRET_PLACE_MAX];

    if (files->password)
        failure_set_remedy(failure, "write the password of %s, and nothing else, to %s", path,
                           secret_file_place(files->password, place));
    else
        failure_set_remedy(failure,
                           "write the password of %s to a file, and set `" PASSWORD_KEY
                           "` of the identity to it",
                           path);
}

static void set_remedy_for_content(const struct key_pair_error *error, const char *configured,
                                   struct failure *failure)
{
    char buffer[SECRET_PLACE_MAX];
    const char *place = secret_file_place(configured, buffer);

    switch (error->problem) {
    case KEY_PAIR_NO_KEY:
        failure_set_remedy(failure,
                           "append the private key to %s, or set `" KEY_KEY
                           "` of the identity to its file",
                           place);
        break;
    case KEY_PAIR_NO_CERTIFICATE:
        failure_set_remedy(failure,
                           "put the certificate into %s, in PEM (BEGIN CERTIFICATE): the one that "
                           "the application has in Microsoft Entra ID",
                           place);
        break;
    case KEY_PAIR_MANY_KEYS:
        failure_set_remedy(failure, "leave one private key in %s: that of the certificate", place);
        break;
    default:
        failure_set_remedy(
            failure,
            "write certificate and private key to %s as PEM, one after the other, or "
            "as PKCS#12 (binary: `base64 -d` makes it of its text)",
            place);
        break;
    }
}

static void set_remedy(const struct certificate_files *files, const struct paths *paths,
                       const struct key_pair_error *error, struct failure *failure)
{
    const char *path = named_path(paths, error->in_key);

    switch (error->problem) {
    case KEY_PAIR_PASSWORD_MISSING:
    case KEY_PAIR_PASSWORD_WRONG:
        set_remedy_for_password(files, path, failure);
        break;
    case KEY_PAIR_CIPHER:
        failure_set_remedy(failure,
                           "convert it: `openssl pkcs12 -legacy -in %s -out pair.pem`, and let "
                           "`" CERTIFICATE_KEY "` name the result",
                           path);
        break;
    case KEY_PAIR_MISMATCH:
        failure_set_remedy(
            failure,
            "put key and certificate in place that belong together: `openssl x509 "
            "-noout -pubkey -in %s` and `openssl pkey -pubout -in %s` print the same",
            paths->certificate, named_path(paths, true));
        break;
    case KEY_PAIR_NOT_RSA:
    case KEY_PAIR_SHORT:
        failure_set_remedy(failure,
                           "make another certificate, `openssl req -x509 -newkey rsa:3072 -nodes "
                           "-days 365 -subj /CN=keyrotated -keyout key.pem -out cert.pem`, and add "
                           "it: `az ad app credential reset --id %s --cert @cert.pem --append`",
                           files->client_id);
        break;
    case KEY_PAIR_NO_MEMORY:
    case KEY_PAIR_UNREADABLE:
    case KEY_PAIR_NO_KEY:
    case KEY_PAIR_NO_CERTIFICATE:
    case KEY_PAIR_MANY_KEYS:
        set_remedy_for_content(error, error->in_key && files->key ? files->key : files->certificate,
                               failure);
        break;
    }
}

/* Half of a new pair, or half of a file. */
static bool is_half(enum key_pair_problem problem)
{
    return problem == KEY_PAIR_MISMATCH || problem == KEY_PAIR_UNREADABLE ||
           problem == KEY_PAIR_NO_KEY || problem == KEY_PAIR_NO_CERTIFICATE;
}

static void fail(const struct certificate_files *files, const struct paths *paths,
                 const struct key_pair_error *error, struct failure *failure)
{
    failure_init(failure, REASON_TOKEN_FAILED);
    failure_set_text(failure, "%s %s %s", error->in_key && paths->key ? KEY_KEY : CERTIFICATE_KEY,
                     named_path(paths, error->in_key), error->text);
    set_remedy(files, paths, error, failure);
}

bool certificate_files_check(const struct certificate_files *files, const struct key_pair *pair,
                             time_ms now, struct failure *failure)
{
    const bool expired = now >= key_pair_not_after(pair);
    char time[DATE_TEXT_MAX], place[SECRET_PLACE_MAX];

    if (!expired && now >= key_pair_not_before(pair))
        return true;
    date_to_rfc3339(expired ? key_pair_not_after(pair) : key_pair_not_before(pair), time);
    failure_init(failure, REASON_TOKEN_FAILED);
    failure_set_text(failure, CERTIFICATE_KEY " %s: the certificate %s %s %s", files->certificate,
                     key_pair_subject(pair), expired ? "expired at" : "is not valid before", time);
    if (expired)
        failure_set_remedy(failure,
                           "make another certificate, add it to the application, `az ad app "
                           "credential reset --id %s --cert @cert.pem --append`, and put it with "
                           "its key in place of %s; see that the clock is right (timedatectl)",
                           files->client_id, secret_file_place(files->certificate, place));
    else
        failure_set_remedy(failure,
                           "wait until then, or put a certificate that is valid now in "
                           "place; see that the clock is right (timedatectl)");
    return false;
}

/* --- all of them --- */

static struct secret *read_password(const struct certificate_files *files, struct failure *failure)
{
    const struct secret_file file = {
        .key = PASSWORD_KEY, .path = files->password, .reason = REASON_TOKEN_FAILED};

    return secret_file_read(&file, files->directory, failure);
}

static struct key_pair *read_pair(const struct certificate_files *files, const struct paths *paths,
                                  const struct key_pair_input *input, bool *ret_being_replaced,
                                  struct failure *failure)
{
    struct key_pair_error error;
    struct key_pair *pair;
    int rc = key_pair_read(&pair, input, &error);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0)
        return pair;
    *ret_being_replaced = is_half(error.problem);
    fail(files, paths, &error, failure);
    return NULL;
}

/* The pair of files that could be read. */
static struct key_pair *take_pair(const struct certificate_files *files, const struct paths *paths,
                                  const struct key_pair_input *input, time_ms now,
                                  bool *ret_being_replaced, struct failure *failure)
{
    struct key_pair *pair = read_pair(files, paths, input, ret_being_replaced, failure);

    if (pair && !certificate_files_check(files, pair, now, failure)) {
        key_pair_free(pair);
        pair = NULL;
    }
    return pair;
}

struct key_pair *certificate_files_read(const struct certificate_files *files, time_ms now,
                                        bool *ret_being_replaced, struct failure *failure)
{
    struct secret_file_content certificate = {.is_hidden = false}, key = {.is_hidden = false};
    struct paths paths = {.key = NULL};
    struct key_pair *pair = NULL;
    struct secret *password = NULL;
    bool complete;

    *ret_being_replaced = false;
    paths.certificate =
        read_file(files, CERTIFICATE_KEY, files->certificate, &certificate, failure);
    complete = !!paths.certificate;
    if (complete && files->key) {
        paths.key = read_file(files, KEY_KEY, files->key, &key, failure);
        complete = !!paths.key;
    }
    if (complete && files->password) {
        password = read_password(files, failure);
        complete = !!password;
    }
    if (complete) {
        const struct key_pair_input input = {.certificate = &certificate.bytes,
                                             .key = files->key ? &key.bytes : NULL,
                                             .password = password};

        pair = take_pair(files, &paths, &input, now, ret_being_replaced, failure);
    }
    secret_free(password);
    secret_file_content_done(&key);
    secret_file_content_done(&certificate);
    free(paths.key);
    free(paths.certificate);
    return pair;
}

#include "io/access/secret_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/must.h"
#include "base/str.h"
#include "proto/failure.h"

const char *secret_file_place(const char *configured, char out[SECRET_PLACE_MAX])
{
    if (configured[0] == '/')
        (void)snprintf(out, SECRET_PLACE_MAX, "%s", configured);
    else
        (void)snprintf(out, SECRET_PLACE_MAX,
                       "the file that `LoadCredential=%s:` of the unit names (and restart the "
                       "daemon, which has a copy)",
                       configured);
    return out;
}

static struct secret *unusable(const struct secret_file *file, const char *path,
                               const char *problem, struct failure *failure)
{
    failure_init(failure, file->reason);
    failure_set_text(failure, "%s %s cannot be used: %s", file->key, path, problem);
    if (file->remedy)
        failure_set_remedy(failure, "%s", file->remedy);
    else if (file->path[0] == '/')
        failure_set_remedy(failure,
                           "write the secret's value, and nothing else, to %s, readable for the "
                           "daemon (systemd: LoadCredential=)",
                           path);
    else /* what lies there is a copy */
        failure_set_remedy(failure,
                           "write the secret's value, and nothing else, to the file that "
                           "`LoadCredential=%s:` of the unit names, and restart the daemon",
                           file->path);
    return NULL;
}

#define SOMEWHERE "/path/to/file"

/* systemd reads the file as root, and puts a copy where the daemon finds it by its name. */
static void set_remedy_for_credential(const char *name, struct failure *failure)
{
    failure_set_remedy(failure,
                       "run `systemctl edit {unit}`, add `LoadCredential=%s:" SOMEWHERE
                       "` with the path of the file below [Service] and restart the daemon, or "
                       "give an absolute path",
                       name);
}

static void set_remedy_for_denial(const struct secret_file *file, const char *path, bool is_hidden,
                                  struct failure *failure)
{
    const char *name = strrchr(path, '/') + 1;

    if (file->stays)
        failure_set_remedy(failure,
                           "let the user %u read it: `namei -l %s` shows the modes of the file and "
                           "of the directories above",
                           (unsigned)geteuid(), path);
    else if (is_hidden)
        failure_set_remedy(failure,
                           "run `systemctl edit {unit}`, add `LoadCredential=%s:%s` below "
                           "[Service], set `%s: %s` and restart the daemon",
                           name, path, file->key, name);
    else
        failure_set_remedy(failure,
                           "run `systemctl edit {unit}`, add `LoadCredential=%s:%s` below "
                           "[Service], set `%s: %s` and restart the daemon; or give the file to "
                           "it, `chown %u %s`",
                           name, path, file->key, name, (unsigned)geteuid(), path);
}

/* A directory, a pipe, a device, a socket, a link to itself: what is written there goes nowhere,
 * and who writes into a pipe waits for ever. */
static bool is_no_file(const struct secret_file_content *content)
{
    return content->err.code == -EINVAL || content->err.code == -ELOOP;
}

bool secret_file_set_remedy(const struct secret_file *file, const char *path,
                            const struct secret_file_content *content, struct failure *failure)
{
    const bool is_credential = file->path[0] != '/';
    const bool is_denied = content->err.code == -EACCES || content->err.code == -EPERM;

    if (is_credential && (content->err.code == -ENOENT || content->err.code == -EACCES))
        set_remedy_for_credential(file->path, failure);
    else if (is_denied)
        set_remedy_for_denial(file, path, content->is_hidden, failure);
    else if (!is_credential && is_no_file(content))
        failure_set_remedy(failure,
                           "run `mv %s %s.old`, then make %s a file with the content that belongs "
                           "there, readable for the daemon",
                           path, path, path);
    else
        return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Each second byte NUL, or a mark of it: what PowerShell's ">" writes. */
static bool is_utf16(const struct buf *content)
{
    const char *data = buf_str(content);

    return (content->length >= 2 &&
            (memcmp(data, "\xFF\xFE", 2) == 0 || memcmp(data, "\xFE\xFF", 2) == 0)) ||
           (content->length >= 4 &&
            ((data[1] == '\0' && data[3] == '\0') || (data[0] == '\0' && data[2] == '\0')));
}

/*
 * "AZURE_CLIENT_SECRET=…", "export X=…", "client_secret: …": a line of a file of settings. A secret
 * may contain '=', so the text before it counts as a name only if it is all capitals or a known
 * name.
 */
static bool is_assignment(const char *line, size_t length)
{
    char name[64];
    size_t name_length = 0;
    bool capitals = true;

    if (str_starts_with(line, "export ")) {
        line += strlen("export ");
        length -= strlen("export ");
    }
    while (name_length < length && name_length < sizeof(name) - 1 &&
           (isalnum((unsigned char)line[name_length]) || line[name_length] == '_')) {
        capitals = capitals && !islower((unsigned char)line[name_length]);
        name[name_length] = line[name_length];
        name_length++;
    }
    name[name_length] = '\0';
    if (name_length < 2 || name_length + 1 >= length || isdigit((unsigned char)name[0]) ||
        (line[name_length] != '=' && !(line[name_length] == ':' && line[name_length + 1] == ' ')))
        return false;
    /* Secrets in base64 end with one or two '='. */
    if (line[name_length + 1] == '=')
        return false;
    return capitals || strcasestr(name, "secret") || strcasestr(name, "password");
}

/* Why the line is no secret, or NULL. RFC 6749, A.2: printable ASCII. */
static const char *find_problem(const char *line, size_t length)
{
    if (is_blank(line[0]) || is_blank(line[length - 1]))
        return "it has blanks before or after the secret";
    if (length >= 2 && line[0] == line[length - 1] && (line[0] == '"' || line[0] == '\''))
        return "the secret stands in quotes, which would be sent with it";
    if (is_assignment(line, length))
        return "it is an assignment (NAME=value), not the value alone";
    for (size_t i = 0; i < length; i++) {
        if (line[i] < 0x20 || line[i] > 0x7e)
            return "it holds a character that no secret has (only printable ASCII is "
                   "allowed)";
    }
    return NULL;
}

/* The same of a whole file, of which the first *ret_length bytes are the secret otherwise. */
static const char *judge(const struct buf *content, size_t *ret_length)
{
    const char *data = buf_str(content);
    size_t length = strcspn(data, "\r\n");
    size_t line_end = strspn(data + length, "\r\n");

    *ret_length = length;
    if (content->length == 0)
        return "it is empty";
    if (is_utf16(content))
        return "it is UTF-16: save it as plain text (UTF-8 without byte order mark)";
    if (str_starts_with(data, "\xEF\xBB\xBF"))
        return "it starts with a byte order mark: save it as UTF-8 without one";
    if (length == 0 && line_end == content->length)
        return "it is empty";
    if (length == 0)
        return "it begins with an empty line";
    if (length + line_end != content->length)
        return memchr(data, '\0', content->length) ? "it holds a NUL byte, which no secret has"
                                                   : "it is more than one line";
    return find_problem(data, length);
}

void secret_file_fetch(const char *path, size_t maximum, struct secret_file_content *ret_content)
{
    struct stat status;
    int rc;

    *ret_content = (struct secret_file_content){.is_hidden = false};
    buf_init(&ret_content->bytes, maximum);
    rc = fs_read(path, &ret_content->bytes, &ret_content->err);
    ret_content->is_hidden = (rc == -EACCES || rc == -EPERM) && stat(path, &status) != 0;
}

void secret_file_content_done(struct secret_file_content *content)
{
    buf_done(&content->bytes);
}

struct secret *secret_file_take(const struct secret_file *file, const char *path,
                                const struct secret_file_content *content, struct failure *failure)
{
    const char *problem;
    size_t length;

    if (content->err.code < 0) {
        unusable(file, path, content->err.text, failure);
        (void)secret_file_set_remedy(file, path, content, failure);
        return NULL;
    }
    problem = judge(&content->bytes, &length);
    if (problem)
        return unusable(file, path, problem, failure);
    return must(secret_new(buf_str(&content->bytes), length));
}

char *secret_file_path(const struct secret_file *file, const char *credentials_directory,
                       struct failure *failure)
{
    if (file->path[0] == '/')
        return must_dup(file->path);
    if (credentials_directory)
        return must(str_format("%s/%s", credentials_directory, file->path));
    failure_init(failure, file->reason);
    failure_set_text(failure, "%s %s is relative, but there is no $CREDENTIALS_DIRECTORY",
                     file->key, file->path);
    set_remedy_for_credential(file->path, failure);
    return NULL;
}

struct secret *secret_file_read(const struct secret_file *file, const char *credentials_directory,
                                struct failure *failure)
{
    char *path = secret_file_path(file, credentials_directory, failure);
    struct secret_file_content content;
    struct secret *secret;

    if (!path)
        return NULL;
    secret_file_fetch(path, SECRET_FILE_MAX, &content);
    secret = secret_file_take(file, path, &content, failure);
    secret_file_content_done(&content);
    free(path);
    return secret;
}

#include "proto/arm_operation.h"

#include <errno.h>
#include <string.h>

#include "base/json_path.h"
#include "base/str.h"
#include "proto/arm_list.h"
#include "proto/cloud_error.h"
#include "proto/failure.h"

enum { HOST_SHOWN_MAX = 200 };

/* Of a path with a query that holds a URL it shows nothing. */
static int refuse(const char *url, struct err *err)
{
    const char *host = url + strcspn(url, ":/?#");
    const size_t length = str_starts_with(host, "://") ? strcspn(host + 3, "/?#") : 0;

    if (length == 0)
        return err_set(err, -EPERM, "Azure names no URL that tells how the regenerate goes");
    return err_set(err, -EPERM,
                   "Azure names a URL at %.*s that tells how the regenerate goes, which is not the "
                   "resource manager of the configuration: it gets no token",
                   (int)(length < HOST_SHOWN_MAX ? length : HOST_SHOWN_MAX), host + 3);
}

static int take_header(const struct http_reply *reply, const char *name, const char *mark,
                       const char *resource_manager, char *out, size_t size, struct err *err)
{
    char url[HTTP_URL_MAX];
    struct err ignored;

    if (!http_reply_header(reply, name, url, sizeof(url)))
        return -ENOENT;
    if (arm_link_check(url, resource_manager, &ignored) != 0)
        return refuse(url, err);
    if (strlen(url) + strlen(mark) >= size)
        return err_set(err, -EMSGSIZE, "the URL that tells how the regenerate goes is too long");
    (void)stpcpy(stpcpy(out, url), mark);
    return 0;
}

int arm_operation_url(const struct http_reply *reply, const char *resource_manager, char *out,
                      size_t size, struct err *err)
{
    struct err of_location;
    int rc = take_header(reply, "Azure-AsyncOperation", ARM_OPERATION_BY_STATUS, resource_manager,
                         out, size, err);
    int rc_location;

    /* That of a resource that was written is its own URL. */
    if (rc == 0 || reply->status == 200 || reply->status == 201)
        return rc;
    rc_location = take_header(reply, "Location", "", resource_manager, out, size, &of_location);
    if (rc_location == 0 || rc_location == -ENOENT)
        return rc_location == 0 ? 0 : rc;
    if (rc == -ENOENT)
        *err = of_location;
    return rc == -ENOENT ? rc_location : rc;
}

int arm_operation_target(const char *url, const char *resource_manager, char *out, size_t size,
                         bool *ret_by_status, struct err *err)
{
    const size_t length = strlen(url);
    const size_t mark = strlen(ARM_OPERATION_BY_STATUS);
    struct err ignored;

    *ret_by_status = length > mark && str_equal(url + length - mark, ARM_OPERATION_BY_STATUS);
    if (length >= size)
        return err_set(err, -EMSGSIZE, "the URL that tells how the regenerate goes is too long");
    memcpy(out, url, length + 1);
    if (*ret_by_status)
        out[length - mark] = '\0';
    return arm_link_check(out, resource_manager, &ignored) == 0 ? 0 : refuse(out, err);
}

static void describe_failure(const struct http_reply *reply, const char *status,
                             struct failure *failure)
{
    struct cloud_error error;
    const bool explained = cloud_error_parse(&error, buf_str(&reply->body), reply->body.length);

    failure_init(failure, REASON_AZURE_ERROR);
    if (explained && cloud_error_code(&error)[0] != '\0') {
        failure_set_code(failure, cloud_error_code(&error));
        failure_set_text(failure, "Azure says that the regenerate %s (%s): %s",
                         str_equal_nocase(status, "Canceled") ? "was canceled" : "failed",
                         cloud_error_code(&error), cloud_error_message(&error));
    } else {
        failure_set_text(failure, "Azure says that the regenerate %s, and gives no reason",
                         str_equal_nocase(status, "Canceled") ? "was canceled" : "failed");
    }
}

static int read_status(const struct http_reply *reply, enum operation_state *ret_state,
                       struct failure *failure, struct err *err)
{
    struct json_object *document =
        json_parse_foreign(buf_str(&reply->body), reply->body.length, err);
    const char *status = NULL;
    int rc = 0;

    if (!document)
        return -EBADMSG;
    if (json_text_at(document, "status", &status, err) < 0)
        rc = -EBADMSG;
    else if (!status)
        rc = err_set(err, -EBADMSG, "the member \"status\" is missing or not a string");
    else if (str_equal_nocase(status, "Succeeded"))
        *ret_state = OPERATION_SUCCEEDED;
    else if (str_equal_nocase(status, "Failed") || str_equal_nocase(status, "Canceled"))
        *ret_state = OPERATION_FAILED;
    else
        *ret_state = OPERATION_RUNNING;
    if (rc == 0 && *ret_state == OPERATION_FAILED)
        describe_failure(reply, status, failure);
    json_free_wiped(document);
    return rc;
}

int arm_operation_read(const struct http_reply *reply, bool by_status,
                       enum operation_state *ret_state, struct failure *failure, struct err *err)
{
    if (reply->status == 404 || reply->status == 410) {
        *ret_state = OPERATION_FORGOTTEN;
        return 0;
    }
    if (by_status && reply->status != 202)
        return read_status(reply, ret_state, failure, err);
    *ret_state = reply->status == 202 ? OPERATION_RUNNING : OPERATION_SUCCEEDED;
    return 0;
}

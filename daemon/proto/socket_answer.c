#include "proto/socket_answer.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "proto/failure.h"

enum { MESSAGE_MAX = 240 };

static const char remedy[] =
    "let the program answer with one line such as {\"result\":\"delivered\"}; its own log says "
    "more";

static int set_unusable(struct failure *failure, const char *path, const char *problem)
{
    failure_init(failure, REASON_TARGET_FAILED);
    failure->outcome_unknown = true;
    failure_set_text(failure, "socket %s: the answer cannot be used: %s", path, problem);
    failure_set_remedy(failure, "%s", remedy);
    return -EIO;
}

static int judge(struct json_object *answer, const char *path, struct failure *failure)
{
    const char *result = json_string(answer, "result");
    char message[MESSAGE_MAX];
    bool failed = str_equal(result, "failed");

    if (str_equal(result, "delivered"))
        return 0;
    if (!result)
        return set_unusable(failure, path, "it has no \"result\"");
    if (!failed && !str_equal(result, "not_yet"))
        return set_unusable(failure, path,
                            "its \"result\" is none of delivered, not_yet and failed");
    if (failure_copy_message(json_string(answer, "message"), message, sizeof(message)) != 0)
        return -ENOMEM;
    failure_set(failure, failed ? REASON_TARGET_FAILED : REASON_NOT_YET, "socket %s %s%s%s", path,
                failed ? "answered that it failed" : "asks for more time",
                message[0] != '\0' ? ": " : "", message);
    if (failed)
        failure_set_remedy(failure, "see in the log of the program behind the socket why it fails");
    return -EIO;
}

int socket_answer_read(const char *bytes, size_t length, const char *path, struct failure *failure)
{
    const char *end = memchr(bytes, '\n', length);
    struct json_object *answer;
    struct err err = {.code = 0};
    int rc;

    if (length == 0)
        return set_unusable(failure, path, "it is empty");
    if (end && (size_t)(end - bytes) + 1 != length)
        return set_unusable(failure, path, "it is more than one line");
    answer = json_parse(bytes, length, &err);
    if (!answer)
        return err.code == -ENOMEM ? -ENOMEM : set_unusable(failure, path, err.text);
    rc = judge(answer, path, failure);
    json_free_wiped(answer);
    return rc;
}

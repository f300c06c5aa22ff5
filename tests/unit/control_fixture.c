#include "control_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static const struct control_answer fine = {
    .outcome = CONTROL_ACCEPTED, .message = "it rotates", .until = TIME_NEVER, .cycle = 7};

static int answer(struct control_fixture *fixture, const char *question,
                  const struct control_query *query, struct buf *out, struct err *err)
{
    struct daemon_snapshot daemon = {.version = "1.0", .now = 1700000000000};

    fixture->questions++;
    fixture->question = question;
    fixture->names[0] = '\0';
    for (size_t i = 0; i < query->name_count; i++) {
        strcat(fixture->names, query->names[i]);
        strcat(fixture->names, ";");
        if (strcmp(query->names[i], "nobody") == 0)
            return err_set(err, -ENOENT, "there is no account nobody");
        if (strcmp(query->names[i], "twins") == 0)
            return err_set(err, -ENOTUNIQ, "several accounts are called twins");
    }
    control_status_start(out, &daemon);
    control_status_end(out);
    return 0;
}

static int answer_status(void *context, const struct control_query *query, struct buf *out,
                         struct err *err)
{
    return answer(context, "status", query, out, err);
}

static int answer_accounts(void *context, const struct control_query *query, struct buf *out,
                           struct err *err)
{
    return answer(context, "accounts", query, out, err);
}

/* A question that waits: the same document, or what went wrong. */
static void answer_waiting(struct control_fixture *fixture)
{
    struct buf document;
    struct err err;

    buf_init(&document, CONTROL_REPLY_MAX);
    err_clear(&err);
    if (fixture->answer_fails)
        (void)err_set(&err, -EIO, "the disk is on fire");
    else
        (void)answer(fixture, "history", &fixture->last_query, &document, &err);
    control_answer_question(fixture->waiting, err.code, &document, &err);
    fixture->waiting = NULL;
}

static void wait_for_answer(struct control_fixture *fixture);

static void ask_history(void *context, const struct control_query *query,
                        struct control_request *request)
{
    struct control_fixture *fixture = context;

    fixture->waiting = request;
    fixture->waits_for_document = true;
    fixture->last_query = *query;
    if (fixture->answer_after == 0)
        answer_waiting(fixture);
    else
        wait_for_answer(fixture);
}

static const struct control_question questions[] = {
    {"history", true, true, .of_past = true, .ask = ask_history},
    {"status", false, false, false, .answer = answer_status},
    {"accounts", true, false, false, .answer = answer_accounts},
};

static void on_answer_timer_closed(struct timer *timer)
{
    struct control_fixture *fixture = container_of(timer, struct control_fixture, answer_timer);

    fixture->answer_timer_in_use = false;
}

void control_fixture_answer(struct control_fixture *fixture)
{
    if (fixture->waits_for_document)
        answer_waiting(fixture);
    else
        control_answer(fixture->waiting, &fine);
    fixture->waiting = NULL;
}

static void on_answer_timer(struct timer *timer)
{
    struct control_fixture *fixture = container_of(timer, struct control_fixture, answer_timer);

    control_fixture_answer(fixture);
    timer_close(timer, on_answer_timer_closed);
}

static void wait_for_answer(struct control_fixture *fixture)
{
    if (fixture->answer_after < 0)
        return;
    fixture->answer_timer_in_use = true;
    timer_init(fixture->loop, &fixture->answer_timer, on_answer_timer);
    timer_set_delay(&fixture->answer_timer, fixture->answer_after);
}

static void on_command(void *context, const struct control_command *command,
                       struct control_request *request)
{
    struct control_fixture *fixture = context;

    fixture->commands++;
    fixture->last = *command;
    snprintf(fixture->last_texts, sizeof(fixture->last_texts), "%s|%s|%s|%s|%s",
             command->account ? command->account : "-", command->actor,
             command->target ? command->target : "-", command->active ? command->active : "-",
             command->reason ? command->reason : "-");
    if (fixture->answer_after == 0) {
        control_answer(request, &fine);
        return;
    }
    fixture->waiting = request;
    wait_for_answer(fixture);
}

int control_fixture_set_up(void **state)
{
    struct control_fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    strcpy(fixture->directory, "/tmp/test-control-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->path, sizeof(fixture->path), "%s/control.sock", fixture->directory);
    fixture->loop = loop_new(NULL);
    assert_non_null(fixture->loop);
    *state = fixture;
    return 0;
}

int control_fixture_tear_down(void **state)
{
    struct control_fixture *fixture = *state;

    assert_true(loop_free(fixture->loop));
    (void)unlink(fixture->path);
    assert_int_equal(rmdir(fixture->directory), 0);
    free(fixture);
    return 0;
}

struct control_handler control_fixture_handler(struct control_fixture *fixture)
{
    return (struct control_handler){
        .context = fixture,
        .questions = questions,
        .question_count = sizeof(questions) / sizeof(questions[0]),
        .command = on_command,
    };
}

static void open_control(struct control_fixture *fixture)
{
    const struct control_handler handler = control_fixture_handler(fixture);
    struct err err;

    err_clear(&err);
    if (control_open(fixture->loop, fixture->path, "no-such-group", &handler, &fixture->limits,
                     &fixture->control, &err) != 0)
        fail_msg("%s", err.text);
}

static void on_closed(void *context)
{
    struct control_fixture *fixture = context;

    fixture->closed = true;
    if (fixture->watch_closed)
        loop_stop(fixture->loop);
}

static void on_watch_closed(struct timer *timer)
{
    struct control_fixture *fixture = container_of(timer, struct control_fixture, watch);

    fixture->watch_closed = true;
    if (fixture->closed)
        loop_stop(fixture->loop);
}

static void on_watch(struct timer *timer)
{
    struct control_fixture *fixture = container_of(timer, struct control_fixture, watch);

    if (atomic_load(&fixture->close_wanted) || atomic_load(&fixture->client_done)) {
        if (!fixture->close_begun)
            control_close(fixture->control, on_closed, fixture);
        fixture->close_begun = true;
    }
    if (atomic_load(&fixture->client_done) && !fixture->answer_timer_in_use)
        timer_close(timer, on_watch_closed);
    else
        timer_set_delay(timer, 5);
}

static void *run_client(void *argument)
{
    struct control_fixture *fixture = argument;

    fixture->client(fixture);
    atomic_store(&fixture->client_done, true);
    return NULL;
}

void control_fixture_serve(struct control_fixture *fixture,
                           void (*client)(struct control_fixture *))
{
    open_control(fixture);
    fixture->client = client;
    timer_init(fixture->loop, &fixture->watch, on_watch);
    timer_set_delay(&fixture->watch, 5);
    assert_int_equal(pthread_create(&fixture->thread, NULL, run_client, fixture), 0);
    while (!fixture->closed || !fixture->watch_closed)
        loop_run(fixture->loop);
    assert_int_equal(pthread_join(fixture->thread, NULL), 0);
    if (fixture->waiting)
        control_fixture_answer(fixture); /* late: nobody receives it */
    assert_int_equal(access(fixture->path, F_OK), -1);
}

/* --- clients (in the second thread: failures are recorded, not raised) --- */

static size_t take_reply(char *data, size_t size, size_t count, void *context)
{
    struct reply *reply = context;
    const size_t used = strlen(reply->text);

    if (used + count >= sizeof(reply->text))
        return 0;
    memcpy(reply->text + used, data, count);
    reply->text[used + count] = '\0';
    return size * count;
}

struct reply control_fixture_fetch(struct control_fixture *fixture, const char *path,
                                   const char *body, const char *method)
{
    struct reply reply = {0};
    char url[1024];
    CURL *curl = curl_easy_init();

    snprintf(url, sizeof(url), "http://localhost%s", path);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, fixture->path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 10000L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_reply);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    if (method)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    reply.result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_easy_cleanup(curl);
    return reply;
}

int control_fixture_connect(struct control_fixture *fixture)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, fixture->path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

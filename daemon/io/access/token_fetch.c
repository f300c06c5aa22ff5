#include "io/access/token_fetch.h"

static void on_timer_closed(struct timer *timer)
{
    struct token_fetch *fetch = container_of(timer, struct token_fetch, repeat);

    fetch->closed(fetch);
}

static void finish(struct token_fetch *fetch, struct access_token *token, bool canceled)
{
    fetch->under_way = false;
    fetch->done(fetch, token, canceled);
}

static void on_reply(void *context, struct http_reply *reply)
{
    struct token_fetch *fetch = context;
    const struct credential_source *source = fetch->source;
    duration_ms elapsed = fetch->clock() - fetch->started, pause = 0;
    time_ms now = loop_now(fetch->loop);
    struct access_token token;

    fetch->call = NULL;
    fetch->exchanging = false;
    if (reply->outcome == HTTP_CANCELED || fetch->closed) {
        finish(fetch, NULL, true);
        if (fetch->closed)
            timer_close(&fetch->repeat, on_timer_closed);
        return;
    }
    if (source->retry_delay)
        pause = source->retry_delay(reply, fetch->attempts, elapsed, now);
    if (pause > 0)
        timer_set_delay(&fetch->repeat, pause);
    else if (source->read(&fetch->wish, reply, now, &token, &fetch->failure) < 0)
        finish(fetch, NULL, false);
    else
        finish(fetch, &token, false);
}

static int send_request(struct token_fetch *fetch)
{
    struct http_request request;
    int rc;

    fetch->attempts++;
    http_request_init(&request, "GET", 0);
    rc = fetch->source->build(&fetch->wish, &request, &fetch->failure);
    if (rc == 0) {
        fetch->exchanging = true;
        fetch->call = http_start(fetch->http, &request, on_reply, fetch);
    }
    http_request_done(&request);
    return rc;
}

static void on_repeat(struct timer *timer)
{
    struct token_fetch *fetch = container_of(timer, struct token_fetch, repeat);

    if (send_request(fetch) < 0)
        finish(fetch, NULL, false);
}

void token_fetch_init(struct token_fetch *fetch, struct loop *loop, struct http *http,
                      duration_ms (*clock)(void),
                      void (*done)(struct token_fetch *fetch, struct access_token *token,
                                   bool canceled))
{
    *fetch = (struct token_fetch){.loop = loop, .http = http, .clock = clock, .done = done};
    timer_init(loop, &fetch->repeat, on_repeat);
}

int token_fetch_start(struct token_fetch *fetch, const struct credential_wish *wish)
{
    int rc;

    fetch->wish = *wish;
    fetch->source = credential_source_of(wish->identity->type);
    fetch->attempts = 0;
    fetch->started = fetch->clock();
    fetch->under_way = true;
    rc = send_request(fetch);
    if (rc < 0)
        fetch->under_way = false;
    return rc;
}

void token_fetch_close(struct token_fetch *fetch, void (*closed)(struct token_fetch *fetch))
{
    bool was_closing = !!fetch->closed;

    fetch->closed = closed;
    if (fetch->call)
        http_cancel(fetch->call);
    else if (!fetch->exchanging && !was_closing)
        timer_close(&fetch->repeat, on_timer_closed);
}

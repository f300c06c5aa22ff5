#include "proto/news.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "proto/key_text.h"
#include "proto/remedy.h"

/* Two of them, of characters that JSON writes with three bytes at most, fit beside the rest. */
enum { SENTENCE_MAX = REMEDY_MAX };

/* The sentence may come from another party. */
static int write_sentence(struct buf *out, const char *name, const char *sentence)
{
    char *shown;

    if (!sentence) {
        json_write_text(out, name, NULL);
        return 0;
    }
    shown = strdup(sentence);
    if (!shown)
        return -ENOMEM;
    utf8_make_presentable(shown);
    key_text_redact(shown);
    if (strlen(shown) > SENTENCE_MAX)
        shown[utf8_whole(shown, SENTENCE_MAX)] = '\0';
    json_write_text(out, name, shown);
    free(shown);
    return 0;
}

int news_write(const struct news_form *form, struct buf *out)
{
    int rc;

    json_write_open(out, NULL, '{');
    json_write_text(out, "event", form->event);
    json_write_time(out, "time", form->time);
    json_write_text(out, "account", form->account);
    json_write_text(out, "resource_group", form->resource_group);
    json_write_text(out, "subscription_id", form->subscription_id);
    json_write_text(out, "resource_id", form->resource_id);
    json_write_text(out, "pair", form->pair);
    json_write_text(out, "state", form->state);
    json_write_bool(out, "overdue", form->overdue);
    json_write_bool(out, "consumers_at_risk", form->consumers_at_risk);
    json_write_text(out, "reason", form->reason);
    rc = write_sentence(out, "text", form->text);
    if (rc == 0)
        rc = write_sentence(out, "remedy", form->remedy);
    json_write_time(out, "since", form->since);
    json_write_time(out, "next_at", form->next_at);
    json_write_number(out, "cycle", form->cycle);
    json_write_close(out, '}');
    return rc != 0 ? rc : out->failed;
}

int news_write_message(const char *event, time_ms at, const char *json, struct buf *out)
{
    char timestamp[DATE_TEXT_MAX];

    return buf_append_format(out, "{\"type\":\"%s\",\"timestamp\":\"%s\",\"data\":%s}", event,
                             date_to_rfc3339(at, timestamp), json);
}

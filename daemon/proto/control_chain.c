#include "proto/control_chain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/encoding.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "proto/snapshot.h"

static const struct snapshot_member members[] = {
    SNAPSHOT_MEMBER(chain_snapshot, TEXT, id, "id"),
    SNAPSHOT_MEMBER(chain_snapshot, TEXT, name, "account"),
    SNAPSHOT_MEMBER(chain_snapshot, TEXT, resource_group, "resource_group"),
    SNAPSHOT_MEMBER(chain_snapshot, NUMBER, rows, "rows"),
    SNAPSHOT_MEMBER(chain_snapshot, NUMBER, older, "older"),
    SNAPSHOT_MEMBER(chain_snapshot, TEXT, head, "head"),
    SNAPSHOT_MEMBER(chain_snapshot, TEXT, fault, "fault"),
    SNAPSHOT_MEMBER(chain_snapshot, NUMBER, number, "number"),
};
static const struct snapshot_table table = SNAPSHOT_TABLE(chain_snapshot, members);

void control_chain_start(struct buf *out, time_ms now)
{
    json_write_open(out, NULL, '{');
    json_write_time(out, "now", now);
    json_write_open(out, "chains", '[');
}

void control_chain_write(struct buf *out, const struct chain_snapshot *chain)
{
    snapshot_write_object(out, NULL, &table, chain, TIME_NEVER);
}

void control_chain_end(struct buf *out, const char *next)
{
    json_write_close(out, ']');
    json_write_text(out, "next", next);
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

int control_chains_parse(const char *text, size_t length, struct control_chains *chains,
                         struct err *err)
{
    void *list = NULL;
    int rc;

    *chains = (struct control_chains){.document = json_parse(text, length, err)};
    if (!chains->document)
        return err_wrap(err, "the daemon's answer") == -ENOMEM ? -ENOMEM : -EBADMSG;
    chains->now = snapshot_read_time(chains->document, "now");
    chains->next = json_string(chains->document, "next");
    rc = json_object_is_type(json_member(chains->document, "chains"), json_type_array)
             ? snapshot_read_list(chains->document, "chains", &table, &list, &chains->count)
             : -EBADMSG;
    chains->chains = list;
    if (rc == 0)
        return 0;
    control_chains_done(chains);
    return err_set(err, rc,
                   rc == -ENOMEM ? "no memory for the daemon's answer"
                                 : "the daemon's answer says nothing of chains");
}

void control_chains_done(struct control_chains *chains)
{
    free(chains->chains);
    if (chains->document)
        json_object_put(chains->document);
    *chains = (struct control_chains){.document = NULL};
}

int control_chains_path(char *const *names, size_t name_count, const char *after, struct buf *out)
{
    (void)control_question_path("history_chains", names, name_count, out);
    if (after) {
        (void)buf_append_str(out, name_count == 0 ? "?after=" : "&after=");
        (void)percent_encode(out, after, strlen(after));
    }
    return out->failed;
}

/*
 * Rule 15: keys; and the soundness of the machine.
 *
 * All key texts of a simulated world begin with the same prefix, so that any key in a forbidden
 * place is found by it.
 */
#include "core/rotation.h"
#include "oracle_parts.h"

enum {
    /* A rotation with four targets takes some thirty operations and as many saves, none of them
     * more than a few within one millisecond; a storm of retries, some hundred a day. */
    AT_ONE_INSTANT_MAX = 300,
    IN_A_DAY_MAX = 6000
};

static const char prefix[] = WORLD_KEY_PREFIX;

/* memmem() would look at every byte; few bytes are the first letter of a key. */
static bool holds_key(const void *bytes, size_t size)
{
    const char *at = bytes;
    const char *end = at + size;
    const size_t length = sizeof(prefix) - 1;

    while ((size_t)(end - at) >= length) {
        at = memchr(at, prefix[0], (size_t)(end - at) - length + 1);
        if (!at)
            return false;
        if (memcmp(at, prefix, length) == 0)
            return true;
        at++;
    }
    return false;
}

static bool text_holds_key(const char *text)
{
    return text && strstr(text, prefix);
}

static bool row_holds_key(const struct history_row *row)
{
    return text_holds_key(row->event) || text_holds_key(row->slot) || text_holds_key(row->target) ||
           text_holds_key(row->reason) || text_holds_key(row->trigger) ||
           text_holds_key(row->actor) || text_holds_key(row->fingerprint) ||
           text_holds_key(row->request_id) || text_holds_key(row->correlation_id) ||
           text_holds_key(row->text);
}

void secret_saved(struct world *world, const struct world_account *account,
                  const struct record *record, const struct history_row *rows, size_t row_count)
{
    size_t used =
        offsetof(struct record, targets) + record->target_count * sizeof(record->targets[0]);

    if (holds_key(record, used))
        oracle_convict(world, ORACLE_NO_KEY_STORED, account,
                       "a key stands in the journal's record");
    for (size_t i = 0; i < row_count; i++)
        if (row_holds_key(&rows[i]))
            oracle_convict(world, ORACLE_NO_KEY_STORED, account,
                           "a key stands in the history, in a row of %s", rows[i].event);
}

void secret_log_line(struct world *world, const struct log_line *line)
{
    bool found = text_holds_key(line->message);

    for (size_t i = 0; i < line->field_count && !found; i++)
        found = text_holds_key(line->fields[i].text);
    if (found)
        oracle_convict(world, ORACLE_NO_KEY_STORED, NULL, "a key stands in a log line, event %s",
                       line->event);
}

/* In every position that needs a key, something is under way, or being made durable. */
void secret_rest(struct world *world, const struct world_account *account)
{
    const struct oracle_account *state = &account->oracle;

    /* A stopping daemon starts nothing more, and is gone in a moment. */
    if (!world->design->holds_key || !account->configured || world->stopping || state->others > 0 ||
        state->reads > 0 || state->probes > 0 || state->saves > 0)
        return;
    if (world->design->holds_key(world->daemon, account->name))
        oracle_convict(world, ORACLE_KEYS_FORGOTTEN, account,
                       "a key is in memory, and nothing is under way (%s)",
                       account->in_journal ? position_name(account->journal.position)
                                           : "no journal");
}

/* --- soundness --- */

void sound_saved(struct world *world, struct world_account *account, const struct record *record)
{
    struct rotation_context context = {0};
    const char *broken;

    /* The field's designs fill a record as they like; a daemon that stops takes no configuration.
     */
    if (world->design != &design_keyrotated || !account->configured || account->oracle.leaving ||
        world->stopping)
        return;
    for (unsigned i = 0; i < world->script->target_count; i++)
        context.target_count += account->targets[i].configured;
    broken = rotation_check(&context, record);
    if (broken)
        oracle_convict(world, ORACLE_SOUND, account, "a record is saved in which stands %s",
                       broken);
}

/* A target that lies (says yes, and keeps its old key) gets another delivery after each settle
 * look. */
static bool has_liar(const struct world *world, const struct world_account *account)
{
    for (unsigned i = 0; i < world->script->target_count; i++)
        if (account->targets[i].lies_until > world->now)
            return true;
    return false;
}

void sound_happens(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;

    if (state->happened_at != world->now) {
        state->happened_at = world->now;
        state->happenings = 0;
    }
    if (world->now - state->today >= MS_DAY) {
        state->today = world->now;
        state->happenings_today = 0;
    }
    if (++state->happenings > AT_ONE_INSTANT_MAX)
        oracle_convict(world, ORACLE_SOUND, account, "does %u things at one instant",
                       state->happenings);
    if (!has_liar(world, account) && ++state->happenings_today > IN_A_DAY_MAX)
        oracle_convict(world, ORACLE_SOUND, account, "does %u things in a day",
                       state->happenings_today);
}

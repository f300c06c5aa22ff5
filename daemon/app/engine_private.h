/*
 * What the files of the engine do for each other. Private to app/engine*.c.
 */
#ifndef KEYROTATED_APP_ENGINE_PRIVATE_H
#define KEYROTATED_APP_ENGINE_PRIVATE_H

#include "app/engine_account.h"
#include "proto/control_protocol.h"
#include "proto/remedy.h"

/*
 * --- engine_step.c ---
 *
 * Carries out what waits for an account: steps the machine, makes the record durable, tells, acts,
 * sets the timer. A step whose commit is waited for suspends the account until the journal has the
 * record; what arrives meanwhile waits.
 */

void engine_step_account(struct engine_account *account);

/*
 * --- engine_action.c ---
 *
 * Carrying out actions. Each ends in one transaction, prepared when the action starts
 * (account->acting) and posted when its last part has completed; a canceled one (the daemon stops)
 * posts nothing, because the journal says where to continue.
 */

void engine_action_start(struct engine_account *account, const struct action *action);
void engine_action_forget_keys(struct engine_account *account);

/*
 * --- engine_give_up.c ---
 *
 * Operations on targets that nothing waits for any more end as failed, within a turn of the loop.
 */

/* The delivery under way, if any. `why`: as for target_give_up(). */
void engine_give_up_delivery(struct engine_account *account, const char *why);
/* The parts of a look or preflight that it needs no more, because the configuration has changed or
 * the account starts no more actions. */
void engine_give_up_needless(struct engine_account *account);

/*
 * --- engine_report.c ---
 *
 * From the machine's notes to log lines and rows of history. Everything a person needs to monitor
 * the accounts is in these lines: names and fields are part of the contract.
 */

/* Writes the log lines of a transaction's notes: the urgent ones, or the others. Urgent notes
 * report trouble, at once, also while the journal cannot be written. Good news is logged when the
 * journal has it. */
void engine_report_notes(struct engine_account *account, const struct transaction *transaction,
                         bool urgent);
/* Adds the fields of every line about an account. */
/* The event as which it is logged; NULL: it is no event. */
const char *engine_report_event(enum note_kind kind);
void engine_report_account(struct log_line *line, const struct engine_account *account);
/* Ends in the log the troubles of the record `before` that are gone. */
void engine_report_ended(const struct engine_account *account, const struct record *before);

/* Fills history rows from the notes; texts are borrowed from `transaction`, `account` and `texts`.
 * `before`: the record before the step. */
struct history_text {
    char fingerprint[FINGERPRINT_TEXT_MAX];
};
size_t engine_report_history(struct engine_account *account, const struct transaction *transaction,
                             const struct record *before,
                             struct history_row rows[STORE_HISTORY_PER_SAVE],
                             struct history_text texts[STORE_HISTORY_PER_SAVE]);

/*
 * --- engine_note.c ---
 *
 * The sentence of a note, and what it is about.
 */
void engine_note_compose(const struct engine_account *account,
                         const struct transaction *transaction, const struct note *note, char *out,
                         size_t size);
/* "file /a"; "a target" where the configuration has it no more. */
void engine_note_target(const struct engine_account *account, const struct note *note, char *out,
                        size_t size);
/* The failure that the note is about, or NULL. That of a reminder is the last one. */
const struct failure *engine_note_failure(const struct engine_account *account,
                                          const struct transaction *transaction,
                                          const struct note *note);
/* The hold that begins, or NULL. */
const struct hold *engine_note_hold(const struct transaction *transaction, const struct note *note);
/* Its reason as the operator gave it. */
const char *engine_note_hold_reason(const struct transaction *transaction, const struct note *note);

/*
 * --- engine_output.c ---
 *
 * What a program wrote to which a key was delivered.
 */

/* Logs it. `output`: one line without keys; NULL: there is nothing to log. */
void engine_output_log(const struct engine_account *account, const struct target_id *target,
                       const char *output);

/*
 * --- engine_words.c ---
 *
 * Texts about an account: its name in messages, in a form that people can type (its name if that is
 * unique, else with its group, else its resource id), and a description of unexpected findings.
 */

enum { ENGINE_WORDS_MAX = 512 };

/* Finds out anew how each account has to be named. */
void engine_words_name_accounts(struct engine *engine);
/* The shortest name that keyrotatectl takes for this account alone. */
void engine_words_account(const struct engine_account *account, char out[ENGINE_WORDS_MAX]);
/* The account that `typed` names, as keyrotatectl accepts names. NULL, with err set: -ENOENT
 * (none), -ENOTUNIQ (several). */
struct engine_account *engine_words_find(const struct engine *engine, const char *typed,
                                         struct err *err);
/* What a look showed in one target, by the last one: "nothing", "the primary key"; NULL: it could
 * not be read. */
const char *engine_words_holding(enum holding holding);
/* While a second look is awaited: what the first one showed, and what decides. */
void engine_words_unexpected(const struct engine_account *account, char *out, size_t size);

/* "acct: the primary key is in file /a": the key is in a place that can be read; elsewhere it was
 * given away, or told of. `target`: the words for the target of the note. */
void engine_words_delivered(const struct engine_account *account, const struct note *note,
                            const char *target, char *out, size_t size);

/* "file /a, file /b hold a dead key": the required targets with one, and what is known of it. */
void engine_words_at_risk(const struct engine_account *account, char *out, size_t size);

/*
 * --- engine_select.c ---
 *
 * The accounts that a question about some of them is about.
 */

struct engine_selection {
    const struct engine_account **accounts;
    size_t count;
};

/* Those that the query names, in the order asked for, each once; those that a pattern matches, in
 * the order of their keys; all where it names none. Of them those in query->state and of
 * query->policy. Returns 0; -ENOENT or -ENOTUNIQ for a name, -ENOENT for a pattern that matches no
 * account, -EINVAL for a state or policy that there is not, with err set. Call
 * engine_selection_done() in every case. */
int engine_select(const struct engine *engine, const struct control_query *query,
                  struct engine_selection *selection, struct err *err);
void engine_selection_done(struct engine_selection *selection);

/*
 * --- engine_remedy.c ---
 *
 * Remedies with the words of an account.
 */

/* `text` with its placeholders filled (proto/remedy.h). The account is named as `typed`; NULL: as
 * engine_words_account() has it. */
void engine_remedy_expand(const struct engine_account *account, const char *typed, const char *text,
                          char *out, size_t size);

/*
 * --- engine_snapshot.c ---
 *
 * One account as `status` shows it.
 */

enum { HOLDS_SHOWN_MAX = 16 };

/* The texts that a snapshot borrows. */
struct snapshot_texts {
    char fingerprints[SLOT_COUNT][FINGERPRINT_TEXT_MAX];
    char held_marks[TARGETS_MAX][2 * HELD_MARK_LENGTH + 1];
    char destinations[TARGETS_MAX][512];
    char remedy[REMEDY_MAX];
    char meaning[700];
    struct target_snapshot targets[TARGETS_MAX];
    struct abandoned_snapshot abandoned[TARGETS_MAX];
    struct hold_snapshot holds[HOLDS_SHOWN_MAX];
};

void engine_snapshot_account(const struct engine_account *account,
                             struct account_snapshot *snapshot, struct snapshot_texts *texts);

/*
 * --- engine_place.c ---
 *
 * Places that a change of the configuration leaves behind.
 *
 * When a target gets another path or no more keys, the readers of the old place find a dead key one
 * or two rotations later. So the journal stores a description of every place, and abandoned ones
 * are reported: in the log, in the history, in the answer of the reload, and in `status` until a
 * rotation has completed since.
 */

int engine_places_load(struct engine *engine, struct err *err);
void engine_places_done(struct engine *engine);

/* An account that was configured until now gets other destinations: those of `subject`. Before the
 * account takes it over. */
void engine_places_change(struct engine_account *account, const struct account *subject);
/* An account begins: its destinations are held against what the journal knows. */
void engine_places_begin(struct engine_account *account);
/* An account is not configured any more. Its keys stay as they are: nothing is abandoned. */
void engine_places_remove(struct engine_account *account);
/* Hands what changed since the last time to the journal. */
void engine_places_save(struct engine *engine);

/* A rotation has completed. */
void engine_places_rotated(struct engine_account *account);

/* What `engine_places_change` would report; changes nothing. */
void engine_places_preview(const struct engine_account *account, const struct account *subject,
                           struct buf *report);

/* What is abandoned, into `out` (at most `max`), texts borrowed. Returns how many. */
size_t engine_places_abandoned(const struct engine_account *account, struct abandoned_snapshot *out,
                               size_t max);

/*
 * --- engine_form.c ---
 *
 * Mode and group of key files: when the daemon corrects them, and when it leaves a foreign change
 * alone. A read corrects them twice within a day. The third change is deliberate: it is reported
 * once and left alone, until a day has passed or the file is right again. The count is in memory
 * only, so a restart resets it.
 */

/* Shall the next read of that destination correct mode and group? Only of an adopted account whose
 * drift is repaired by the daemon (on_drift: redeliver). */
bool engine_form_is_kept(const struct engine_account *account, size_t destination);

/* Takes the result of a read; logs corrections, and changes that are left alone. */
void engine_form_take(struct engine_account *account, const struct target_result *result);

/* It was delivered to: its mode and group are as configured. */
void engine_form_delivered(struct engine_account *account, const struct target_id *target);

/* What is wrong with mode and group of that destination, in words; NULL: nothing. Borrowed. */
const char *engine_form_problem(const struct engine_account *account,
                                const struct target_id *target);

/* The account goes. */
void engine_form_forget(struct engine_account *account);

/*
 * --- engine_adopt_active.c ---
 *
 * Warns about a changed `adopt_active` that has no effect. It is used only while an account is
 * adopted. A later edit is probably meant to correct which key is in use, which needs a command.
 */

/* Appends the warning that the change from `account` to `subject` would cause, if any. Changes
 * nothing. */
void engine_adopt_active_preview(const struct engine_account *account,
                                 const struct account *subject, struct buf *report);

/* An adopted account is about to be configured as `subject`: warned about in the log, and in the
 * answer of the reload (engine->place_report). */
void engine_adopt_active_changed(struct engine_account *account, const struct account *subject);

/* An account of the journal begins. What stood in the configuration when it was adopted is not
 * known; before its first rotation, another slot than the active one is what was edited. */
void engine_adopt_active_begins(struct engine_account *account);

/*
 * --- engine_hold.c ---
 *
 * Holds: put on, ended by an operator, ended by time.
 *
 * A hold binds from the moment of the command until its end is durable, so that neither an answer
 * nor a rotation is ahead of the journal.
 */

int engine_hold_load(struct engine *engine, struct err *err);
/* Forgets, in memory and on disk, the holds that have ended by time. */
void engine_hold_expire(struct engine *engine);
/* What ends these holds, in words; {account} stands for the account. */
void engine_hold_remedy(const struct hold *const *holds, size_t count, char *out, size_t size);
/* Borrows from the engine and from `hold`. */
void engine_hold_snapshot(const struct engine *engine, const struct hold *hold,
                          struct hold_snapshot *snapshot);
/* CONTROL_HOLD and CONTROL_RESUME; `account`: whom the command names, NULL: all, or a hold's id. */
void engine_hold_command(struct engine *engine, const struct control_command *command,
                         const struct engine_account *account, struct control_request *request);

/*
 * --- engine_command.c ---
 *
 * Commands of operators: finds their accounts, posts an event to each, and answers when the last
 * account has answered.
 */

/* The machine's answer names the account as the operator did. */
void engine_command_name_account(const struct engine_account *account,
                                 struct transaction *transaction);
void engine_command_answered(struct engine_account *account, const struct transaction *transaction);
/* The daemon stops, or the account is gone, before the command could be carried out. */
void engine_command_dropped(const struct engine_account *account,
                            const struct transaction *transaction);

/*
 * --- engine_totals.c ---
 *
 * The counts behind engine_totals(): each event of an account updates them.
 */

void engine_totals_init(struct engine *engine);
void engine_totals_done(struct engine *engine);

/* Something may have changed for the account, which is configured: counts it anew. Returns when
 * that has to be done again although nothing happens to the account. */
time_ms engine_totals_update(struct engine_account *account);
/* Counts it no longer. */
void engine_totals_forget(struct engine_account *account);

/*
 * --- engine_operation.c ---
 *
 * The URL at which Azure tells how a regenerate goes. The record holds its fingerprint.
 */

/* Reads them from the journal, after the records; deletes those that no record names. */
int engine_operations_load(struct engine *engine, struct err *err);
/* Azure goes on with the regenerate that the action under way has asked for. */
void engine_operation_take(struct engine_account *account, const struct azure_result *result);
/* The machine has made a step: keeps the URL that the record names now, or forgets it. The journal
 * has it no later than the record. */
void engine_operation_follow(struct engine_account *account, const struct record *before,
                             struct transaction *transaction);

/*
 * --- engine_unconfigured.c ---
 *
 * The records of accounts that are not configured, kept so that an account that is configured again
 * continues from its record.
 */

/* All are copied; operation_url may be NULL. */
void engine_unconfigured_keep(struct engine *engine, const char *key, const struct record *record,
                              const char *operation_url);

/* The journal has that URL for the account. Returns false where no record names it. */
bool engine_unconfigured_operation(struct engine *engine, const char *key, const char *url);

/* Moves the record of its key, and the URL, to the new account; where none is kept, the account
 * gets a new record. */
void engine_unconfigured_take(struct engine_account *account);

/* The record of that key as it is kept, or NULL. */
const struct record *engine_unconfigured_find(const struct engine *engine, const char *key);

/* Calls it for each of them; it may not change them. */
typedef void engine_unconfigured_visit(void *context, const char *key, const struct record *record);
void engine_unconfigured_each(const struct engine *engine, engine_unconfigured_visit *visit,
                              void *context);

/* The wall clock was set by `jump`: shifts the times of all kept records, durably. */
void engine_unconfigured_shift(struct engine *engine, duration_ms jump);

void engine_unconfigured_done(struct engine *engine);

/*
 * --- engine_pair.c, engine_pair_wake.c ---
 *
 * Pairs of keys of one resource: accounts of their own, of which one at a time regenerates a key.
 *
 * An account holds the resource from the step in which it writes its intent until the journal has
 * its end. Two accounts that write intents at the same time do so in two steps, the second of which
 * knows of the first one. Where accounts will be spread over several processes, those of one
 * resource have to be in the same.
 */

/* Finds out anew which accounts are pairs of one resource; those that leave are among them. */
void engine_pair_link(struct engine *engine);
/* Does a regenerate of either account change the same resource? */
bool engine_pair_share(const char *key, const char *other_key);
/* Fills in what the account needs to know of the others. */
void engine_pair_describe(const struct engine_account *account, struct rotation_context *context);
/* A step of the account was made; `before` is the record before it. */
void engine_pair_stepped(struct engine_account *account, const struct record *before);
/* What the step said is durable, as far as it has to be. */
void engine_pair_carried_out(struct engine_account *account);
/* The account goes. */
void engine_pair_leave(struct engine_account *account);

/*
 * --- engine_whole.c, engine_whole_share.c ---
 *
 * Resources that are written back whole to renew a key: for how long one has been as it is, and
 * what the records of its other accounts say of their keys. What is seen is kept in memory only, so
 * that a start counts anew.
 */

/* Fills in from when on lists show the resource as it is. */
void engine_whole_describe(const struct engine_account *account, struct rotation_context *context);
/* Before a look or a regenerate: tells account->azure what it is held against. */
void engine_whole_prepare(struct engine_account *account);
/* The call has ended: what it has seen of the resource holds for all of its accounts. */
void engine_whole_share(struct engine_account *account);

/*
 * --- engine_news.c ---
 *
 * News for the targets of `notify`: what the log says of troubles and rotations, without keys. They
 * wait in memory, 256 at most, and are sent one after the other to each target, four times at most.
 * Nothing waits for them but a stop, for its grace.
 */

struct news {
    const char *event;  /* "account.blocked" */
    const char *text;   /* a sentence */
    const char *reason; /* NULL: none */
    const char *remedy; /* NULL: none */
    time_ms since;      /* TIME_NEVER: not known */
};

/* What a note is to a notifier: of enum notify_event, or 0. */
unsigned engine_news_event(enum note_kind kind);
/* When its next rotation begins is known, or has changed. */
void engine_news_planned(const struct engine_account *account);
/* Its rotation is no longer overdue. */
void engine_news_caught_up(const struct engine_account *account);
/* Tells those that asked for it. `event`: of enum notify_event. */
void engine_news_add(const struct engine_account *account, unsigned event, const struct news *what);

/* engine->config is another one. */
void engine_news_configure(struct engine *engine);
/* Nothing is under way or waits. */
bool engine_news_is_quiet(const struct engine *engine);
/* The engine stops: what waits is tried once. Then, after the grace: what is not under way goes. */
void engine_news_stop(struct engine *engine);
void engine_news_give_up(struct engine *engine);
void engine_news_free(struct engine *engine);

#endif

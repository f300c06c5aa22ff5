#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "ctl/adoption_list.h"
#include "ctl/status_text.h"

/* Status says "the primary key" of a target that holds that key alone. */
static bool holds_it(const struct target_snapshot *target, const char *active)
{
    char words[64];

    snprintf(words, sizeof(words), "the %s key", active);
    return target->holds && strcmp(target->holds, words) == 0;
}

/* How the target gets the key or the news, where nothing there is overwritten; otherwise NULL. */
static const char *how_informed(const struct target_snapshot *target)
{
    if (str_equal(target->gets, "notice"))
        return "which is told of it";
    return str_equal(target->gets, "key_unread") ? "which is given it" : NULL;
}

static bool is_overwritten(const struct target_snapshot *target, const char *active)
{
    return !how_informed(target) && !holds_it(target, active);
}

/* How many of its targets hold something else than that key? */
static size_t count_overwritten(const struct account_snapshot *account, const char *active)
{
    size_t count = 0;

    for (size_t i = 0; i < account->target_count; i++)
        count += is_overwritten(&account->targets[i], active) ? 1 : 0;
    return count;
}

static void say_what_is_overwritten(const struct account_snapshot *account, const char *active)
{
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    ctl_write(&text, "The %s key of %s\n", active, account->id);
    ctl_write(&text, "becomes the active one and is delivered to\n");
    for (size_t i = 0; i < account->target_count; i++) {
        const struct target_snapshot *target = &account->targets[i];

        ctl_write(&text, "  %s, ", ctl_shown(target->destination));
        if (how_informed(target))
            ctl_write(&text, "%s\n", how_informed(target));
        else if (holds_it(target, active))
            ctl_write(&text, "which already holds it\n");
        else
            ctl_write(&text, "overwriting %s\n",
                      target->holds ? target->holds : "whatever it holds");
    }
    ctl_write(&text,
              "From then on the %s key is the one that is regenerated: programs that use it today "
              "must change to the active key.\n",
              strcmp(active, "primary") == 0 ? "secondary" : "primary");
    ctl_print(stderr, &text);
}

static enum ctl_exit confirm(size_t overwritten)
{
    char reply[16];

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        return ctl_complain(CTL_USAGE, "%s: say --yes to have it done",
                            overwritten > 0 ? "adopt overwrites what targets hold"
                                            : "adopt decides which key is regenerated next");
    }
    fputs("Go on? [y/N] ", stderr);
    if (fgets(reply, sizeof(reply), stdin) && (reply[0] == 'y' || reply[0] == 'Y'))
        return CTL_DONE;
    return ctl_complain(CTL_NOT_DONE, "nothing was done");
}

static enum ctl_exit adopt_one(const struct ctl_options *options)
{
    struct control_status status;
    enum ctl_exit result =
        ctl_fetch_status(options, "accounts", options->accounts, 1, &status, NULL);
    size_t overwritten = 0;

    if (result == CTL_DONE) {
        for (size_t i = 0; i < status.account_count; i++) {
            say_what_is_overwritten(&status.accounts[i], options->request.active);
            overwritten += count_overwritten(&status.accounts[i], options->request.active);
        }
        control_status_done(&status);
        if (!options->yes)
            result = confirm(overwritten);
    }
    return result == CTL_DONE ? ctl_send(options) : result;
}

/* --- many at once: a journal was lost --- */

/* "sampleacct: the primary key becomes the active one, and overwrites the secondary key in file
 * /a" */
static void write_line_of_file(struct buf *out, const struct adoption_line *line)
{
    const char *separator = ", and overwrites ";

    ctl_write(out, "%s: the %s key becomes the active one", line->account, line->active);
    for (size_t i = 0; i < line->subject->target_count; i++) {
        const struct target_snapshot *target = &line->subject->targets[i];

        if (!is_overwritten(target, line->active))
            continue;
        ctl_write(out, "%s%s in %s", separator, target->holds ? target->holds : "whatever is there",
                  ctl_shown(target->destination));
        separator = ", ";
    }
    ctl_write(out, "%s\n",
              count_overwritten(line->subject, line->active) == 0 ? "; nothing is overwritten"
                                                                  : "");
}

static void say_what_the_file_does(const struct adoption_list *list)
{
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    for (size_t i = 0; i < list->count; i++)
        write_line_of_file(&text, &list->lines[i]);
    ctl_write(
        &text,
        "From then on the other key is the one that is regenerated: programs that use it today "
        "must change to the active key.\n");
    ctl_print(stderr, &text);
}

static enum ctl_exit send_all(const struct ctl_options *options, const struct adoption_list *list)
{
    struct control_command command = {.kind = CONTROL_ADOPT};
    struct ctl_session session;
    size_t sent = 0;

    ctl_session_start(&session, options);
    while (sent < list->count) {
        command.account = list->lines[sent].account;
        command.active = list->lines[sent].active;
        if (ctl_is_final(ctl_send_command(&session, &command)))
            break;
        sent++;
    }
    /* The failure itself has been reported; a document with the results shows where. */
    if (sent < list->count)
        fprintf(stderr, "keyrotatectl: stopped at line %u of %s: %zu of %zu commands were sent\n",
                list->lines[sent].number, options->file, sent, list->count);
    return ctl_session_end(&session);
}

static enum ctl_exit refuse_file(const struct ctl_options *options, const struct buf *errors)
{
    const char *text = errors->failed ? "(too long to show)\n" : buf_str(errors);

    if (options->json)
        return ctl_complain(CTL_USAGE, "nothing was sent: %s", text);
    fputs(text, stderr);
    return ctl_complain(CTL_USAGE, "nothing was sent");
}

/* Sends the commands when every line of the file makes sense. */
static enum ctl_exit adopt_listed(const struct ctl_options *options,
                                  const struct control_status *status, const struct buf *content)
{
    struct adoption_list list;
    enum ctl_exit result = CTL_DONE;
    struct buf errors;

    buf_init(&errors, CONTROL_REPLY_MAX);
    if (adoption_list_read(&list, options->file, buf_str(content), content->length, status,
                           &errors) != 0) {
        result = ctl_complain(CTL_NOT_DONE, "no memory");
    } else if (errors.length > 0) {
        result = refuse_file(options, &errors);
    } else {
        size_t overwritten = 0;

        say_what_the_file_does(&list);
        for (size_t i = 0; i < list.count; i++)
            overwritten += count_overwritten(list.lines[i].subject, list.lines[i].active);
        if (!options->yes)
            result = confirm(overwritten);
        if (result == CTL_DONE)
            result = send_all(options, &list);
    }
    adoption_list_done(&list);
    buf_done(&errors);
    return result;
}

static enum ctl_exit adopt_from_file(const struct ctl_options *options)
{
    struct control_status status;
    struct buf content;
    enum ctl_exit result;
    struct err err;

    err_clear(&err);
    buf_init(&content, CONTROL_REPLY_MAX);
    if (fs_read(options->file, &content, &err) != 0)
        result = ctl_complain(CTL_USAGE, "%s", err.text);
    else
        result = ctl_fetch_status(options, "accounts", NULL, 0, &status, NULL);
    if (result == CTL_DONE) {
        result = adopt_listed(options, &status, &content);
        control_status_done(&status);
    }
    buf_done(&content);
    return result;
}

/* --- all accounts of a rule: its adopt_active is right --- */

static bool is_to_be_confirmed(const struct account_snapshot *account, const char *rule)
{
    return account->unconfirmed && account->rule && str_equal(account->rule, rule);
}

/* "37 accounts of rule prod wait to be confirmed:", and each. Returns how many. */
static size_t say_what_is_confirmed(const struct control_status *status, const char *rule)
{
    size_t count = 0;
    struct buf text;

    for (size_t i = 0; i < status->account_count; i++)
        count += is_to_be_confirmed(&status->accounts[i], rule) ? 1 : 0;
    if (count == 0)
        return 0;
    buf_init(&text, CONTROL_REPLY_MAX);
    ctl_write(&text, "%zu %s of rule %s %s to be confirmed:\n", count,
              str_plural(count, "account", "accounts"), rule, str_plural(count, "waits", "wait"));
    for (size_t i = 0; i < status->account_count; i++) {
        const struct account_snapshot *account = &status->accounts[i];

        if (is_to_be_confirmed(account, rule))
            ctl_write(&text, "  %s/%s: its consumers use the %s key\n",
                      ctl_shown(account->resource_group), ctl_shown(account->name),
                      ctl_shown(account->active));
    }
    ctl_write(
        &text,
        "From then on the other key of each is regenerated when its time comes: programs that "
        "use it must change to the active key first.\n");
    ctl_print(stderr, &text);
    return count;
}

static bool has_rule(const struct control_status *status, const char *rule)
{
    for (size_t i = 0; i < status->daemon.rule_count; i++)
        if (str_equal(status->daemon.rules[i].name, rule))
            return true;
    return false;
}

static enum ctl_exit confirm_count(size_t count)
{
    char reply[16];

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return ctl_complain(CTL_USAGE,
                            "adopt --rule lets the keys of %zu %s be regenerated: say --yes to "
                            "have it done",
                            count, str_plural(count, "account", "accounts"));
    fputs("Go on? [y/N] ", stderr);
    if (fgets(reply, sizeof(reply), stdin) && (reply[0] == 'y' || reply[0] == 'Y'))
        return CTL_DONE;
    return ctl_complain(CTL_NOT_DONE, "nothing was done");
}

/* Those that were shown, and no others. */
static enum ctl_exit send_confirmations(const struct ctl_options *options,
                                        const struct control_status *status)
{
    struct control_command command = {.kind = CONTROL_CONFIRM};
    struct ctl_session session;

    ctl_session_start(&session, options);
    for (size_t i = 0; i < status->account_count; i++) {
        if (!is_to_be_confirmed(&status->accounts[i], options->rule))
            continue;
        command.account = status->accounts[i].id;
        if (ctl_is_final(ctl_send_command(&session, &command)))
            break;
    }
    return ctl_session_end(&session);
}

static enum ctl_exit adopt_rule(const struct ctl_options *options)
{
    struct control_status status;
    enum ctl_exit result = ctl_fetch_status(options, "accounts", NULL, 0, &status, NULL);
    size_t count;

    if (result != CTL_DONE)
        return result;
    count = say_what_is_confirmed(&status, options->rule);
    if (!has_rule(&status, options->rule))
        result = ctl_complain(CTL_REFUSED, "there is no rule %s in the daemon's configuration",
                              options->rule);
    else if (count > 0 && !options->yes)
        result = confirm_count(count);
    if (result == CTL_DONE && count == 0 && !options->json)
        printf("no account of rule %s waits to be confirmed\n", options->rule);
    if (result == CTL_DONE)
        result = send_confirmations(options, &status);
    control_status_done(&status);
    return result;
}

enum ctl_exit ctl_adopt(const struct ctl_options *options)
{
    if (options->rule)
        return adopt_rule(options);
    return options->file ? adopt_from_file(options) : adopt_one(options);
}

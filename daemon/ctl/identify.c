#include "ctl/identify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "ctl/status_text.h"

/* The daemon's answers, and what they say of each fingerprint. */
struct answers {
    time_ms now;
    struct control_identity *items; /* of which something is known */
    size_t count, room;
};

static void answers_done(struct answers *answers)
{
    for (size_t i = 0; i < answers->count; i++)
        control_identify_done(&answers->items[i]);
    free(answers->items);
}

static enum ctl_exit complain_of_memory(void)
{
    return ctl_complain(CTL_NOT_DONE, "no memory for all that was found: name fewer directories");
}

/* --- asking --- */

/* Whatever it returns, control_identify_done() on the identity. */
static enum ctl_exit ask(const struct ctl_options *options, const struct fingerprint *sought,
                         size_t count, struct control_identity *identity)
{
    enum ctl_exit result;
    struct buf path, text;
    struct err err;

    *identity = (struct control_identity){.now = TIME_NEVER};
    buf_init(&path, CONTROL_URI_MAX);
    buf_init(&text, CONTROL_REPLY_MAX);
    (void)control_identify_path(sought, count, &path);
    result = ctl_fetch_path(options, &path, &text);
    if (result == CTL_DONE &&
        control_identify_parse(buf_str(&text), text.length, identity, &err) != 0)
        result = ctl_complain(CTL_UNREACHABLE, "%s", err.text);
    else if (result == CTL_DONE && identity->key_count != count) {
        control_identify_done(identity);
        result = ctl_complain(CTL_UNREACHABLE, "the daemon has answered another question");
    }
    buf_done(&path);
    buf_done(&text);
    return result;
}

/* Takes the answer over. Returns 0 or -ENOMEM. */
static int keep(struct answers *answers, const struct control_identity *identity)
{
    if (answers->count == answers->room) {
        const size_t room = answers->room ? 2 * answers->room : 8;
        struct control_identity *items = realloc(answers->items, room * sizeof(*items));

        if (!items)
            return -ENOMEM;
        answers->items = items;
        answers->room = room;
    }
    answers->items[answers->count++] = *identity;
    return 0;
}

static bool knows_any(const struct control_identity *identity)
{
    for (size_t i = 0; i < identity->key_count; i++)
        if (identity->keys[i].id)
            return true;
    return false;
}

static int compare(const void *a, const void *b)
{
    const struct found_key *const *left = a, *const *right = b;

    return memcmp((*left)->fingerprint.bytes, (*right)->fingerprint.bytes, FINGERPRINT_LENGTH);
}

/* How many of the texts, from the first on, have its fingerprint. */
static size_t count_same(struct found_key *const *sorted, size_t count)
{
    size_t same = 1;

    while (same < count && compare(&sorted[0], &sorted[same]) == 0)
        same++;
    return same;
}

/* Asks about the first fingerprints of those that are left. *ret_texts: how many texts have them.
 */
static enum ctl_exit ask_next(const struct ctl_options *options, struct found_key **sorted,
                              size_t count, struct answers *answers, size_t *ret_texts)
{
    struct fingerprint sought[CONTROL_SOUGHT_MAX];
    struct control_identity identity;
    size_t asked = 0, texts = 0;
    enum ctl_exit result;

    while (asked < CONTROL_SOUGHT_MAX && texts < count) {
        sought[asked++] = sorted[texts]->fingerprint;
        texts += count_same(sorted + texts, count - texts);
    }
    *ret_texts = texts;
    result = ask(options, sought, asked, &identity);
    if (result != CTL_DONE)
        return result;
    answers->now = identity.now;
    /* Unknown texts are told of alone. */
    if (!knows_any(&identity) && count > 1) {
        control_identify_done(&identity);
        return CTL_DONE;
    }
    if (keep(answers, &identity) != 0) {
        control_identify_done(&identity);
        return complain_of_memory();
    }
    for (size_t at = 0, i = 0; i < asked; i++)
        for (size_t same = count_same(sorted + at, texts - at); same > 0; same--)
            sorted[at++]->known = &identity.keys[i];
    return CTL_DONE;
}

static enum ctl_exit ask_all(const struct ctl_options *options, struct findings *findings,
                             struct answers *answers)
{
    const size_t count = findings->key_count;
    struct found_key **sorted = calloc(count + 1, sizeof(*sorted));
    enum ctl_exit result = CTL_DONE;

    if (!sorted)
        return complain_of_memory();
    for (size_t i = 0; i < count; i++)
        sorted[i] = &findings->keys[i];
    qsort(sorted, count, sizeof(*sorted), compare);
    for (size_t at = 0, texts = 0; result == CTL_DONE && at < count; at += texts)
        result = ask_next(options, sorted + at, count - at, answers, &texts);
    free(sorted);
    return result;
}

/* --- finding --- */

/* No key holds blanks, quotes or braces. */
static bool is_more_than_key(const struct buf *key)
{
    for (size_t i = 0; i < key->length; i++)
        if ((unsigned char)key->data[i] <= ' ' || strchr("\"'{}", key->data[i]))
            return true;
    return false;
}

static enum ctl_exit take_input(struct findings *findings,
                                const uint8_t salt[FINGERPRINT_SALT_LENGTH])
{
    struct fingerprint fingerprint;
    enum ctl_exit result;
    struct buf key;

    buf_init(&key, CONTROL_BODY_MAX);
    result = identify_read_key(&key);
    findings->is_more_than_key = is_more_than_key(&key);
    if (result == CTL_DONE && (key_fingerprint(salt, key.data, key.length, &fingerprint) != 0 ||
                               findings_add(findings, &fingerprint) != 0))
        result = complain_of_memory();
    buf_done(&key);
    return result;
}

static enum ctl_exit find(const struct ctl_options *options, struct findings *findings,
                          const uint8_t salt[FINGERPRINT_SALT_LENGTH])
{
    if (!options->scan)
        return take_input(findings, salt);
    return identify_scan(findings, options->accounts, salt) == 0 ? CTL_DONE : complain_of_memory();
}

/* --- telling --- */

/* On standard error; with --json they are in the document. */
static void say_skipped(const struct findings *findings)
{
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    for (size_t i = 0; i < findings->skipped_count && i < SCAN_SKIPPED_NAMED; i++)
        ctl_write(&out, "keyrotatectl: %s: not read: %s\n", findings->skipped[i].path,
                  findings->skipped[i].why);
    if (findings->skipped_count > SCAN_SKIPPED_NAMED)
        ctl_write(&out, "keyrotatectl: %zu more were not read\n",
                  findings->skipped_count - SCAN_SKIPPED_NAMED);
    if (findings->cut_by)
        ctl_write(&out, "keyrotatectl: the rest was not read: %s\n", findings->cut_by);
    ctl_print(stderr, &out);
}

static enum ctl_exit print(const struct ctl_options *options, const struct findings *findings,
                           time_ms now)
{
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    if (options->json) {
        identify_write_json(&out, findings, now);
    } else {
        say_skipped(findings);
        identify_write_text(&out, findings, now);
    }
    if (out.failed) {
        buf_done(&out);
        return complain_of_memory();
    }
    ctl_print(stdout, &out);
    return identify_result(findings);
}

enum ctl_exit ctl_identify(const struct ctl_options *options)
{
    static const struct rlimit no_core = {.rlim_cur = 0, .rlim_max = 0};
    struct findings findings = {.of_scan = false};
    struct answers answers = {.now = TIME_NEVER};
    struct control_identity salt;
    enum ctl_exit result;

    (void)setrlimit(RLIMIT_CORE, &no_core); /* it would have the keys */
    result = ask(options, NULL, 0, &salt);
    if (result == CTL_DONE)
        result = find(options, &findings, salt.salt);
    answers.now = salt.now;
    if (result == CTL_DONE)
        result = ask_all(options, &findings, &answers);
    if (result == CTL_DONE)
        result = print(options, &findings, answers.now);
    control_identify_done(&salt);
    answers_done(&answers);
    findings_done(&findings);
    return result;
}

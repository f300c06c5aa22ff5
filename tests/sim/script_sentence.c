/*
 * What can happen, in words: one table of sentences serves for reading and for printing.
 *
 * A sentence is literal words and blanks to be filled in, which are in capitals.
 */
#include "script_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct sentence {
    enum incident_kind kind;
    const char *text;
    unsigned variant; /* distinguishes sentences of one kind: see variant_of() */
};

enum { BACK, FORWARD };

static const struct sentence sentences[] = {
    {INCIDENT_MISHAP, "next EFFECT of WHO : MISHAP", 0},
    {INCIDENT_MISHAP, "next EFFECT of WHO : MISHAP , TIMES times", 1},
    {INCIDENT_CRASH, "crash for DURATION", 0},
    {INCIDENT_CRASH_AT, "crash MOMENT next EFFECT of WHO for DURATION", 0},
    {INCIDENT_STOP, "stop for DURATION", 0},
    {INCIDENT_FREEZE, "freeze for DURATION", 0},
    {INCIDENT_SUSPEND, "suspend for DURATION", 0},
    {INCIDENT_CLOCK, "clock back DURATION", BACK},
    {INCIDENT_CLOCK, "clock forward DURATION", FORWARD},
    {INCIDENT_CLOCK_OFF, "clock back DURATION while off", BACK},
    {INCIDENT_CLOCK_OFF, "clock forward DURATION while off", FORWARD},
    {INCIDENT_DISK_FULL, "disk full for DURATION", 0},
    {INCIDENT_DISK_SLOW, "disk slow for DURATION", 0},
    {INCIDENT_SAVES_WAIT, "saves of WHO wait for DURATION", 0},
    {INCIDENT_BACKUP, "journal copied", 0},
    {INCIDENT_RESTORE, "journal restored", 0},
    {INCIDENT_ERASE, "journal erased", 0},
    {INCIDENT_REGENERATE, "somebody regenerates SLOT of ACCOUNT", 0},
    {INCIDENT_ROTATE, "somebody rotates ACCOUNT to SLOT", 0},
    {INCIDENT_WRITE, "somebody empties TARGET of ACCOUNT", WRITING_NOTHING},
    {INCIDENT_WRITE, "somebody writes gibberish to TARGET of ACCOUNT", WRITING_GIBBERISH},
    {INCIDENT_WRITE, "somebody writes the primary key to TARGET of ACCOUNT", WRITING_PRIMARY},
    {INCIDENT_WRITE, "somebody writes the secondary key to TARGET of ACCOUNT", WRITING_SECONDARY},
    {INCIDENT_WRITE, "somebody writes a dead key to TARGET of ACCOUNT", WRITING_OLD},
    {INCIDENT_TARGET_FAILS, "target TARGET of ACCOUNT fails for DURATION", 0},
    {INCIDENT_TARGET_LIES, "target TARGET of ACCOUNT lies for DURATION", 0},
    {INCIDENT_KEYS_OFF, "shared keys of WHO off for DURATION", 0},
    {INCIDENT_GONE, "account WHO gone for DURATION", 0},
    {INCIDENT_DENIED, "permission for WHO missing for DURATION", 0},
    {INCIDENT_UNDESCRIBED, "description of WHO unknown for DURATION", 0},
    {INCIDENT_DATA_DOWN, "data plane down for DURATION", 0},
    {INCIDENT_AZURE_DOWN, "azure down for DURATION", 0},
    {INCIDENT_THROTTLE, "azure throttles for DURATION", 0},
    {INCIDENT_NEW_KEYS_LAG, "new keys lag for DURATION", 0},
    {INCIDENT_REMOVE, "account ACCOUNT removed", 0},
    {INCIDENT_ADD, "account ACCOUNT added", 0},
    {INCIDENT_TARGET_OUT, "target TARGET of ACCOUNT removed", 0},
    {INCIDENT_TARGET_IN, "target TARGET of ACCOUNT required", 0},
    {INCIDENT_TARGET_OPTIONAL, "target TARGET of ACCOUNT optional", 0},
    {INCIDENT_POLICY, "policy : POLICY", 0},
    {INCIDENT_RELOAD, "reload", 0},
    {INCIDENT_TAGGED, "account ACCOUNT tagged TAG", 0},
    {INCIDENT_SAYS, "tag of ACCOUNT says SLOT", 0},
    {INCIDENT_LISTS_FORBIDDEN, "lists forbidden for DURATION", 0},
    {INCIDENT_LISTS_BREAK, "lists break off for DURATION", 0},
    {INCIDENT_LISTS_LATE, "lists late for DURATION", 0},
    {INCIDENT_LISTS_LACK, "lists lack ACCOUNT for DURATION", 0},
    {INCIDENT_RULE_OUT, "rule RULE removed", 0},
    {INCIDENT_RULE_IN, "rule RULE added", 0},
    {INCIDENT_RULES_TURNED, "rules turned", 0},
    {INCIDENT_SHARED, "targets of ACCOUNT shared", 0},
    {INCIDENT_APART, "targets of ACCOUNT apart", 0},
    {INCIDENT_COMMAND, "operator : rotate WHO", SCRIPT_ROTATE},
    {INCIDENT_COMMAND, "operator : redeliver WHO", SCRIPT_REDELIVER},
    {INCIDENT_COMMAND, "operator : adopt WHO as SLOT", SCRIPT_ADOPT},
    {INCIDENT_COMMAND, "operator : hold WHO for DURATION", SCRIPT_HOLD},
    {INCIDENT_COMMAND, "operator : resume WHO", SCRIPT_RESUME},
    {INCIDENT_COMMAND, "operator : resume hold ID", SCRIPT_RESUME_HOLD},
    {INCIDENT_COMMAND, "operator : unblock WHO", SCRIPT_UNBLOCK},
    {INCIDENT_COMMAND, "operator : check WHO", SCRIPT_CHECK},
    {INCIDENT_COMMAND, "operator : confirm WHO", SCRIPT_CONFIRM},
    {INCIDENT_SETTLE, "operator : settle WHO", 0},
    {INCIDENT_EXPECT_ROTATION, "expect rotation within DURATION", 0},
};
enum { SENTENCES = sizeof(sentences) / sizeof(sentences[0]) };

static unsigned variant_of(const struct incident *incident)
{
    switch (incident->kind) {
    case INCIDENT_MISHAP:
        return incident->times > 1;
    case INCIDENT_CLOCK:
    case INCIDENT_CLOCK_OFF:
        return incident->duration < 0 ? BACK : FORWARD;
    case INCIDENT_WRITE:
        return incident->writing;
    case INCIDENT_COMMAND:
        return incident->command;
    default:
        return 0;
    }
}

static void set_variant(struct incident *incident, unsigned variant)
{
    if (incident->kind == INCIDENT_WRITE)
        incident->writing = (enum writing)variant;
    else if (incident->kind == INCIDENT_COMMAND)
        incident->command = (enum script_command)variant;
    else if (incident->kind == INCIDENT_CLOCK || incident->kind == INCIDENT_CLOCK_OFF)
        incident->duration = variant == BACK ? -incident->duration : incident->duration;
    else if (incident->kind == INCIDENT_MISHAP && incident->times == 0)
        incident->times = incident->mishap != MISHAP_NONE;
}

/* --- blanks --- */

static const char *const moments[CRASH_MOMENT_COUNT] = {
    [CRASH_BEFORE] = "before", [CRASH_DURING] = "during", [CRASH_AFTER] = "after"};

static bool read_number(const char *word, unsigned from, unsigned to, unsigned *ret_number)
{
    int64_t number;

    if (!str_to_int64(word, &number) || number < from || number > to)
        return false;
    *ret_number = (unsigned)number;
    return true;
}

static bool read_effect(const struct script *script, const char *word, struct incident *incident)
{
    (void)script;
    for (int effect = 0; effect < EFFECT_COUNT; effect++) {
        if (strcmp(effect_name((enum effect)effect), word) != 0)
            continue;
        incident->effect = (enum effect)effect;
        return true;
    }
    return false;
}

static bool read_mishap(const struct script *script, const char *word, struct incident *incident)
{
    (void)script;
    for (int mishap = 0; mishap < MISHAP_COUNT; mishap++) {
        if (strcmp(mishap_name((enum mishap)mishap), word) != 0)
            continue;
        incident->mishap = (enum mishap)mishap;
        return incident->mishap == MISHAP_NONE || mishap_fits(incident->mishap, incident->effect);
    }
    return false;
}

static bool read_times(const struct script *script, const char *word, struct incident *incident)
{
    (void)script;
    return read_number(word, 2, 1000, &incident->times);
}

static bool read_id(const struct script *script, const char *word, struct incident *incident)
{
    (void)script;
    incident->account = ALL_ACCOUNTS;
    return read_number(word, 1, 1000, &incident->times);
}

static bool read_account(const struct script *script, const char *word, struct incident *incident)
{
    if (word[0] != 'a' || !read_number(word + 1, 1, script->accounts, &incident->account))
        return false;
    incident->account--;
    return true;
}

static bool read_who(const struct script *script, const char *word, struct incident *incident)
{
    if (strcmp(word, "all") != 0)
        return read_account(script, word, incident);
    incident->account = ALL_ACCOUNTS;
    return true;
}

static bool read_target(const struct script *script, const char *word, struct incident *incident)
{
    for (unsigned i = 0; i < script->target_count; i++) {
        if (strcmp(script->targets[i].name, word) != 0)
            continue;
        incident->target = i;
        return true;
    }
    return false;
}

static bool read_tag(const struct script *script, const char *word, struct incident *incident)
{
    (void)script;
    for (int tag = 0; tag < TAG_COUNT; tag++) {
        if (strcmp(script_tag_name((enum script_tag)tag), word) != 0)
            continue;
        incident->tag = (enum script_tag)tag;
        return true;
    }
    return false;
}

static bool read_rule(const struct script *script, const char *word, struct incident *incident)
{
    for (unsigned i = 0; i < script->rule_count; i++) {
        if (strcmp(script->rules[i].name, word) != 0)
            continue;
        incident->rule = i;
        return true;
    }
    return false;
}

static bool read_moment(const struct script *script, const char *word, struct incident *incident)
{
    (void)script;
    for (int moment = 0; moment < CRASH_MOMENT_COUNT; moment++) {
        if (strcmp(moments[moment], word) != 0)
            continue;
        incident->moment = (enum crash_moment)moment;
        return true;
    }
    return false;
}

static bool read_duration(const struct script *script, const char *word, struct incident *incident)
{
    (void)script;
    return duration_parse(word, &incident->duration);
}

static bool read_slot(const struct script *script, const char *word, struct incident *incident)
{
    (void)script;
    return slot_from_name(word, &incident->slot);
}

static void print_effect(const struct script *script, const struct incident *incident,
                         struct buf *out)
{
    (void)script;
    buf_append_str(out, effect_name(incident->effect));
}

static void print_mishap(const struct script *script, const struct incident *incident,
                         struct buf *out)
{
    (void)script;
    buf_append_str(out, mishap_name(incident->mishap));
}

static void print_times(const struct script *script, const struct incident *incident,
                        struct buf *out)
{
    (void)script;
    buf_append_format(out, "%u", incident->times);
}

static void print_account(const struct script *script, const struct incident *incident,
                          struct buf *out)
{
    (void)script;
    if (incident->account == ALL_ACCOUNTS)
        buf_append_str(out, "all");
    else
        buf_append_format(out, "a%u", incident->account + 1);
}

static void print_target(const struct script *script, const struct incident *incident,
                         struct buf *out)
{
    buf_append_str(out, script->targets[incident->target].name);
}

static void print_tag(const struct script *script, const struct incident *incident, struct buf *out)
{
    (void)script;
    buf_append_str(out, script_tag_name(incident->tag));
}

static void print_rule(const struct script *script, const struct incident *incident,
                       struct buf *out)
{
    buf_append_str(out, script->rules[incident->rule].name);
}

static void print_moment(const struct script *script, const struct incident *incident,
                         struct buf *out)
{
    (void)script;
    buf_append_str(out, moments[incident->moment]);
}

static void print_duration(const struct script *script, const struct incident *incident,
                           struct buf *out)
{
    duration_ms duration = incident->duration < 0 ? -incident->duration : incident->duration;
    char text[DURATION_TEXT_MAX];

    (void)script;
    buf_append_str(out, duration_to_text(duration, text));
}

static void print_slot(const struct script *script, const struct incident *incident,
                       struct buf *out)
{
    (void)script;
    buf_append_str(out, slot_name(incident->slot));
}

static void print_policy(const struct script *script, const struct incident *incident,
                         struct buf *out)
{
    policy_print(&incident->policy, &script->policy, out);
}

static const struct blank {
    const char *name;
    const char *what; /* belongs there */
    bool (*read)(const struct script *script, const char *word, struct incident *incident);
    void (*print)(const struct script *script, const struct incident *incident, struct buf *out);
} blanks[] = {
    {"EFFECT", "an effect (probe, look, read, regenerate, verify, deliver, save)", read_effect,
     print_effect},
    {"MISHAP", "something that can happen to this effect", read_mishap, print_mishap},
    {"TIMES", "a number from 2 to 1000", read_times, print_times},
    {"ID", "the id of a hold", read_id, print_times},
    {"ACCOUNT", "one of the accounts (a1, a2, …)", read_account, print_account},
    {"WHO", "one of the accounts (a1, a2, …) or all", read_who, print_account},
    {"TARGET", "the name of a target", read_target, print_target},
    {"TAG", "a tag (none, red, blue)", read_tag, print_tag},
    {"RULE", "the name of a rule", read_rule, print_rule},
    {"MOMENT", "before, during or after", read_moment, print_moment},
    {"DURATION", "a duration such as 30d or 1h30m", read_duration, print_duration},
    {"SLOT", "primary or secondary", read_slot, print_slot},
    {"POLICY", "a policy", NULL, print_policy}, /* many words: read by policy_read() */
};

static const struct blank *find_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++)
        if (strlen(blanks[i].name) == length && memcmp(blanks[i].name, text, length) == 0)
            return &blanks[i];
    return NULL;
}

/* --- reading --- */

/* How many words of a sentence match, and what it expects next. */
struct match {
    size_t agreed;
    const char *wanted; /* the expected word; NULL: none */
    size_t wanted_length;
    const struct blank *blank;
};

static bool match_word(const struct words *words, size_t at, const char *text, size_t length,
                       const struct script *script, struct incident *incident, struct match *match)
{
    const char *word = at < words->count ? words->word[at] : "";

    match->blank = find_blank(text, length);
    match->wanted = text;
    match->wanted_length = length;
    if (!match->blank)
        return strlen(word) == length && memcmp(word, text, length) == 0;
    return match->blank->read ? match->blank->read(script, word, incident) : word[0] != '\0';
}

/* True: the sentence matches the words, up to a policy at its end. */
static bool match_sentence(const struct words *words, size_t at, const struct sentence *sentence,
                           const struct script *script, struct incident *incident,
                           struct match *match)
{
    const char *text = sentence->text;

    *match = (struct match){0};
    *incident = (struct incident){.kind = sentence->kind, .policy = script->policy};
    while (*text != '\0') {
        size_t length = strcspn(text, " ");

        if (!match_word(words, at + match->agreed, text, length, script, incident, match))
            return false;
        match->agreed++;
        text += length;
        text += *text == ' ';
    }
    set_variant(incident, sentence->variant);
    match->wanted = NULL;
    return sentence->kind == INCIDENT_POLICY || at + match->agreed == words->count;
}

/* What could stand in the place of the first word that does not match, by all sentences that match
 * up to there. */
static void list_wanted(const struct match matches[SENTENCES], size_t agreed, struct buf *out)
{
    for (size_t i = 0; i < SENTENCES; i++) {
        const struct match *match = &matches[i];
        bool told = false;

        for (size_t j = 0; j < i && !told; j++)
            told = matches[j].agreed == agreed && matches[j].wanted &&
                   matches[j].wanted_length == match->wanted_length &&
                   memcmp(matches[j].wanted, match->wanted, match->wanted_length) == 0;
        if (match->agreed != agreed || !match->wanted || told)
            continue;
        buf_append_str(out, out->length > 0 ? " or " : "");
        if (match->blank)
            buf_append_str(out, match->blank->what);
        else
            buf_append_format(out, "\"%.*s\"", (int)match->wanted_length, match->wanted);
    }
}

static bool no_match(struct words *words, size_t at, const struct match matches[SENTENCES])
{
    const char *found;
    struct buf wanted;
    size_t agreed = 0;

    for (size_t i = 0; i < SENTENCES; i++)
        agreed = matches[i].agreed > agreed ? matches[i].agreed : agreed;
    found = at + agreed < words->count ? words->word[at + agreed] : "the end of the line";
    if (agreed == 0)
        return words_wrong(words, "nothing that happens begins with \"%s\"", found);
    buf_init(&wanted, WORDS_ERROR_MAX);
    list_wanted(matches, agreed, &wanted);
    words_wrong(words, "after \"%s\" comes %s, not \"%s\"", words->word[at + agreed - 1],
                wanted.length > 0 ? buf_str(&wanted) : "nothing", found);
    buf_done(&wanted);
    return false;
}

bool sentence_read(struct words *words, size_t at, const struct script *script,
                   struct incident *incident)
{
    struct match matches[SENTENCES];

    for (size_t i = 0; i < SENTENCES; i++) {
        if (!match_sentence(words, at, &sentences[i], script, incident, &matches[i]))
            continue;
        if (incident->kind == INCIDENT_POLICY)
            return policy_read(words, at + matches[i].agreed - 1, &incident->policy);
        return true;
    }
    return no_match(words, at, matches);
}

/* --- printing --- */

static const struct sentence *sentence_of(const struct incident *incident)
{
    for (size_t i = 0; i < SENTENCES; i++)
        if (sentences[i].kind == incident->kind && sentences[i].variant == variant_of(incident))
            return &sentences[i];
    abort();
}

void incident_print(const struct script *script, const struct incident *incident, struct buf *out)
{
    const char *text = sentence_of(incident)->text;
    const char *separator = "";

    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        const struct blank *blank = find_blank(text, length);

        if (*text != ',' && *text != ':')
            buf_append_str(out, separator);
        if (blank)
            blank->print(script, incident, out);
        else
            buf_append(out, text, length);
        separator = " ";
        text += length;
        text += *text == ' ';
    }
}

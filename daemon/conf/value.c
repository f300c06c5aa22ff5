#include "conf/moment.h"
#include "conf/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/listen_address.h"
#include "base/str.h"
#include "base/time.h"
#include "base/tz.h"
#include "conf/path.h"
#include "conf/placeholder.h"
#include "conf/resource_id.h"
#include "conf/url.h"
#include "proto/template.h"

enum {
    PATH_MAX_LENGTH = 4095,
    NAMES_MAX = 100,
    KNOWN_MAX = 4096,
    TEXT_SHOWN_MAX = 80,
    MINUTES_PER_DAY = 1440
};

const char *value_shown(const char *text, char out[VALUE_SHOWN_MAX])
{
    /* Ids of resources differ at their ends. A key or password would be longer than a text. */
    const size_t limit =
        str_starts_with_nocase(text, "/subscriptions/") ? VALUE_SHOWN_MAX : TEXT_SHOWN_MAX;

    if (!str_copy(out, limit, text)) {
        size_t end = limit - 4;

        while (end > 0 && ((unsigned char)out[end] & 0xc0) == 0x80)
            end--; /* never a part of a character */
        memcpy(out + end, "...", 4);
    }
    return out;
}

/* "a, b or c" */
static void list_choices(char out[VALUE_EXPECTED_MAX], const struct schema_choice *choices)
{
    size_t left = 0, length = 0;

    for (const struct schema_choice *choice = choices; choice->name; choice++)
        left++;
    for (const struct schema_choice *choice = choices; choice->name; choice++) {
        left--;
        (void)snprintf(out + length, VALUE_EXPECTED_MAX - length, "%s%s", choice->name,
                       left == 0 ? "" : (left == 1 ? " or " : ", "));
        length += strlen(out + length);
    }
}

/* "a mapping of keys (a, b, …) to values". */
static void list_keys(char out[VALUE_EXPECTED_MAX], const struct schema_map *map)
{
    enum { NAMED_MAX = 160 }; /* keeps room for the last name and the end of the sentence */
    size_t length, count = 0;

    (void)str_copy(out, VALUE_EXPECTED_MAX, "a mapping of keys (");
    for (const struct schema_key *key = map->keys; key->name; key++) {
        length = strlen(out);
        (void)snprintf(out + length, VALUE_EXPECTED_MAX - length, "%s%s", count++ > 0 ? ", " : "",
                       length < NAMED_MAX ? key->name : "…");
        if (length >= NAMED_MAX)
            break;
    }
    length = strlen(out);
    (void)snprintf(out + length, VALUE_EXPECTED_MAX - length, ") to values");
}

const char *value_expected(const struct schema_key *key, char out[VALUE_EXPECTED_MAX])
{
    static const char *const wanted[] = {
        [SCHEMA_TEXT] = "a text",
        [SCHEMA_TEMPLATE] = "a text, with placeholders such as {account} where needed",
        [SCHEMA_CONTENT] = "a text with placeholders such as {key}",
        [SCHEMA_BOOLEAN] = "true or false",
        [SCHEMA_INTEGER] = "a number",
        [SCHEMA_DURATION] = "a duration such as 90s, 12h or 30d",
        [SCHEMA_CHOICE] = "a word",
        [SCHEMA_URL] = "a URL such as https://HOST",
        [SCHEMA_PROXY] = "a URL such as http://HOST:PORT",
        [SCHEMA_LISTEN] = "an address and port such as 127.0.0.1:9877",
        [SCHEMA_PATH] = "an absolute path",
        [SCHEMA_CREDENTIAL] = "the path of a file",
        [SCHEMA_GUID] = "a GUID",
        [SCHEMA_TENANT] = "a GUID or a domain name",
        [SCHEMA_MODE] = "an octal mode in quotes such as \"0640\"",
        [SCHEMA_WEEKDAY] = "Mon, Tue, Wed, Thu, Fri, Sat or Sun",
        [SCHEMA_CLOCK] = "a time of day such as \"22:00\"",
        [SCHEMA_TIME_ZONE] = "a time zone such as Europe/Berlin",
        [SCHEMA_INSTANT] =
            ("a day such as 2026-12-20, or an instant such as \"2026-12-20 18:00\" or "
             "2026-12-20T18:00:00Z"),
        [SCHEMA_API_VERSION] = "a version such as 2024-02-01",
        [SCHEMA_HOST_SUFFIX] = "a host name or suffix such as .example.org",
        [SCHEMA_ACCOUNT_ID] = "the resource id of ",
        [SCHEMA_ACCOUNT_NAME] = "the name of the account",
        [SCHEMA_RESOURCE_GROUP] = "the name of a resource group",
        [SCHEMA_IDENTITY_ID] = "the resource id of a managed identity",
        [SCHEMA_MAP] = "a mapping of keys to values",
    };

    if (key->type == SCHEMA_CHOICE)
        list_choices(out, key->choices);
    else if (key->type == SCHEMA_MAP && key->map && key->shape != SHAPE_BY_NAME)
        list_keys(out, key->map);
    else if (key->type == SCHEMA_ACCOUNT_ID)
        (void)snprintf(out, VALUE_EXPECTED_MAX, "%s%s", wanted[key->type],
                       two_key_resource_at(0)->noun);
    else
        (void)str_copy(out, VALUE_EXPECTED_MAX, wanted[key->type]);
    return out;
}

/* --- types whose values fit or do not --- */

static bool is_not_empty(const char *text)
{
    return text[0] != '\0';
}

static bool is_boolean(const char *text)
{
    return str_equal(text, "true") || str_equal(text, "false");
}

static bool is_listen(const char *text)
{
    return listen_address_parse(text, NULL);
}

static bool is_weekday(const char *text)
{
    int weekday;

    return value_parse_weekday(text, &weekday);
}

static bool is_api_version(const char *text)
{
    static const char pattern[] = "0000-00-00";

    for (size_t i = 0; pattern[i] != '\0'; i++) {
        if (pattern[i] == '0' ? !char_is_digit(text[i]) : text[i] != pattern[i])
            return false;
    }
    return text[10] == '\0' || str_equal(text + 10, "-preview");
}

/* A star alone means all hosts. libcurl knows no patterns, so that one would match nothing. */
static bool is_host_suffix(const char *text)
{
    if (str_equal(text, "*"))
        return true;
    for (const char *c = text; *c != '\0'; c++) {
        if (!char_is_alphanumeric(*c) && !strchr(".-_:,/", *c))
            return false;
    }
    return text[0] != '\0';
}

/* --- types whose values have a problem, or NULL --- */

static const char *tenant_problem(const char *text)
{
    bool is_domain = value_is_name(text) && strchr(text, '.');

    return value_is_guid(text) || is_domain || str_equal(text, "adfs")
               ? NULL
               : "is not a tenant; write its GUID or a domain such as contoso.onmicrosoft.com";
}

static const char *group_problem(const char *text)
{
    return resource_group_problem(text, strlen(text));
}

/* --- all others --- */

typedef bool value_checker(struct report *report, const struct tree_node *node,
                           const struct schema_key *key);

/* Reports the sentence that most checks share. It shows the value, unless the value could hold a
 * password (https://user:password@host). */
static bool refuse(struct report *report, const struct tree_node *node, const char *problem)
{
    char shown[VALUE_SHOWN_MAX];

    if (problem && strchr(node->text, '@'))
        report_error(report, node, "%s", problem);
    else if (problem)
        report_error(report, node, "\"%s\" %s", value_shown(node->text, shown), problem);
    return !problem;
}

static bool refuse_unexpected(struct report *report, const struct tree_node *node,
                              const struct schema_key *key)
{
    char shown[VALUE_SHOWN_MAX];
    char expected[VALUE_EXPECTED_MAX];

    report_error(report, node, "\"%s\" cannot stand here; write %s", value_shown(node->text, shown),
                 value_expected(key, expected));
    return false;
}

static bool check_guid(struct report *report, const struct tree_node *node,
                       const struct schema_key *key)
{
    int word;

    if (value_is_guid(node->text) ||
        (key->choices && schema_choice_value(key->choices, node->text, &word)))
        return true;
    return refuse(report, node,
                  key->choices ? "is not a GUID; write 00000000-0000-0000-0000-000000000000, or all"
                               : "is not a GUID; write it as 00000000-0000-0000-0000-000000000000");
}

static bool check_template(struct report *report, const struct tree_node *node,
                           const struct schema_key *key)
{
    char sentence[TEMPLATE_PROBLEM_MAX];
    const char *problem;

    if (node->text[0] == '\0')
        return refuse_unexpected(report, node, key);
    problem = key->type == SCHEMA_CONTENT
                  ? template_problem(node->text, NULL, sentence, sizeof(sentence))
                  : placeholder_problem(node->text, sentence, sizeof(sentence));
    if (problem)
        report_error(report, node, "%s", problem);
    return !problem;
}

static bool check_integer(struct report *report, const struct tree_node *node,
                          const struct schema_key *key)
{
    int64_t number;

    if (!str_to_int64(node->text, &number))
        return refuse_unexpected(report, node, key);
    if (number >= key->minimum && number <= key->maximum)
        return true;
    if (key->minimum == key->maximum)
        report_error(report, node, "%lld is not known to this program; write %lld",
                     (long long)number, (long long)key->minimum);
    else
        report_error(report, node, "%lld is out of range; write a number from %lld to %lld",
                     (long long)number, (long long)key->minimum, (long long)key->maximum);
    return false;
}

static bool check_duration(struct report *report, const struct tree_node *node,
                           const struct schema_key *key)
{
    char text[DURATION_TEXT_MAX];
    duration_ms duration;
    int word;

    if (key->choices && schema_choice_value(key->choices, node->text, &word))
        return true;
    if (!duration_parse(node->text, &duration))
        return refuse_unexpected(report, node, key);
    if (duration == 0 && !key->may_be_zero) {
        report_error(report, node, "must be longer than 0s; write a duration such as 90s or 30d");
        return false;
    }
    if (duration > key->maximum) {
        report_error(report, node, "is too long; %s is the most",
                     duration_to_text(key->maximum, text));
        return false;
    }
    if (duration < key->advised)
        report_warning(report, node, "is short; write %s or more, or %s",
                       duration_to_text(key->advised, text), key->weakens);
    return true;
}

static bool check_choice(struct report *report, const struct tree_node *node,
                         const struct schema_key *key)
{
    const char *names[NAMES_MAX];
    char shown[VALUE_SHOWN_MAX];
    size_t count = 0;
    const char *nearest;
    char known[VALUE_EXPECTED_MAX], problem[RESOURCE_PROBLEM_MAX];

    for (const struct schema_choice *choice = key->choices; choice->name; choice++) {
        if (str_equal_nocase(choice->name, node->text))
            return true;
        names[count++] = choice->name;
    }
    names[count] = NULL;
    if (key->problem && key->problem(node->text, problem, sizeof(problem)))
        return refuse(report, node, problem);
    nearest = str_nearest(node->text, names);
    (void)value_expected(key, known);
    if (nearest)
        report_error(report, node, "unknown value \"%s\"; did you mean %s?",
                     value_shown(node->text, shown), nearest);
    else
        report_error(report, node, "unknown value \"%s\"; write %s%s",
                     value_shown(node->text, shown), known, key->map ? ", or a mapping" : "");
    return false;
}

static bool check_path(struct report *report, const struct tree_node *node,
                       const struct schema_key *key)
{
    if (path_is_for_shell(node->text))
        return refuse(report, node, PATH_FOR_SHELL);
    if (node->text[0] != '/')
        return refuse_unexpected(report, node, key);
    if (path_has_dot_segment(node->text))
        return refuse(report, node, "holds \".\" or \"..\"; write the path without them");
    if (strlen(node->text) > PATH_MAX_LENGTH)
        return refuse(report, node, "is too long for a path");
    return true;
}

static bool check_credential(struct report *report, const struct tree_node *node,
                             const struct schema_key *key)
{
    if (node->text[0] == '\0')
        return refuse_unexpected(report, node, key);
    if (path_is_for_shell(node->text))
        return refuse(report, node, PATH_FOR_SHELL);
    if (path_has_dot_segment(node->text))
        return refuse(report, node, "holds \".\" or \"..\"; write the path without them");
    if (node->text[0] != '/' && strchr(node->text, '/'))
        return refuse(report, node,
                      "is relative, and so the name of a credential of the unit, which holds no "
                      "'/'; write an absolute path, or the name alone");
    return true;
}

static bool check_mode(struct report *report, const struct tree_node *node,
                       const struct schema_key *key)
{
    unsigned mode;

    if (!value_parse_mode(node->text, &mode))
        return refuse_unexpected(report, node, key);
    if (!node->quoted) {
        report_error(report, node,
                     "is not in quotes, and YAML readers disagree about such numbers; write "
                     "\"%04o\"",
                     mode);
        return false;
    }
    if ((mode & S_IRUSR) == 0) {
        report_error(
            report, node,
            "the daemon could not read the file that it has delivered, and would stop rotating; "
            "write \"%04o\"",
            mode | S_IRUSR);
        return false;
    }
    if ((mode & (S_IRWXO)) != 0)
        report_warning(report, node,
                       "every user of this machine can read the key; use \"%04o\" and a group",
                       mode & ~(unsigned)S_IRWXO);
    return true;
}

static bool check_clock(struct report *report, const struct tree_node *node,
                        const struct schema_key *key)
{
    int minute;

    return (value_parse_clock(node->text, &minute) &&
            (minute < MINUTES_PER_DAY || str_equal(key->name, "to"))) ||
           refuse_unexpected(report, node, key);
}

static bool check_time_zone(struct report *report, const struct tree_node *node,
                            const struct schema_key *key)
{
    struct tz *tz = tz_load(node->text);
    bool is_damaged = !tz && errno == EBADMSG;
    char shown[VALUE_SHOWN_MAX];
    char *current;

    (void)key;
    if (!tz && errno == ENOMEM)
        return refuse(report, node, "cannot be looked up: out of memory");
    tz_free(tz);
    if (tz)
        return true;
    if (is_damaged)
        return refuse(
            report, node,
            "is a time zone whose file is damaged, older than 2006 or counts leap seconds, "
            "so that no window can rely on it; install tzdata anew, or write a name such "
            "as Europe/Berlin or UTC");
    errno = 0;
    current = tz_current_name(node->text);
    if (!current)
        return refuse(report, node,
                      errno == ENOMEM
                          ? "cannot be looked up: out of memory"
                          : "is not a time zone of this system; write a name of the tz database "
                            "such as Europe/Berlin or UTC (package tzdata)");
    report_error(report, node,
                 "\"%s\" is a former name that this system lacks; write the current name %s, "
                 "or install the package tzdata-legacy",
                 value_shown(node->text, shown), current);
    free(current);
    return false;
}

static bool check_account_id(struct report *report, const struct tree_node *node,
                             const struct schema_key *key)
{
    char shown[VALUE_SHOWN_MAX];
    struct err err = {.code = 0};
    struct resource_id id;
    struct buf known;
    int rc = resource_id_parse(node->text, &id, &err);

    (void)key;
    if (rc != -ENOENT)
        return rc == 0 || refuse(report, node, err.text);
    buf_init(&known, KNOWN_MAX);
    resource_types_known(&known);
    report_error(report, node, "\"%s\" %s; known are %s; see keyrotated-resources(7)",
                 value_shown(node->text, shown), err.text, report_part(report, &known));
    buf_done(&known);
    return false;
}

/* One of the three. */
static const struct {
    bool (*fits)(const char *text);
    const char *(*problem)(const char *text);
    value_checker *check;
} checkers[] = {
    [SCHEMA_TEXT] = {.fits = is_not_empty},
    [SCHEMA_TEMPLATE] = {.check = check_template},
    [SCHEMA_CONTENT] = {.check = check_template},
    [SCHEMA_BOOLEAN] = {.fits = is_boolean},
    [SCHEMA_INTEGER] = {.check = check_integer},
    [SCHEMA_DURATION] = {.check = check_duration},
    [SCHEMA_CHOICE] = {.check = check_choice},
    [SCHEMA_URL] = {.problem = url_problem},
    [SCHEMA_PROXY] = {.problem = url_proxy_problem},
    [SCHEMA_LISTEN] = {.fits = is_listen},
    [SCHEMA_PATH] = {.check = check_path},
    [SCHEMA_CREDENTIAL] = {.check = check_credential},
    [SCHEMA_GUID] = {.check = check_guid},
    [SCHEMA_TENANT] = {.problem = tenant_problem},
    [SCHEMA_MODE] = {.check = check_mode},
    [SCHEMA_WEEKDAY] = {.fits = is_weekday},
    [SCHEMA_CLOCK] = {.check = check_clock},
    [SCHEMA_TIME_ZONE] = {.check = check_time_zone},
    [SCHEMA_INSTANT] = {.fits = moment_is},
    [SCHEMA_API_VERSION] = {.fits = is_api_version},
    [SCHEMA_HOST_SUFFIX] = {.fits = is_host_suffix},
    [SCHEMA_ACCOUNT_ID] = {.check = check_account_id},
    [SCHEMA_ACCOUNT_NAME] = {.fits = is_not_empty}, /* the rest depends on the type */
    [SCHEMA_RESOURCE_GROUP] = {.problem = group_problem},
    [SCHEMA_IDENTITY_ID] = {.problem = resource_identity_problem},
    [SCHEMA_MAP] = {.fits = is_not_empty},
};

bool value_check(struct report *report, const struct tree_node *node, const struct schema_key *key)
{
    if (checkers[key->type].fits)
        return checkers[key->type].fits(node->text) || refuse_unexpected(report, node, key);
    if (checkers[key->type].problem)
        return refuse(report, node, checkers[key->type].problem(node->text));
    return checkers[key->type].check(report, node, key);
}

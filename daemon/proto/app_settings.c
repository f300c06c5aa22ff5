#include "proto/app_settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <json-c/linkhash.h>

#include "base/json_writer.h"
#include "base/str.h"

enum { NAME_LONGEST = 256, NAMES_SHOWN = 4, SETTINGS_MAX = 1000 };

/* --- names and words --- */

static const struct app_request requests[][3] = {
    [APP_SITE] =
        {
            [APP_LIST] = {"POST", "config/appsettings/list", "2024-04-01",
                          "listing the app's settings", "Microsoft.Web/sites/config/list/action"},
            [APP_WRITE] = {"PUT", "config/appsettings", "2024-04-01", "writing the app's settings",
                           "Microsoft.Web/sites/config/write"},
            [APP_DESCRIBE] = {"GET", NULL, "2024-04-01", "reading the app",
                              "Microsoft.Web/sites/read"},
        },
    [APP_CONTAINER] =
        {
            [APP_LIST] = {"POST", "listSecrets", "2024-03-01", "listing the app's secrets",
                          "Microsoft.App/containerApps/listSecrets/action"},
            [APP_WRITE] = {"PATCH", NULL, "2024-03-01", "writing the app's secrets",
                           "Microsoft.App/containerApps/write"},
            [APP_DESCRIBE] = {"GET", NULL, "2024-03-01", "reading the app",
                              "Microsoft.App/containerApps/read"},
        },
};

static const struct app_words words[] = {
    [APP_SITE] = {"Website Contributor", "config/appsettings", "setting",
                  "a new key restarts the app"},
    [APP_CONTAINER] = {"Container Apps Contributor", "secrets", "secret",
                       "running revisions keep the old key until they are restarted"},
};

const struct app_request *app_request(enum app_kind kind, enum app_operation operation)
{
    return &requests[kind][operation];
}

const struct app_words *app_words(enum app_kind kind)
{
    return &words[kind];
}

static bool is_of(char c, const char *marks)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(marks, c));
}

/* One segment of the id: compares it with `wanted`, or takes it for a name where that is NULL. */
static bool take_segment(const char **id, const char *wanted)
{
    size_t length = strcspn(*id, "/");
    bool good = length > 0 &&
                (!wanted || (strlen(wanted) == length && strncasecmp(*id, wanted, length) == 0));

    for (size_t i = 0; i < length && !wanted; i++)
        good = good && ((*id)[i] < 0 || is_of((*id)[i], "-_.()"));
    *id += length;
    if (**id == '/')
        (*id)++;
    return good;
}

static bool take_type(const char **id, const char *provider, const char *type)
{
    const char *at = *id;

    if (!take_segment(&at, provider) || !take_segment(&at, type) || !take_segment(&at, NULL))
        return false;
    *id = at;
    return true;
}

int app_id_parse(const char *id, enum app_kind *ret_kind, struct err *err)
{
    static const char right[] =
        "write /subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.Web/sites/NAME (for a "
        "slot, /slots/SLOT behind it), or …/providers/Microsoft.App/containerApps/NAME";
    const char *at = id + (*id == '/');

    if (*id == '/' && id[strlen(id) - 1] == '/')
        return err_set(err, -EINVAL, "ends with a slash; %s", right);
    if (*id != '/' || !take_segment(&at, "subscriptions") || !take_segment(&at, NULL) ||
        !take_segment(&at, "resourceGroups") || !take_segment(&at, NULL) ||
        !take_segment(&at, "providers"))
        return err_set(err, -EINVAL, "is no resource id of an app; %s", right);
    if (take_type(&at, "Microsoft.Web", "sites")) {
        *ret_kind = APP_SITE;
        if (*at != '\0' && (!take_segment(&at, "slots") || !take_segment(&at, NULL)))
            return err_set(err, -EINVAL, "is no resource id of an app; %s", right);
    } else if (take_type(&at, "Microsoft.App", "containerApps")) {
        *ret_kind = APP_CONTAINER;
    } else {
        return err_set(err, -EINVAL, "is the id of another type of resource; %s", right);
    }
    return *at == '\0' ? 0 : err_set(err, -EINVAL, "is no resource id of an app; %s", right);
}

const char *app_setting_problem(enum app_kind kind, const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || length > NAME_LONGEST)
        return "is no name of a setting; write 1 to 256 characters";
    for (size_t i = 0; i < length; i++) {
        if (kind == APP_SITE && !is_of(name[i], "_.:-"))
            return "is no name of an app's setting; those are letters, digits, '_', '.', ':' and "
                   "'-'";
        if (kind == APP_CONTAINER && (!is_of(name[i], "-.") || (name[i] >= 'A' && name[i] <= 'Z')))
            return "is no name of a Container App's secret; those are small letters, digits, '-' "
                   "and '.'";
    }
    return NULL;
}

/* --- reading --- */

/* The settings of an app, one after the other. */
struct walk {
    struct json_object *list; /* of a Container App: its secrets */
    size_t index;
    struct lh_entry *entry; /* of another app */
};

struct setting {
    const char *name;
    struct json_object *value; /* the text, or the secret's object; may be NULL */
};

static struct walk walk_begin(enum app_kind kind, struct json_object *all)
{
    struct walk walk = {.list = NULL};

    if (kind == APP_CONTAINER)
        walk.list = all;
    else
        walk.entry = lh_table_head(json_object_get_object(all));
    return walk;
}

/* False: there are no more. */
static bool walk_next(struct walk *walk, struct setting *ret_setting)
{
    if (walk->list && walk->index < json_object_array_length(walk->list)) {
        ret_setting->value = json_object_array_get_idx(walk->list, walk->index++);
        ret_setting->name = json_string(ret_setting->value, "name");
        return true;
    }
    if (walk->list || !walk->entry)
        return false;
    ret_setting->name = lh_entry_k(walk->entry);
    ret_setting->value = (struct json_object *)lh_entry_v(walk->entry);
    walk->entry = walk->entry->next;
    return true;
}

/* Texts by names, or a list of objects that have a name. */
static bool are_settings(enum app_kind kind, struct json_object *all)
{
    struct walk walk;
    struct setting setting;
    size_t count = 0;

    if (!json_object_is_type(all, kind == APP_CONTAINER ? json_type_array : json_type_object))
        return false;
    walk = walk_begin(kind, all);
    while (walk_next(&walk, &setting)) {
        if (count++ == SETTINGS_MAX || !setting.name ||
            (kind == APP_SITE && setting.value &&
             !json_object_is_type(setting.value, json_type_string)))
            return false;
    }
    return true;
}

/* What holds the settings inside the document. */
static struct json_object *settings_of(const struct app_settings *settings)
{
    return json_member(settings->document, settings->kind == APP_SITE ? "properties" : "value");
}

int app_settings_read(struct app_settings *settings, enum app_kind kind, const char *body,
                      size_t length, struct err *err)
{
    /* Strictly: what could not be read as it stands could not be written back. */
    *settings = (struct app_settings){.kind = kind, .document = json_parse(body, length, err)};
    if (!settings->document)
        return err->code == -ENOMEM ? -ENOMEM : -EBADMSG;
    if (are_settings(kind, settings_of(settings)) && !json_string(settings->document, "nextLink"))
        return 0;
    app_settings_done(settings);
    return kind == APP_SITE
               ? err_set(err, -EBADMSG, "\"properties\" is no object of at most %d texts",
                         SETTINGS_MAX)
               : err_set(err, -EBADMSG, "\"value\" is no whole list of at most %d secrets",
                         SETTINGS_MAX);
}

void app_settings_done(struct app_settings *settings)
{
    if (settings->document)
        json_free_wiped(settings->document);
    settings->document = NULL;
}

/* App Service resolves "@Microsoft.KeyVault(…)" (learn.microsoft.com, "Use Key Vault references as
 * app settings"). */
static enum app_setting_state judge_text(const char *text, const char **ret_value)
{
    if (!text)
        return APP_SETTING_HIDDEN;
    if (str_starts_with_nocase(text, "@Microsoft.KeyVault("))
        return APP_SETTING_REFERENCE;
    *ret_value = text;
    return APP_SETTING_VALUE;
}

static enum app_setting_state judge_secret(struct json_object *secret, const char **ret_value)
{
    const char *value = json_string(secret, "value");

    if (json_member(secret, "keyVaultUrl"))
        return APP_SETTING_REFERENCE;
    if (!value)
        return APP_SETTING_HIDDEN;
    *ret_value = value;
    return APP_SETTING_VALUE;
}

static enum app_setting_state judge(enum app_kind kind, const struct setting *setting,
                                    const char **ret_value)
{
    *ret_value = NULL;
    if (kind == APP_CONTAINER)
        return judge_secret(setting->value, ret_value);
    return judge_text(setting->value ? json_object_get_string(setting->value) : NULL, ret_value);
}

/* False: there is none of that name. */
static bool find(const struct app_settings *settings, const char *name, struct setting *ret_setting)
{
    struct walk walk = walk_begin(settings->kind, settings_of(settings));

    while (walk_next(&walk, ret_setting)) {
        if (str_equal_nocase(ret_setting->name, name))
            return true;
    }
    return false;
}

enum app_setting_state app_settings_find(const struct app_settings *settings, const char *name,
                                         const char **ret_value)
{
    struct setting setting;

    *ret_value = NULL;
    return find(settings, name, &setting) ? judge(settings->kind, &setting, ret_value)
                                          : APP_SETTING_ABSENT;
}

const char *app_settings_hidden(const struct app_settings *settings, const char *name)
{
    struct walk walk = walk_begin(settings->kind, settings_of(settings));
    struct setting setting;
    const char *value;

    /* An app's setting without a value (null) is written back as one. */
    while (settings->kind == APP_CONTAINER && walk_next(&walk, &setting)) {
        if (!str_equal_nocase(setting.name, name) &&
            judge(settings->kind, &setting, &value) == APP_SETTING_HIDDEN)
            return setting.name;
    }
    return NULL;
}

/* --- writing --- */

static void append_text(struct buf *out, const char *text)
{
    (void)json_append_string(out, text, strlen(text));
}

static void append_own(struct buf *out, enum app_kind kind, const char *name, const char *value)
{
    if (kind == APP_CONTAINER)
        (void)buf_append_str(out, "{\"name\":");
    append_text(out, name);
    (void)buf_append_str(out, kind == APP_CONTAINER ? ",\"value\":" : ":");
    append_text(out, value);
    if (kind == APP_CONTAINER)
        (void)buf_append_char(out, '}');
}

static void append_setting(struct buf *out, enum app_kind kind, const struct setting *setting)
{
    if (kind == APP_SITE) {
        append_text(out, setting->name);
        (void)buf_append_char(out, ':');
    }
    (void)json_append_value(out, setting->value);
}

int app_settings_compose(const struct app_settings *settings, const char *name, const char *value,
                         struct buf *out)
{
    const bool is_site = settings->kind == APP_SITE;
    struct walk walk = walk_begin(settings->kind, settings_of(settings));
    const char *separator = "";
    struct setting setting;
    bool written = false;

    (void)buf_append_str(out, is_site ? "{\"properties\":{"
                                      : "{\"properties\":{\"configuration\":{\"secrets\":[");
    while (walk_next(&walk, &setting)) {
        const bool own = str_equal_nocase(setting.name, name);

        if (own && written)
            continue;
        (void)buf_append_str(out, separator);
        if (own)
            append_own(out, settings->kind, setting.name, value); /* in the case that it has */
        else
            append_setting(out, settings->kind, &setting);
        written = written || own;
        separator = ",";
    }
    if (!written) {
        (void)buf_append_str(out, separator);
        append_own(out, settings->kind, name, value);
    }
    return buf_append_str(out, is_site ? "}}" : "]}}}");
}

/* --- comparing --- */

static void note_name(const char *name, size_t number, char *out, size_t size)
{
    size_t length = strlen(out);

    if (number < NAMES_SHOWN)
        (void)snprintf(out + length, size - length, "%s%.64s", number > 0 ? ", " : "", name);
}

/* Has it a setting of that name and, with `values`, of that value? A name in the same case counts
 * before one in another: an app on Linux may have both. */
static bool has_same(const struct app_settings *settings, const struct setting *wanted, bool values)
{
    struct walk walk = walk_begin(settings->kind, settings_of(settings));
    bool named = false, same = false, similar = false;
    struct setting setting;

    while (walk_next(&walk, &setting)) {
        const bool exactly = str_equal(setting.name, wanted->name);

        if (!exactly && !str_equal_nocase(setting.name, wanted->name))
            continue;
        named = named || exactly;
        if (!values || json_object_equal(setting.value, wanted->value))
            *(exactly ? &same : &similar) = true;
    }
    return named ? same : similar;
}

/* Those of `one` that the other lacks or, with `values`, has with another value. */
static size_t note_differences(const struct app_settings *one, const struct app_settings *other,
                               const char *name, bool values, size_t number, char *out, size_t size)
{
    struct walk walk = walk_begin(one->kind, settings_of(one));
    struct setting setting;

    while (walk_next(&walk, &setting)) {
        if (!str_equal_nocase(setting.name, name) && !has_same(other, &setting, values))
            note_name(setting.name, number++, out, size);
    }
    return number;
}

size_t app_settings_differ(const struct app_settings *before, const struct app_settings *after,
                           const char *name, char *out, size_t size)
{
    size_t number, length;

    out[0] = '\0';
    number = note_differences(before, after, name, true, 0, out, size);
    number = note_differences(after, before, name, false, number, out, size);
    length = strlen(out);
    if (number > NAMES_SHOWN)
        (void)snprintf(out + length, size - length, " and %zu more", number - NAMES_SHOWN);
    return number;
}

int app_state_read(const char *body, size_t length, char *out, size_t size, struct err *err)
{
    struct json_object *document = json_parse_foreign(body, length, err);
    struct json_object *properties = json_member(document, "properties");
    const char *state = json_string(properties, "provisioningState");
    int rc = 0;

    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EBADMSG;
    if (json_object_is_type(properties, json_type_object))
        (void)str_copy(out, size, state ? state : "");
    else
        rc = err_set(err, -EBADMSG, "the member \"properties\" is missing or no object");
    json_free_wiped(document);
    return rc;
}

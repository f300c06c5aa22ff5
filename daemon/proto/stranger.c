#include "proto/stranger.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "proto/key_text.h"

enum {
    HEADER_MAX = 4096,
    TITLE_UNCUT_MAX = 2048,
    PLACE_MAX = 160,
    TITLE_MAX = 80,
    SERVER_MAX = 48
};

static const char *body_start(const struct http_reply *reply)
{
    const char *body = buf_str(&reply->body);

    if (str_starts_with(body, "\xEF\xBB\xBF"))
        body += 3;
    return body + strspn(body, " \t\r\n");
}

bool stranger_sent_body(const struct http_reply *reply)
{
    const char *start = body_start(reply);

    return *start != '{' && *start != '[';
}

/* The text between <title> and the next tag, each run of blanks as one. A long one is cut, and what
 * looks like a key is redacted before. */
static bool find_title(const char *body, char out[TITLE_MAX])
{
    char whole[TITLE_UNCUT_MAX];
    const char *at = strcasestr(body, "<title");
    size_t length = 0;

    if (at)
        at = strchr(at, '>');
    if (!at)
        return false;
    for (at++; *at != '\0' && *at != '<' && length < sizeof(whole) - 1; at++) {
        bool blank = (unsigned char)*at <= ' ';

        if (!blank)
            whole[length++] = *at;
        else if (length > 0 && whole[length - 1] != ' ')
            whole[length++] = ' ';
    }
    whole[length] = '\0';
    key_text_redact(whole);
    (void)str_copy(out, TITLE_MAX, whole);
    length = strlen(out);
    if (length > 0 && out[length - 1] == ' ')
        length--;
    length = utf8_whole(out, length);
    out[length] = '\0';
    return length > 0;
}

/* A header as far as it is shown. Redacts it before it is cut, because the first half of a key no
 * longer looks like one. */
static bool find_header(const struct http_reply *reply, const char *name, char out[HEADER_MAX])
{
    if (!http_reply_header(reply, name, out, HEADER_MAX))
        return false;
    key_text_redact(out);
    return true;
}

/* Where the redirection leads, without user, query and fragment. */
static bool find_place(const struct http_reply *reply, char out[PLACE_MAX])
{
    char location[HEADER_MAX];
    char *place = location;
    char *authority, *user;

    if (!find_header(reply, "Location", location))
        return false;
    location[strcspn(location, "?#")] = '\0';
    authority = strstr(location, "//");
    if (authority) {
        authority += 2;
        user = memrchr(authority, '@', strcspn(authority, "/"));
        if (user)
            place = user + 1;
    }
    str_copy(out, PLACE_MAX, place);
    return *out != '\0';
}

static void append(char out[STRANGER_TEXT_MAX], const char *before, const char *what,
                   const char *after)
{
    size_t length = strlen(out);

    (void)snprintf(out + length, STRANGER_TEXT_MAX - length, "%s%s%s", before, what, after);
}

const char *stranger_describe(const struct http_reply *reply, char out[STRANGER_TEXT_MAX])
{
    char place[PLACE_MAX], title[TITLE_MAX], server[HEADER_MAX];

    out[0] = '\0';
    if (reply->status >= 300 && reply->status < 400) {
        if (find_place(reply, place))
            append(out, "; it redirects the request to ", place, ", which is not followed");
        else
            append(out, "; it redirects the request ", "without saying where to", "");
    }
    if (!stranger_sent_body(reply))
        return out;
    if (find_title(body_start(reply), title))
        append(out, "; it is a web page, \"", title, "\"");
    if (find_header(reply, "Server", server) && server[0] != '\0' && strlen(server) < SERVER_MAX)
        append(out, "; its Server header is \"", server, "\"");
    return out;
}

#include "proto/resource_graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"

enum { QUERY_MAX = 8 * 1024, QUOTA_TEXT_MAX = 32 };

/* --- the query --- */

/* Sorted, because the pages of a query without an order may overlap; with the id among its columns,
 * because it has no further pages otherwise. */
static void write_language(struct buf *out, const struct resource_graph_query *query)
{
    struct buf text;

    buf_init(&text, QUERY_MAX);
    (void)buf_append_str(&text, "resources | where type in~ (");
    for (size_t i = 0; i < query->type_count; i++)
        (void)buf_append_format(&text, "%s'%s'", i > 0 ? ", " : "", query->types[i]);
    (void)buf_append_str(&text, ") | project id, location, tags | order by id asc");
    if (text.failed)
        out->failed = text.failed;
    else
        json_write_text(out, "query", buf_str(&text));
    buf_done(&text);
}

void resource_graph_write(struct buf *out, const struct resource_graph_query *query)
{
    json_write_open(out, NULL, '{');
    json_write_open(out, "subscriptions", '[');
    for (size_t i = 0; i < query->subscription_count; i++)
        json_write_text(out, NULL, query->subscriptions[i]);
    json_write_close(out, ']');
    write_language(out, query);
    json_write_open(out, "options", '{');
    json_write_text(out, "resultFormat", "objectArray");
    json_write_number(out, "$top", RESOURCE_GRAPH_ROWS);
    if (query->skip_token)
        json_write_text(out, "$skipToken", query->skip_token);
    json_write_close(out, '}');
    json_write_close(out, '}');
}

/* --- the answer --- */

/* The texts "true" and "false" by the API's description; a boolean is taken as well. */
static bool read_truncated(struct json_object *document, bool *ret_truncated)
{
    const char *text = json_string(document, "resultTruncated");

    if (!text)
        return json_boolean(document, "resultTruncated", ret_truncated);
    *ret_truncated = str_equal_nocase(text, "true");
    return *ret_truncated || str_equal_nocase(text, "false");
}

static int read_token(struct json_object *document, const char **ret_token, struct err *err)
{
    struct json_object *token = json_member(document, "$skipToken");
    const char *text = json_string(document, "$skipToken");

    *ret_token = text && text[0] != '\0' ? text : NULL;
    if (token && !text)
        return err_set(err, -EINVAL, "its $skipToken is no text");
    if (text && strlen(text) > RESOURCE_GRAPH_TOKEN_MAX)
        return err_set(err, -EINVAL, "its $skipToken is too long");
    return 0;
}

static int read_numbers(struct json_object *document, struct resource_graph_page *page,
                        struct err *err)
{
    int64_t total = -1, count = (int64_t)arm_page_count(page->rows);

    (void)json_int64(document, "count", &count);
    if (count != (int64_t)arm_page_count(page->rows))
        return err_set(err, -EINVAL, "its count is not that of its rows");
    if (!json_int64(document, "totalRecords", &total) || total < 0)
        return err_set(err, -EINVAL, "it does not say how many rows there are (totalRecords)");
    if (!read_truncated(document, &page->truncated))
        return err_set(err, -EINVAL, "it does not say whether it is whole (resultTruncated)");
    page->total = (uint64_t)total;
    return 0;
}

int resource_graph_read(const char *body, size_t length, struct resource_graph_page *ret_page,
                        struct err *err)
{
    struct json_object *document;
    int rc;

    *ret_page = (struct resource_graph_page){.rows = NULL};
    rc = arm_page_read_member(body, length, "data", &ret_page->rows, err);
    if (rc != 0)
        return rc;
    document = arm_page_document(ret_page->rows);
    rc = read_token(document, &ret_page->skip_token, err);
    if (rc == 0)
        rc = read_numbers(document, ret_page, err);
    if (rc != 0) {
        arm_page_free(ret_page->rows);
        *ret_page = (struct resource_graph_page){.rows = NULL};
    }
    return rc;
}

/* --- the quota --- */

static bool read_digits(const char **text, unsigned *ret_number)
{
    const size_t length = strspn(*text, "0123456789");

    if (length == 0 || length > 2)
        return false;
    *ret_number = (unsigned)strtoul(*text, NULL, 10);
    *text += length;
    return true;
}

/* "00:00:05" */
static duration_ms read_clock(const char *text)
{
    unsigned hours, minutes, seconds;

    if (!read_digits(&text, &hours) || *text++ != ':' || !read_digits(&text, &minutes) ||
        *text++ != ':' || !read_digits(&text, &seconds) || (*text != '\0' && *text != '.'))
        return 0;
    return hours * MS_HOUR + minutes * MS_MINUTE + seconds * MS_SECOND;
}

duration_ms resource_graph_pause(const struct http_reply *reply)
{
    char text[QUOTA_TEXT_MAX];
    const bool counted = http_reply_header(reply, "x-ms-user-quota-remaining", text, sizeof(text));

    if (!counted || !str_equal(text, "0") ||
        !http_reply_header(reply, "x-ms-user-quota-resets-after", text, sizeof(text)))
        return 0;
    return read_clock(text);
}

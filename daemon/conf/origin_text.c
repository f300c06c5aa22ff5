#include <string.h>

#include "conf/origin.h"

/* `url` stands behind "://". Returns where the text goes on. */
static const char *append_url(struct buf *out, const char *url)
{
    const size_t length = strcspn(url, " ,)");
    const size_t host = strcspn(url, "/?");
    const char *user = memchr(url, '@', host < length ? host : length);
    const char *query = memchr(url, '?', length);
    const char *from = user ? user : url;

    (void)buf_append_str(out, user ? "..." : "");
    (void)buf_append(out, from, (size_t)((query ? query : url + length) - from));
    (void)buf_append_str(out, query ? "?..." : "");
    return url + length;
}

void origin_append_masked(struct buf *out, const char *text)
{
    static const char mark[] = "://";
    const char *at;

    while ((at = strstr(text, mark))) {
        at += sizeof(mark) - 1;
        (void)buf_append(out, text, (size_t)(at - text));
        text = append_url(out, at);
    }
    (void)buf_append_str(out, text);
}

static void append_scalar(struct buf *out, const struct tree_node *node, enum schema_type type)
{
    if (type == SCHEMA_CONTENT)
        (void)buf_append_format(out, "(a text of %zu bytes)", strlen(node->text));
    else
        origin_append_masked(out, node->text);
}

void origin_append_node(struct buf *out, const struct tree_node *node, enum schema_type type)
{
    const char *separator = "";

    if (node->kind == TREE_SCALAR) {
        append_scalar(out, node, type);
        return;
    }
    (void)buf_append_char(out, node->kind == TREE_MAP ? '{' : '[');
    for (const struct tree_node *child = node->first; child; child = child->next) {
        (void)buf_append_format(out, "%s%s%s", separator, child->name ? child->name : "",
                                child->name ? ": " : "");
        origin_append_node(out, child, type);
        separator = ", ";
    }
    (void)buf_append_char(out, node->kind == TREE_MAP ? '}' : ']');
}

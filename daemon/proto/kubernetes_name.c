#include "proto/kubernetes.h"

#include <string.h>

#include "base/str.h"

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alphanumeric(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool is_dns_label(const char *text, size_t length)
{
    if (length == 0 || length > KUBERNETES_LABEL_MAX || text[0] == '-' || text[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_lower_or_digit(text[i]) && text[i] != '-')
            return false;
    }
    return true;
}

/* Kubernetes limits the whole of it, and not each label. */
static bool is_dns_name(const char *text, size_t length)
{
    if (length == 0 || length > KUBERNETES_NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool at_edge = i == 0 || i + 1 == length || text[i - 1] == '.' || text[i + 1] == '.';

        if (!is_lower_or_digit(text[i]) && (at_edge || (text[i] != '-' && text[i] != '.')))
            return false;
    }
    return true;
}

bool kubernetes_is_namespace(const char *text)
{
    return is_dns_label(text, strlen(text));
}

bool kubernetes_is_name(const char *text)
{
    return is_dns_name(text, strlen(text));
}

bool kubernetes_is_data_key(const char *text)
{
    const size_t length = strlen(text);

    if (length == 0 || length > KUBERNETES_NAME_MAX || str_equal(text, ".") ||
        str_starts_with(text, ".."))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_alphanumeric(text[i]) && !strchr("-_.", text[i]))
            return false;
    }
    return true;
}

/* Up to 63 of these characters, with a letter or digit at both ends. */
static bool is_short_name(const char *text)
{
    const size_t length = strlen(text);

    if (length == 0 || length > KUBERNETES_LABEL_MAX || !is_alphanumeric(text[0]) ||
        !is_alphanumeric(text[length - 1]))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_alphanumeric(text[i]) && !strchr("-_.", text[i]))
            return false;
    }
    return true;
}

bool kubernetes_is_qualified_name(const char *text)
{
    const char *slash = strchr(text, '/');

    return slash ? is_dns_name(text, (size_t)(slash - text)) && is_short_name(slash + 1)
                 : is_short_name(text);
}

bool kubernetes_is_label_value(const char *text)
{
    return text[0] == '\0' || is_short_name(text);
}

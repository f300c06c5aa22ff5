#include "base/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

enum { HOST_MAX = 64, PORT_MAX = 65535 };

/* Splits at the last colon that is outside of brackets, and takes the brackets away. A text without
 * a port leaves *ret_port at "". */
static bool split(const char *text, char host[HOST_MAX], const char **ret_port)
{
    const bool in_brackets = text[0] == '[';
    const char *begin = text + in_brackets;
    const char *end = in_brackets ? strchr(begin, ']') : strrchr(begin, ':');

    if (!end && in_brackets)
        return false;
    if (!end)
        end = begin + strlen(begin);
    *ret_port = end + in_brackets;
    if (**ret_port != '\0' && **ret_port != ':')
        return false;
    *ret_port += **ret_port == ':';
    if ((size_t)(end - begin) >= HOST_MAX)
        return false;
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    return in_brackets || !strchr(host, ':');
}

static bool parse_host(const char *host, uint16_t port, struct listen_address *address)
{
    struct sockaddr_in *four = (struct sockaddr_in *)&address->address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address->address;

    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        address->length = sizeof(*four);
        address->is_loopback = ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
        return true;
    }
    if (inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        address->length = sizeof(*six);
        address->is_loopback = IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
        return true;
    }
    return false;
}

bool listen_address_parse(const char *text, struct listen_address *ret_address)
{
    struct listen_address address;
    char host[HOST_MAX];
    const char *port;
    int64_t number;

    if (!split(text, host, &port) || !str_to_int64(port, &number) || number < 1 ||
        number > PORT_MAX || !parse_host(host, (uint16_t)number, &address))
        return false;
    if (ret_address)
        *ret_address = address;
    return true;
}

bool listen_address_is_host_here(const char *host)
{
    struct listen_address address;
    char name[HOST_MAX];
    const char *port;

    return split(host, name, &port) &&
           (str_equal_nocase(name, "localhost") || parse_host(name, 0, &address));
}

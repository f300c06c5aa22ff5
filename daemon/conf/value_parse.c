#include <string.h>
#include <time.h>

#include "base/str.h"
#include "conf/value.h"

enum { NAME_MAX_LENGTH = 64 };

bool value_parse_clock(const char *text, int *ret_minute)
{
    int hour;
    int minute;

    if (strlen(text) != 5 || !char_is_digit(text[0]) || !char_is_digit(text[1]) || text[2] != ':' ||
        !char_is_digit(text[3]) || !char_is_digit(text[4]))
        return false;
    hour = (text[0] - '0') * 10 + (text[1] - '0');
    minute = (text[3] - '0') * 10 + (text[4] - '0');
    if (minute > 59 || hour > 24 || (hour == 24 && minute != 0))
        return false;
    *ret_minute = hour * 60 + minute;
    return true;
}

bool value_parse_weekday(const char *text, int *ret_weekday)
{
    struct tm parts = {0};
    const char *end = strptime(text, "%a", &parts); /* which takes long names, too, in any case */

    if (!end || *end != '\0')
        return false;
    *ret_weekday = (parts.tm_wday + 6) % 7; /* there Sunday is 0 */
    return true;
}

bool value_parse_mode(const char *text, unsigned *ret_mode)
{
    size_t length = strlen(text);
    unsigned mode = 0;

    if (length == 4 && text[0] == '0') {
        text++;
        length--;
    }
    if (length != 3)
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '7')
            return false;
        mode = mode * 8 + (unsigned)(*text - '0');
    }
    *ret_mode = mode;
    return true;
}

bool value_is_guid(const char *text)
{
    static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (strlen(text) != strlen(pattern))
        return false;
    for (size_t i = 0; pattern[i] != '\0'; i++) {
        bool hexadecimal = char_is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f') ||
                           (text[i] >= 'A' && text[i] <= 'F');

        if (pattern[i] == '-' ? text[i] != '-' : !hexadecimal)
            return false;
    }
    return true;
}

bool value_is_name(const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || length > NAME_MAX_LENGTH || !char_is_alphanumeric(text[0]))
        return false;
    for (; *text != '\0'; text++) {
        if (!char_is_alphanumeric(*text) && !strchr("_-.", *text))
            return false;
    }
    return true;
}

#include "clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_clock_us(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * CLOCK_US_PER_SECOND + now.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
    return read_clock_us(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

void clock_http_date(int64_t epoch_seconds, char text[static CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)epoch_seconds;
    struct tm utc;

    gmtime_r(&seconds, &utc);
    /* The process never calls setlocale(), so the names are the English ones that HTTP wants. */
    strftime(text, CLOCK_TEXT_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &utc);
}

bool clock_parse_http_date(const char *text, int64_t *epoch_seconds)
{
    struct tm utc = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &utc);

    if (!end || *end != '\0')
        return false;
    *epoch_seconds = timegm(&utc);
    return true;
}

void clock_iso8601(int64_t wall_us, char text[static CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)(wall_us / CLOCK_US_PER_SECOND);
    char second_text[CLOCK_TEXT_SIZE / 2];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(second_text, sizeof(second_text), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, CLOCK_TEXT_SIZE, "%s.%06dZ", second_text, (int)(wall_us % CLOCK_US_PER_SECOND));
}

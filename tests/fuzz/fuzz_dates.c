/*
 * Instants and durations as text: what is read, written and read again is the same. A failure
 * leaves the output alone.
 */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/time.h"
#include "fuzz.h"

enum { UNTOUCHED = 4711 };

static void read_rfc3339(const char *text)
{
    char written[DATE_TEXT_MAX];
    time_ms at = UNTOUCHED, again = UNTOUCHED;

    if (!date_from_rfc3339(text, &at)) {
        MUST(at == UNTOUCHED);
        return;
    }
    MUST(date_from_rfc3339(date_to_rfc3339(at, written), &again) && again == at);
    MUST(date_from_rfc3339(date_to_stamp(at, written), &again) && again == at);
}

static void read_http_date(const char *text)
{
    char written[DATE_TEXT_MAX];
    time_ms at = UNTOUCHED, again = UNTOUCHED;

    if (!date_from_http(text, &at)) {
        MUST(at == UNTOUCHED);
        return;
    }
    MUST(date_from_http(date_to_http(at, written), &again) && again == at);
}

static void read_duration(const char *text)
{
    char written[DURATION_TEXT_MAX];
    duration_ms duration = UNTOUCHED, again = UNTOUCHED;

    if (!duration_parse(text, &duration)) {
        MUST(duration == UNTOUCHED);
        return;
    }
    MUST(duration >= 0 && duration <= 1001 * 366 * MS_DAY);
    MUST(duration_parse(duration_to_text(duration, written), &again) && again == duration);
    MUST(duration_to_words(duration, written)[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = (const char *)data, .left = size};
    char written[(int)DATE_TEXT_MAX + (int)DURATION_TEXT_MAX];
    size_t length;
    time_ms any;
    char *text = fuzz_take_rest(&input, &length);

    read_rfc3339(text);
    read_http_date(text);
    read_duration(text);
    free(text);
    if (size == sizeof(any)) {
        memcpy(&any, data, sizeof(any));
        MUST(memchr(date_to_rfc3339(any, written), '\0', sizeof(written)));
        MUST(memchr(date_to_stamp(any, written), '\0', sizeof(written)));
        MUST(memchr(date_to_http(any, written), '\0', sizeof(written)));
        MUST(memchr(duration_to_text(any, written), '\0', sizeof(written)));
        MUST(memchr(duration_to_words(any, written), '\0', sizeof(written)));
    }
    return 0;
}

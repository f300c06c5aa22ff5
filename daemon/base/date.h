/*
 * Dates of the calendar, and the forms in which instants are written: RFC 3339 for people and JSON,
 * RFC 9110 for HTTP. All in UTC.
 */
#ifndef KEYROTATED_BASE_DATE_H
#define KEYROTATED_BASE_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

enum { DATE_TEXT_MAX = 40 };

/* A day of the (proleptic) Gregorian calendar. */
struct date {
    int64_t year;
    int month, day; /* 1-12, 1-31 */
    int weekday;    /* 0 = Monday … 6 = Sunday */
};

/* Days since 1970-01-01. Months and days out of range are carried over. */
int64_t date_to_days(int64_t year, int64_t month, int64_t day);
struct date date_from_days(int64_t days);

/* The last second that has a text, 9999-12-31T23:59:59Z. */
#define DATE_LAST (INT64_C(253402300799) * MS_SECOND)

/* "2026-11-22T12:00:00Z" (RFC 3339; with ".123" where milliseconds are not 0). Out-of-range and
 * TIME_NEVER give "never". `out` has DATE_TEXT_MAX bytes. Returns out. */
char *date_to_rfc3339(time_ms at, char *out);
/* The same always with milliseconds, so that lines which begin with one sort by time. */
char *date_to_stamp(time_ms at, char *out);
/* Any offset, any number of decimals (cut to milliseconds), and leap seconds. Returns false on
 * anything else. */
bool date_from_rfc3339(const char *text, time_ms *ret_at);

/* "Sun, 22 Nov 2026 12:00:00 GMT" (RFC 9110, section 5.6.7), independent of the locale. */
char *date_to_http(time_ms at, char *out);
/* All three forms that RFC 9110 obliges recipients to accept. The one with a two-digit year is read
 * relative to the wall clock. */
bool date_from_http(const char *text, time_ms *ret_at);

#endif

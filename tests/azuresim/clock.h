/* The time, and the two text forms in which Azure writes it. */
#ifndef AZURESIM_CLOCK_H
#define AZURESIM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_US_PER_SECOND INT64_C(1000000)
#define CLOCK_US_PER_MS     INT64_C(1000)

#define CLOCK_TEXT_SIZE 64

/* Wall clock, microseconds since the epoch. */
int64_t clock_wall_us(void);

/* Monotonic clock in microseconds, for rates and waits. */
int64_t clock_monotonic_us(void);

/* Writes the HTTP date (RFC 9110, IMF-fixdate) of EPOCH_SECONDS into TEXT. */
void clock_http_date(int64_t epoch_seconds, char text[static CLOCK_TEXT_SIZE]);

/* Reads an IMF-fixdate. Returns false where TEXT is none. */
bool clock_parse_http_date(const char *text, int64_t *epoch_seconds);

/* Writes WALL_US as "2026-11-22T12:00:00.123456Z" into TEXT. */
void clock_iso8601(int64_t wall_us, char text[static CLOCK_TEXT_SIZE]);

#endif

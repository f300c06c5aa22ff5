/*
 * A growable byte buffer with a fixed maximum.
 *
 * Every reply, file and line that enters the program passes through one of these, so no input can
 * make it grow without bound. The content is always followed by a NUL that is not counted. Memory
 * is wiped before it is released or reused (growth, clear, done), because it may have held a key.
 */
#ifndef KEYROTATED_BASE_BUF_H
#define KEYROTATED_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data;      /* NULL until the first append; NUL-terminated afterwards */
    size_t length;   /* bytes in use, without the NUL */
    size_t capacity; /* bytes allocated */
    size_t maximum;  /* length never exceeds this */
    int failed;      /* 0, or the code of the append that failed first: sticky until buf_clear() */
};

/* Prepares an empty buffer that will hold at most `maximum` bytes. Allocates nothing. */
void buf_init(struct buf *buf, size_t maximum);

/* Wipes and frees the content; the buffer may be used again with buf_init(). */
void buf_done(struct buf *buf);

/* Wipes the content and forgets a failure; keeps the allocation. */
void buf_clear(struct buf *buf);

/* Keeps the first `length` bytes of the content, or all if there are fewer, and wipes the rest. */
void buf_truncate(struct buf *buf, size_t length);

/*
 * The appending functions return 0, -EMSGSIZE when the maximum would be exceeded (nothing is
 * appended), or -ENOMEM. After a failure every further append fails with the same code, so a
 * sequence of appends may be checked once, through `failed`, at its end. `data` and the arguments
 * of the format must not point into the buffer itself.
 */
int buf_append(struct buf *buf, const void *data, size_t length);
int buf_append_str(struct buf *buf, const char *text);
int buf_append_char(struct buf *buf, char c);
/* With A-Z in lower case. */
int buf_append_lower(struct buf *buf, const char *text, size_t length);
int buf_append_format(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int buf_append_vformat(struct buf *buf, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* The content as a string: "" for an empty buffer. Valid until the next change. */
const char *buf_str(const struct buf *buf);

/* Gives the allocation away as a NUL-terminated string (to be freed by the caller) and leaves the
 * buffer empty. Returns NULL and changes nothing when the buffer has failed or memory is out. */
char *buf_take(struct buf *buf);

#endif

/*
 * A description of an error.
 *
 * Functions whose failures a person has to understand take a `struct err *`, return 0 or a negative
 * errno value, and store a sentence in it. Callers add context in front with err_wrap() on the way
 * up; only the top of the program logs. Nothing here allocates, so that running out of memory can
 * be reported too.
 */
#ifndef KEYROTATED_BASE_ERR_H
#define KEYROTATED_BASE_ERR_H

enum { ERR_TEXT_MAX = 512 };

struct err {
    int code;                /* the negative errno value that was returned; 0: nothing went wrong */
    char text[ERR_TEXT_MAX]; /* a sentence without a full stop; never holds a secret */
};

/* Forgets whatever *err held. err may be NULL. */
void err_clear(struct err *err);

/*
 * Records `code` (a negative errno value) and the sentence. A text that is too long is cut.
 * Parts of it may be foreign text: control characters become blanks, and what is not UTF-8 question
 * marks. err may be NULL. Returns `code`, so that `return err_set(...)` reads well. Keeps errno.
 */
int err_set(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Like err_set() with `-saved_errno` as code; appends ": " and the system's text for it. */
int err_set_errno(struct err *err, int saved_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " in front of the text that is there. Returns err->code (-EIO for NULL
 * and where no code was set: a failure never turns into success). */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

/*
 * Turns the end of a program into a reason, a sentence, and a remedy.
 */
#ifndef KEYROTATED_IO_SPAWNER_PROGRAM_FAILURE_H
#define KEYROTATED_IO_SPAWNER_PROGRAM_FAILURE_H

#include <stdbool.h>

#include "base/secret.h"
#include "core/look.h"
#include "io/spawner/program.h"

/* The exit status by which a program asks for more time: EX_TEMPFAIL of sysexits.h. */
enum { PROGRAM_NOT_YET = 75 };

/*
 * Returns false when the program has exited with status 0. Otherwise fills *failure; its text ends
 * with the last line that the program wrote, with every part of `key` (NULL: none) redacted.
 * `path`: of the program. `problem`: spawner_problem(). It may block on the file system where the
 * program was not started.
 */
bool program_failure(struct failure *failure, const char *path, const struct program_result *result,
                     const struct secret *key, const char *problem);

/* The same for a program that errno value kept from being started. It may block on the file
 * system. */
void program_failure_of_start(struct failure *failure, const char *path, int saved_errno);

/* Checks, without running it, whether the program could be started. Fills *failure and returns
 * false when it could not. It may block on the file system. */
bool program_check(struct failure *failure, const char *path);

#endif

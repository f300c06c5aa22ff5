/*
 * keyrotatectl identify: keys on standard input or in files, and what the daemon knows of them.
 */
#ifndef KEYROTATED_CTL_IDENTIFY_H
#define KEYROTATED_CTL_IDENTIFY_H

#include "ctl/ctl.h"
#include "proto/control_identify.h"

/* What a scan reads at most. */
enum {
    SCAN_FILES_MAX = 200000,
    SCAN_FILE_SIZE_MAX = 8 * 1024 * 1024,
    SCAN_TEXTS_MAX = 1000000, /* that may be keys */
    SCAN_SKIPPED_NAMED = 50   /* files that are named in the result, of those not read */
};

/* A text that may be a key. */
struct found_key {
    size_t file; /* index of its file, among those that hold such texts */
    struct fingerprint fingerprint;
    const struct identified_key *known; /* what the daemon says of it; NULL: it was not asked yet */
};

/* A file that was not read, or not fully. */
struct skipped_file {
    char *path;
    const char *why; /* of static duration */
};

/* What was found on standard input, or by a scan. */
struct findings {
    bool of_scan;
    char **files; /* that hold such texts; none on standard input */
    size_t file_count, file_room;
    struct found_key *keys; /* by file, each once in a file */
    size_t key_count, key_room;
    size_t files_read;
    struct skipped_file skipped[SCAN_SKIPPED_NAMED];
    size_t skipped_count;  /* of all, named or not */
    const char *cut_by;    /* what ended the scan early; NULL: nothing did */
    bool is_more_than_key; /* the text on standard input is not a key alone */
};

/*
 * --- identify_findings.c ---
 */

/* Adds a text that may be a key, in the last file. Returns 0 or -ENOMEM. */
int findings_add(struct findings *findings, const struct fingerprint *fingerprint);
void findings_done(struct findings *findings);

/*
 * --- identify_input.c ---
 */

/* Reads the key from standard input, without the line end behind it; from a terminal, without
 * echo. `key` wipes itself. Complains, and returns CTL_USAGE, where there is no key, or more. */
enum ctl_exit identify_read_key(struct buf *key);

/*
 * --- identify_scan.c ---
 */

/* Looks for texts that may be keys in these files and in all regular files below these directories,
 * on their file systems; follows no symbolic link but those that were named. Returns 0 or -ENOMEM.
 */
int identify_scan(struct findings *findings, char *const *paths,
                  const uint8_t salt[FINGERPRINT_SALT_LENGTH]);

/*
 * --- identify_text.c ---
 *
 * The result as people and programs read it. Pure: from what was found to text.
 */

/* Keys that are in use come before idle ones, dead ones, and unknown ones. */
enum ctl_exit identify_result(const struct findings *findings);
void identify_write_text(struct buf *out, const struct findings *findings, time_ms now);
/* {"now", "keys", "files", "skipped", "whole"}; the last three of a scan alone. */
void identify_write_json(struct buf *out, const struct findings *findings, time_ms now);

#endif

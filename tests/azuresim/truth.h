/* The truth log: what really happened, written before any client can learn of it, so that a test
 * can compare what a daemon believes with what was so. It holds keys in clear: they are worthless.
 */
#ifndef AZURESIM_TRUTH_H
#define AZURESIM_TRUTH_H

#include <json-c/json.h>
#include <stddef.h>

struct truth;

/* Opens DIR/truth.jsonl, emptying it. Returns NULL with errno set. */
struct truth *truth_new(const char *dir);

/* Accepts NULL. */
void truth_free(struct truth *truth);

/* A new event called NAME, stamped with the present time. */
struct json_object *truth_event(const char *name);

/* Appends EVENT as one line and takes it over. The line has left the process on return. Safe to
 * call from several threads. */
void truth_write(struct truth *truth, struct json_object *event);

/* Writes down that an access token is about to be handed out. */
void truth_token(struct truth *truth, const char *client_id, const char *token);

/* The path of the log; owned by TRUTH. */
const char *truth_path(const struct truth *truth);

#endif

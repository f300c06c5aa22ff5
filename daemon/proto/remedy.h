/*
 * Words for `do:` that work as typed. The texts are written once, with placeholders; what depends
 * on the account and on where the daemon listens is put in here, and nowhere else:
 *
 *    {account}      the account as keyrotatectl accepts it
 *    {resource}     its resource id
 *    {role}         the command that makes the small role which the daemon needs
 *    {role_name}    what that role is called
 *    {keys_on}      how keys are switched on
 *    {unit}         the unit of systemd that the daemon is, by its socket
 *    `keyrotatectl  followed by `--socket PATH` where the socket is not the default
 *
 * What stands for an argument is quoted for a shell where it has to be. Pure.
 */
#ifndef KEYROTATED_PROTO_REMEDY_H
#define KEYROTATED_PROTO_REMEDY_H

#include <stddef.h>

/* Long enough for every remedy with all that is put into it. */
enum { REMEDY_MAX = 1800 };

/* Where keyrotatectl looks, and the daemon listens, when nothing else is said. */
#define CONTROL_SOCKET_DEFAULT "/run/keyrotated/control.sock"

struct two_key_resource;

/* All borrowed. A placeholder whose words are NULL stays as it is. */
struct remedy_words {
    const char *account;
    const char *resource_id;
    const char *subscription_id;
    const struct two_key_resource *type;
    const char *rule;   /* that found the account */
    const char *active; /* the slot whose key its consumers use */
    const char *socket; /* NULL, or the default: none has to be named */
};

/* "keyrotated", or "keyrotated@NAME" for the socket of an instance (NULL: of none). */
enum { REMEDY_UNIT_MAX = 256 };
void remedy_unit(const char *socket, char out[REMEDY_UNIT_MAX]);

/* Writes `text` with its placeholders filled; cut at `size` between characters. */
void remedy_expand(const char *text, const struct remedy_words *words, char *out, size_t size);

#endif

/*
 * Templates: texts of the configuration with placeholders, which are filled in at each delivery.
 *
 *   {key}                the key, as Azure writes it
 *   {name}               the resource's name, as Azure writes it
 *   {endpoint}           host, or host:port, of its data plane
 *   {key_id}             the id of the key, where keys of the type have ids
 *   {slot}               primary or secondary
 *   {cycle}              the number of the rotation
 *   {connection_string}  what clients of this type of resource take in one piece
 *   {account} {resource_group} {subscription_id}
 *                        in lower case, as in the other strings of targets
 *   {name_1} {name_2} {name_3}
 *                        the names in the resource id, from the outermost on; each is legal where
 *                        ids of the type hold so many
 *
 * A brace that is to stay is doubled: {{ and }}. Values are inserted as they are. In a format with
 * quotes they need none of its escapes: keys and names consist of letters, digits, and "+/=._:@-";
 * names of resource groups have parentheses and letters of any alphabet besides.
 */
#ifndef KEYROTATED_PROTO_TEMPLATE_H
#define KEYROTATED_PROTO_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "proto/key_file.h"
#include "proto/two_key/two_key.h"

enum { TEMPLATE_MAX = 8 * 1024, TEMPLATE_PROBLEM_MAX = 256 };

/*
 * What is wrong with a text as a template, or NULL. The sentence is written to `out`
 * (TEMPLATE_PROBLEM_MAX is enough), with the nearest known placeholder where one is near. A key
 * must not touch a letter or digit or another placeholder, because it could not be found again in
 * what was written. `type`: of the resource whose key is inserted; NULL: any, then its connection
 * string is not asked for.
 */
const char *template_problem(const char *text, const struct two_key_resource *type, char *out,
                             size_t size);

/* The following want a text without a problem. */

/* Does the key go into it, alone or in a connection string? */
bool template_holds_key(const char *text);

/* Does "{{key}}" or "{{ key }}" stand in it, as other languages of templates write placeholders? */
bool template_doubles_key(const char *text);

/* What to say of a text into which no key goes. */
const char *template_keyless_problem(const char *text);

/* Does the endpoint go into it, alone or in a connection string? It is known as soon as Azure has
 * described the resource. */
bool template_needs_endpoint(const char *text, const struct two_key_resource *type);

/*
 * Appends the text with all placeholders filled in to `out`, which wipes itself. The type is that
 * of the file (key_file_type()). Returns 0, the buffer's error, or -EINVAL where the text has a
 * problem.
 */
int template_expand(const char *text, const struct two_key_resource *type,
                    const struct key_file *file, struct buf *out);

#endif

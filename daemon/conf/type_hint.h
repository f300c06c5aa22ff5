/* Which type of resource is probably meant by a word that is none: people know Azure's products by
 * many names. */
#ifndef KEYROTATED_CONF_TYPE_HINT_H
#define KEYROTATED_CONF_TYPE_HINT_H

#include <stddef.h>

/* What to say of the word, following it: "is no type; did you mean apim_gateway?", or why what it
 * names cannot be rotated. It is written to `out`, cut at `size`. NULL: nothing comes near, or what
 * does is a mere slip of the pen, which str_nearest() finds among the short names. */
const char *type_hint(const char *word, char *out, size_t size);

#endif

/* Lists of keys in pages, as App Configuration may answer. */
#ifndef AZURESIM_KEY_PAGE_H
#define AZURESIM_KEY_PAGE_H

#include <json-c/json.h>

#include "http.h"
#include "sim.h"

/* Cuts the list in ANSWER down to the page that the request asks for, as the settings say, and adds
 * where it goes on. */
void key_page_cut(const struct sim *sim, const struct http_request *request,
                  struct json_object *answer);

#endif

/* The part of the Kusto query language that clients of Resource Graph need to list resources:
 * resources | where COLUMN =~|==|!~|!=|in~|in VALUE [and …] | project COLUMN, … | order by COLUMN
 * [asc|desc] | limit N. */
#ifndef AZURESIM_KQL_H
#define AZURESIM_KQL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* The rows (objects with the columns of the table) that QUERY selects, as a new array. Returns NULL
 * with the reason in MESSAGE where it is not understood. *ret_pageable: may the result come in
 * pages? (With its id among the columns, and without a limit.) */
struct json_object *kql_run(const char *query, struct json_object *rows, bool *ret_pageable,
                            char *message, size_t size);

#endif

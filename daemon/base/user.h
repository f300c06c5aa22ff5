/*
 * The ids of users and groups by their names. Both functions may ask a directory service, which can
 * take seconds, so do not call them on the loop.
 */
#ifndef KEYROTATED_BASE_USER_H
#define KEYROTATED_BASE_USER_H

#include <sys/types.h>

#define USER_NONE       ((uid_t)-1)
#define USER_GROUP_NONE ((gid_t)-1)

/* 0, or a positive errno value, ENOMEM among them; the id is USER_NONE or USER_GROUP_NONE where
 * there is no such name. */
int user_find(const char *name, uid_t *ret_uid);
int user_find_group(const char *name, gid_t *ret_gid);

#endif

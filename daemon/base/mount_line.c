#include "base/mount_line.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum { FIELD_DEVICE = 2, FIELD_POINT = 4 }; /* of a line, from 0 */

/* Longer lines than the kernel writes of any mount that people make. */
enum { LINE_SIZE = 8192 };

static const char *const local_types[] = {
    "bcachefs", "btrfs",    "devtmpfs", "erofs", "exfat",   "ext2", "ext3",  "ext4",
    "f2fs",     "jfs",      "msdos",    "ntfs3", "overlay", "proc", "ramfs", "reiserfs",
    "rootfs",   "squashfs", "sysfs",    "tmpfs", "ubifs",   "vfat", "xfs",   "zfs",
};

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* The kernel writes blank, tab, line end and backslash as a backslash with three octal digits. */
static void unescape(char *text)
{
    char *out = text;

    while (*text != '\0') {
        if (text[0] == '\\' && is_octal(text[1]) && is_octal(text[2]) && is_octal(text[3])) {
            *out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 4;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

/* "36 35 98:0 /root /srv/keys rw,noatime shared:1 - ext3 /dev/sda rw": the optional fields before
 * the single hyphen vary in number. */
bool mount_line_parse(char *line, struct mount_line *ret_line)
{
    char *rest = line, *field;
    bool hyphen = false;

    *ret_line = (struct mount_line){.type = NULL};
    for (unsigned i = 0; !ret_line->type && (field = strsep(&rest, " ")); i++) {
        if (i == FIELD_DEVICE)
            ret_line->device = field;
        if (i == FIELD_POINT) {
            unescape(field);
            ret_line->point = field;
        }
        if (hyphen)
            ret_line->type = field;
        hyphen = i > FIELD_POINT && str_equal(field, "-");
    }
    return ret_line->type && ret_line->point[0] == '/';
}

bool mount_type_may_hang(const char *type)
{
    for (size_t i = 0; i < sizeof(local_types) / sizeof(local_types[0]); i++) {
        if (str_equal(type, local_types[i]))
            return false;
    }
    return true;
}

/* The length of the mount point if the path lies there, else 0. */
static size_t match(const char *path, const char *point)
{
    const size_t length = strlen(point);

    if (!str_starts_with(path, point))
        return 0;
    return length == 1 || path[length] == '/' || path[length] == '\0' ? length : 0;
}

bool mount_path_may_hang(const char *path)
{
    FILE *table = fopen("/proc/self/mountinfo", "re");
    char text[LINE_SIZE];
    size_t longest = 0;
    bool may_hang = false;

    if (!table)
        return false;
    while (fgets(text, sizeof(text), table)) {
        struct mount_line line;
        size_t length;

        text[strcspn(text, "\n")] = '\0';
        length = mount_line_parse(text, &line) ? match(path, line.point) : 0;
        if (length == 0 || length < longest)
            continue;
        longest = length; /* the last of those that lie over each other is the one that is seen */
        may_hang = mount_type_may_hang(line.type);
    }
    (void)fclose(table);
    return may_hang;
}

/*
 * Who may do what with a file: mode, owner, group, access control list, security label.
 */
#ifndef BASE_FILE_ATTRIBUTES_H
#define BASE_FILE_ATTRIBUTES_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Gives `fd` the attributes of `old_fd`, whose stat is `old`, all of them or false with errno set
 * and `*what` naming the one that cannot be kept.
 */
bool file_attributes_copy(int old_fd, const struct stat *old, int fd, const char **what);

#endif

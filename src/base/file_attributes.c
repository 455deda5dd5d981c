#include "base/file_attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/xattr.h>
#endif

#include "base/file.h"

#include "base/banned.h"

#ifdef __linux__

#define XATTR_VALUE_LIMIT 65536 /* the kernel's own bound on one value */

/*
 * Extended attributes that say who may use the file, and those that people attach. Others (file
 * signatures, capabilities) belong to the bytes and not to the name.
 */
static bool is_kept(const char *name)
{
    return strcmp(name, "system.posix_acl_access") == 0 || strcmp(name, "system.nfs4_acl") == 0 ||
           strcmp(name, "security.selinux") == 0 || strcmp(name, "security.SMACK64") == 0 ||
           strncmp(name, "user.", 5) == 0;
}

/* The names of a file's extended attributes, NUL-separated; the caller frees. -1 with errno set. */
static ssize_t list_names(int fd, char **names)
{
    ssize_t size;

    *names = malloc(XATTR_VALUE_LIMIT);
    if (*names == NULL) {
        errno = ENOMEM;
        return -1;
    }
    size = flistxattr(fd, *names, XATTR_VALUE_LIMIT);
    return size < 0 && (errno == ENOTSUP || errno == ENOSYS) ? 0 : size;
}

static bool copy_one(int old_fd, int fd, const char *name, char *value, char *present)
{
    const ssize_t size = fgetxattr(old_fd, name, value, XATTR_VALUE_LIMIT);

    if (size < 0) {
        return false;
    }
    /* A label that is right already may be one that we have no right to set. */
    if (fgetxattr(fd, name, present, XATTR_VALUE_LIMIT) == size &&
        memcmp(value, present, (size_t)size) == 0) {
        return true;
    }
    return fsetxattr(fd, name, value, (size_t)size, 0) == 0;
}

/* What the new file inherited from its folder and the old one does not have must go. */
static bool drop_inherited_acl(int old_fd, int fd)
{
    if (fgetxattr(old_fd, "system.posix_acl_access", NULL, 0) >= 0) {
        return true;
    }
    if (errno != ENODATA && errno != ENOTSUP && errno != ENOSYS) {
        return false;
    }
    return fremovexattr(fd, "system.posix_acl_access") == 0 || errno == ENODATA ||
           errno == ENOTSUP || errno == ENOSYS;
}

static bool copy_extended(int old_fd, int fd)
{
    char *names = NULL;
    char *value = malloc(XATTR_VALUE_LIMIT);
    char *present = malloc(XATTR_VALUE_LIMIT);
    ssize_t size = -1;
    bool copied = false;

    if (value == NULL || present == NULL) {
        errno = ENOMEM;
        goto out;
    }
    size = list_names(old_fd, &names);
    if (size < 0 || !drop_inherited_acl(old_fd, fd)) {
        goto out;
    }
    for (const char *name = names; name < names + size; name += strlen(name) + 1) {
        if (is_kept(name) && !copy_one(old_fd, fd, name, value, present)) {
            goto out;
        }
    }
    copied = true;
out:
    free(names);
    free(value);
    free(present);
    return copied;
}

#else

/* Elsewhere only owner, group and mode are kept. */
static bool copy_extended(int old_fd, int fd)
{
    (void)old_fd;
    (void)fd;
    return true;
}

#endif

bool file_attributes_copy(int old_fd, const struct stat *old, int fd, const char **what)
{
    struct stat now;

    *what = "owner and group";
    if (fstat(fd, &now) != 0) {
        return false;
    }
    if ((now.st_uid != old->st_uid || now.st_gid != old->st_gid) && !file_set_owner(fd, old)) {
        return false;
    }
    *what = "ACL or security label";
    if (!copy_extended(old_fd, fd)) {
        return false;
    }
    /* After the owner, whose change clears bits, and the ACL, whose mask is the group's bits. */
    *what = "mode";
    return file_set_mode(fd, old->st_mode & 07777);
}

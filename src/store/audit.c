#include "store/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

#include "base/banned.h"

static void write_field(struct buffer *out, const char *name, const char *text)
{
    if (text != NULL) {
        buffer_append_text(out, ", ");
        json_write_member(out, name, text);
    }
}

void audit_write_line(const struct audit_event *event, const struct token *token,
                      struct buffer *out)
{
    char time[TIME_TEXT_SIZE];

    time_format(event->time, time);
    buffer_appendf(out, "{\"time\": \"%s\"", time);
    write_field(out, "action", event->action);
    write_field(out, "id", token->id);
    write_field(out, "name", token->name);
    buffer_appendf(out, ", \"uid\": %lu", event->actor->uid);
    write_field(out, "login", event->actor->login);
    write_field(out, "sudo_user", event->actor->sudo_user);
    write_field(out, "host", event->actor->host);
    buffer_append_text(out, "}\n");
}

/* Whether the file's last line lacks its end. */
static bool is_torn(int fd, off_t size)
{
    char last = '\n';

    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static enum status append_lines(int fd, const char *name, const struct buffer *lines,
                                struct error *error)
{
    struct stat before;

    if (fstat(fd, &before) != 0) {
        return error_set_errno(error, STATUS_STORE, errno, "cannot examine %s", name);
    }
    if (!S_ISREG(before.st_mode)) {
        return error_set(error, STATUS_STORE, "%s is not a file, so nothing was changed", name);
    }
    if ((is_torn(fd, before.st_size) && !file_write_all(fd, "\n", 1)) ||
        !file_write_all(fd, lines->bytes, lines->size) || !file_sync(fd)) {
        const int cause = errno;

        (void)file_truncate(fd, before.st_size);
        return error_set_errno(error, STATUS_STORE, cause,
                               "cannot write the audit trail %s, so nothing was changed", name);
    }
    return STATUS_OK;
}

enum status audit_append(int folder_fd, const char *name, const struct buffer *lines,
                         struct error *error)
{
    enum status status;
    int fd;

    do {
        fd = openat(folder_fd, name,
                    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
                    0600);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return error_set_errno(error, STATUS_STORE, errno,
                               "cannot open the audit trail %s, so nothing was changed", name);
    }
    status = append_lines(fd, name, lines, error);
    if (close(fd) != 0 && errno != EINTR && status == STATUS_OK) {
        status = error_set_errno(error, STATUS_STORE, errno,
                                 "cannot write the audit trail %s, so nothing was changed", name);
    }
    return status;
}

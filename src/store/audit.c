#include "store/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_write.h"

#include "base/banned.h"

static void write_if_known(struct buffer *out, const char *name, const char *text)
{
    if (text != NULL) {
        json_write_text(out, name, text);
    }
}

static void write_previous(struct buffer *out, const struct token *token)
{
    json_write_name(out, "previous");
    buffer_append_text(out, "[");
    for (size_t i = 0; i < token->previous_count; i++) {
        buffer_append_text(out, i == 0 ? "{" : ", {");
        json_write_text(out, "prefix", token->previous[i].prefix);
        json_write_time(out, "expires_at", token->previous[i].expires_at);
        buffer_append_text(out, "}");
    }
    buffer_append_text(out, "]");
}

/* What the token says now, of what it did not say before. */
static void write_changes(struct buffer *out, const struct token_record *record)
{
    const struct token *token = &record->token;
    const bool is_new = (record->changed & TOKEN_CHANGE_NEW) != 0;

    json_write_name(out, "changed");
    buffer_append_text(out, "{");
    if (record->removed) {
        json_write_flag(out, "deleted", true);
    }
    if (is_new || (record->changed & TOKEN_CHANGE_SECRETS) != 0) {
        json_write_text(out, "prefix", token->secret.prefix);
    }
    if ((record->changed & TOKEN_CHANGE_SECRETS) != 0) {
        write_previous(out, token);
    }
    if ((record->changed & TOKEN_CHANGE_EXPIRY) != 0 ||
        (is_new && token->expires_at != TIME_NONE)) {
        json_write_time(out, "expires_at", token->expires_at);
    }
    if ((record->changed & TOKEN_CHANGE_REVOKED) != 0 ||
        (is_new && token->revoked_at != TIME_NONE)) {
        json_write_time(out, "revoked_at", token->revoked_at);
    }
    if (is_new && token->scope_count > 0) {
        json_write_list(out, "scopes", (const char *const *)token->scopes, token->scope_count);
    }
    if (is_new && token->note != NULL) {
        json_write_text(out, "note", token->note);
    }
    buffer_append_text(out, "}");
}

void audit_write_line(const struct audit_event *event, const struct token_record *record,
                      struct buffer *out)
{
    const struct token *token = &record->token;
    buffer_append_text(out, "{");
    json_write_time(out, "time", event->time);
    json_write_text(out, "action", event->action);
    json_write_text(out, "id", token->id);
    json_write_text(out, "name", token->name);
    write_changes(out, record);
    json_write_count(out, "uid", event->actor->uid);
    write_if_known(out, "login", event->actor->login);
    write_if_known(out, "sudo_user", event->actor->sudo_user);
    write_if_known(out, "host", event->actor->host);
    buffer_append_text(out, "}\n");
}

/* Whether the file's last line lacks its end. */
static bool is_torn(int fd, off_t size)
{
    char last = '\n';

    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static int open_trail(const struct audit_file *file)
{
    return file_open_companion(file->folder_fd, strrchr(file->path, '/') + 1, O_RDWR | O_APPEND,
                               file->like);
}

static enum status append_lines(int fd, struct audit_file *file, const struct buffer *lines,
                                struct error *error)
{
    struct stat before;

    if (fstat(fd, &before) != 0) {
        return error_set_errno(error, STATUS_STORE, errno, "cannot examine %s", file->path);
    }
    if (!S_ISREG(before.st_mode)) {
        return error_set(error, STATUS_STORE, "%s is not a file", file->path);
    }
    file->size_before = before.st_size;
    if ((is_torn(fd, before.st_size) && !file_write_all(fd, "\n", 1)) ||
        !file_write_all(fd, lines->bytes, lines->size) || !file_sync(fd) ||
        (before.st_size == 0 && !file_sync(file->folder_fd) && errno != EINVAL)) {
        const int cause = errno;

        (void)file_truncate(fd, before.st_size);
        return error_set_errno(error, STATUS_STORE, cause, "cannot write the audit trail %s",
                               file->path);
    }
    return STATUS_OK;
}

enum status audit_append(struct audit_file *file, const struct buffer *lines, struct error *error)
{
    const int fd = open_trail(file);
    enum status status;

    if (fd < 0) {
        return error_set_errno(error, STATUS_STORE, errno, "cannot open the audit trail %s",
                               file->path);
    }
    status = append_lines(fd, file, lines, error);
    if (close(fd) != 0 && errno != EINTR && status == STATUS_OK) {
        status = error_set_errno(error, STATUS_STORE, errno, "cannot write the audit trail %s",
                                 file->path);
        audit_undo(file);
    }
    return status;
}

void audit_undo(const struct audit_file *file)
{
    const int fd = open_trail(file);

    if (fd >= 0) {
        (void)file_truncate(fd, file->size_before);
        (void)close(fd);
    }
}

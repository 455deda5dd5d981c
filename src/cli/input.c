#include "cli/input.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "token/token_text.h"

#include "base/banned.h"

#define READ_SIZE ((size_t)16384)

enum status input_read_all(struct buffer *input, size_t limit, struct error *error)
{
    ssize_t got = 1;

    while (got != 0) {
        if (!buffer_reserve(input, READ_SIZE)) {
            return error_no_memory(error);
        }
        got = read(STDIN_FILENO, input->bytes + input->size, READ_SIZE);
        if (got < 0 && errno != EINTR) {
            return error_set_errno(error, STATUS_FAILED, errno, "cannot read standard input");
        }
        input->size += got > 0 ? (size_t)got : 0;
        if (input->size > limit) {
            return error_set(error, STATUS_FAILED,
                             "standard input is longer than %zu bytes, and was not taken", limit);
        }
    }
    return STATUS_OK;
}

enum status input_read_from(struct buffer *input, const char *path, size_t limit,
                            struct error *error)
{
    struct stat seen;
    int fd = -1;
    enum status status;

    if (strcmp(path, "-") == 0) {
        return input_read_all(input, limit, error);
    }
    if (token_text_looks_like_one(path, strlen(path))) {
        return error_set(error, STATUS_FAILED, "a token was given in the place of a file's name");
    }
    status = file_open(path, &fd, error);
    if (status == STATUS_OK) {
        status = file_read(fd, path, limit, input, &seen, error);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return status == STATUS_OK ? STATUS_OK : STATUS_FAILED;
}

#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"

enum status error_set(struct error *error, enum status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return status;
}

enum status error_set_errno(struct error *error, enum status status, int errnum, const char *format,
                            ...)
{
    char cause[128] = "unknown error";
    va_list args;
    size_t used;

    va_start(args, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    used = strlen(error->text);
    (void)strerror_r(errnum, cause, sizeof(cause));
    (void)snprintf(error->text + used, sizeof(error->text) - used, ": %s", cause);
    return status;
}

enum status error_no_memory(struct error *error)
{
    return error_set(error, STATUS_FAILED, "out of memory");
}

int status_exit_code(enum status status)
{
    return (int)status;
}

#include "token_authd/complaints.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

void complaints_init(struct complaints *complaints)
{
    *complaints = (struct complaints){.count = 0};
    (void)pthread_mutex_init(&complaints->lock, NULL);
}

void complaints_clear(struct complaints *complaints)
{
    (void)pthread_mutex_destroy(&complaints->lock);
}

void complaints_note(void *context, const char *format, va_list arguments)
{
    struct complaints *complaints = context;
    char text[COMPLAINT_SIZE];
    char *page;

    (void)vsnprintf(text, sizeof(text), format, arguments);
    text[strcspn(text, "\n")] = '\0';
    page = strstr(text, " ('<html>");
    if (page != NULL) {
        (void)snprintf(page, 2, ")");
    }
    (void)pthread_mutex_lock(&complaints->lock);
    complaints->count++;
    memcpy(complaints->last, text, sizeof(text));
    (void)pthread_mutex_unlock(&complaints->lock);
}

size_t complaints_take(struct complaints *complaints, char last[static COMPLAINT_SIZE])
{
    size_t count;

    (void)pthread_mutex_lock(&complaints->lock);
    count = complaints->count;
    memcpy(last, complaints->last, COMPLAINT_SIZE);
    complaints->count = 0;
    (void)pthread_mutex_unlock(&complaints->lock);
    return count;
}

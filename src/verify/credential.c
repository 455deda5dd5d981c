#include "verify/credential.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#include "base/banned.h"

static const struct source {
    const char *header;
    const char *scheme; /* that the value must begin with, or NULL */
} sources[] = {
    {"Authorization", "Bearer"},
    {"X-Api-Key", NULL},
    {"X-Auth-Token", NULL},
    {"Api-Key", NULL},
};

#define SOURCE_COUNT (sizeof(sources) / sizeof(sources[0]))

/* What a header's value holds for us; empty if it is another scheme's. */
static struct credential from_value(const struct source *source, const char *value, size_t size)
{
    struct credential found = {value, size};

    text_trim(&found.text, &found.size);
    if (source->scheme != NULL) {
        const size_t length = strlen(source->scheme);
        const char after = found.size > length ? found.text[length] : ' ';

        if (found.size < length || !text_equal_nocase(found.text, source->scheme, length) ||
            (after != ' ' && after != '\t')) {
            return (struct credential){"", 0};
        }
        found.text += length;
        found.size -= length;
        text_trim(&found.text, &found.size);
    }
    return found;
}

enum credential_result credential_from_headers(const struct token_verifier_header *headers,
                                               size_t count, struct credential *credential)
{
    enum credential_result result = CREDENTIAL_MISSING;

    *credential = (struct credential){"", 0};
    for (size_t s = 0; s < SOURCE_COUNT; s++) {
        bool present = false;

        for (size_t i = 0; i < count; i++) {
            struct credential found;

            if (!text_is_word(headers[i].name, headers[i].name_size, sources[s].header)) {
                continue;
            }
            if (present) {
                return CREDENTIAL_TWICE;
            }
            present = true;
            found = from_value(&sources[s], headers[i].value, headers[i].value_size);
            if (result == CREDENTIAL_MISSING && found.size > 0) {
                *credential = found;
                result = CREDENTIAL_FOUND;
            }
        }
    }
    return result;
}

enum credential_result credential_from_value(const char *value, size_t size,
                                             struct credential *credential)
{
    *credential = (struct credential){value, size};
    text_trim(&credential->text, &credential->size);
    return credential->size > 0 ? CREDENTIAL_FOUND : CREDENTIAL_MISSING;
}

enum credential_result credential_from_line(const char *line, size_t size,
                                            struct credential *credential)
{
    (void)credential_from_value(line, size, credential);
    for (size_t s = 0; s < SOURCE_COUNT; s++) {
        const size_t length = strlen(sources[s].header);

        if (credential->size > length && credential->text[length] == ':' &&
            text_equal_nocase(credential->text, sources[s].header, length)) {
            *credential = from_value(&sources[s], credential->text + length + 1,
                                     credential->size - length - 1);
            break;
        }
    }
    return credential->size > 0 ? CREDENTIAL_FOUND : CREDENTIAL_MISSING;
}

/*
 * Asks the library about a credential in every way there is, and wipes its own copies of it:
 *
 *     ask_library <CREDENTIAL
 *
 * Prints the reason of each answer, a line each.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verify/token_verifier.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BEARER "Bearer "

/* As "Bearer TOKEN", of which the other headers get the end. */
static struct {
    char bearer[sizeof(BEARER) - 1];
    char token[512];
} credential = {.bearer = BEARER};

static void wipe(void)
{
    volatile char *bytes = credential.token;

    for (size_t i = 0; i < sizeof(credential.token); i++) {
        bytes[i] = '\0';
    }
}

static void ask(struct token_verifier *verifier, const struct token_verifier_request *request)
{
    struct token_verifier_result result;

    (void)token_verifier_check(verifier, request, &result);
    (void)puts(token_verifier_reason_text(result.reason));
}

static void ask_all(struct token_verifier *verifier, size_t size)
{
    const struct token_verifier_header headers[] = {
        {"Authorization", 13, credential.bearer, sizeof(credential.bearer) + size},
        {"X-Api-Key", 9, credential.token, size},
        {"X-Auth-Token", 12, credential.token, size},
        {"Api-Key", 7, credential.token, size},
    };
    const struct token_verifier_request plain = {.credential = credential.token,
                                                 .credential_size = size};

    ask(verifier, &plain);
    for (size_t i = 0; i < COUNT(headers); i++) {
        const struct token_verifier_request request = {.headers = &headers[i], .header_count = 1};

        ask(verifier, &request);
    }
}

int main(void)
{
    struct token_verifier *verifier;
    const ssize_t size = read(STDIN_FILENO, credential.token, sizeof(credential.token));

    if (size <= 0 || !token_verifier_open(&verifier, NULL, NULL, 0)) {
        return 1;
    }
    ask_all(verifier, (size_t)size);
    wipe();
    token_verifier_close(verifier);
    return 0;
}

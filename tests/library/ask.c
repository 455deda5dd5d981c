/*
 * A server author's first program: opens a verifier as the arguments say, then does what each line
 * of its input says, and answers with a line:
 *
 *     ask [file=PATH] [env_file=PATH] [usage=PATH] [no_env_file] [allow_open] [require_auth]
 *
 *     credential TEXT     check this, with the scopes that were given before
 *     header NAME:VALUE   add a header, its value as it stands behind the colon
 *     scope SCOPE         demand a scope
 *     headers             check the headers and scopes that were given before
 *     mode                what decides now
 *     flush               write down the uses
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/token_verifier.h"

#define LINE_SIZE 70000
#define ITEMS 100
#define TEXTS 200 /* of ITEMS headers, two each */

/* What was given for the next check. */
struct asked {
    char *texts[TEXTS]; /* owned */
    size_t text_count;
    struct token_verifier_header headers[ITEMS];
    size_t header_count;
    const char *scopes[ITEMS];
    size_t scope_count;
};

static bool read_option(struct token_verifier_options *options, const char *argument)
{
    static const char file[] = "file=";
    static const char env_file[] = "env_file=";
    static const char usage[] = "usage=";

    if (strncmp(argument, file, strlen(file)) == 0) {
        options->file = argument + strlen(file);
    } else if (strncmp(argument, env_file, strlen(env_file)) == 0) {
        options->env_file = argument + strlen(env_file);
    } else if (strncmp(argument, usage, strlen(usage)) == 0) {
        options->usage = argument + strlen(usage);
    } else if (strcmp(argument, "no_env_file") == 0) {
        options->no_env_file = true;
    } else if (strcmp(argument, "allow_open") == 0) {
        options->allow_open = true;
    } else if (strcmp(argument, "require_auth") == 0) {
        options->require_auth = true;
    } else {
        return false;
    }
    return true;
}

/* A copy in memory of exactly that size, so that a sanitizer sees a read behind its end. */
static char *keep(struct asked *asked, const char *text, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL || asked->text_count == TEXTS) {
        (void)fprintf(stderr, "ask: no room\n");
        exit(EXIT_FAILURE);
    }
    memcpy(copy, text, size);
    asked->texts[asked->text_count++] = copy;
    return copy;
}

static void forget(struct asked *asked)
{
    for (size_t i = 0; i < asked->text_count; i++) {
        free(asked->texts[i]);
    }
    *asked = (struct asked){0};
}

static void add_header(struct asked *asked, const char *line)
{
    const char *colon = strchr(line, ':');

    if (colon != NULL && asked->header_count < ITEMS) {
        struct token_verifier_header *header = &asked->headers[asked->header_count++];

        header->name_size = (size_t)(colon - line);
        header->name = keep(asked, line, header->name_size);
        header->value_size = strlen(colon + 1);
        header->value = keep(asked, colon + 1, header->value_size);
    }
}

static void check(struct token_verifier *verifier, struct asked *asked, const char *credential)
{
    struct token_verifier_request request = {.headers = asked->headers,
                                             .header_count = asked->header_count,
                                             .scopes = asked->scopes,
                                             .scope_count = asked->scope_count};
    struct token_verifier_result result;

    if (credential != NULL) {
        request.credential_size = strlen(credential);
        request.credential = keep(asked, credential, request.credential_size);
    }
    memset(&result, 0x5a, sizeof(result)); /* all of it is to be filled in */
    const enum token_verifier_verdict verdict = token_verifier_check(verifier, &request, &result);
    if (verdict != result.verdict) {
        (void)printf("two verdicts\n");
    } else if (verdict == TOKEN_VERIFIER_ACCEPTED && result.expires_at == TOKEN_VERIFIER_NEVER) {
        (void)printf("accepted|%s|%s|%s|%s|never|%s%s\n", token_verifier_mode_text(result.mode),
                     result.id, result.name, result.scopes,
                     token_verifier_reason_text(result.reason), result.message);
    } else if (verdict == TOKEN_VERIFIER_ACCEPTED) {
        (void)printf("accepted|%s|%s|%s|%s|%lld|%s%s\n", token_verifier_mode_text(result.mode),
                     result.id, result.name, result.scopes, (long long)result.expires_at,
                     token_verifier_reason_text(result.reason), result.message);
    } else {
        (void)printf("refused|%s|%s|%s%s%s|%s\n", token_verifier_mode_text(result.mode),
                     token_verifier_reason_text(result.reason), result.id, result.name,
                     result.scopes, result.message);
    }
    forget(asked);
}

static void tell_mode(struct token_verifier *verifier)
{
    char message[TOKEN_VERIFIER_MESSAGE_SIZE] = "untouched";
    const enum token_verifier_mode mode =
        token_verifier_current_mode(verifier, message, sizeof(message));

    (void)printf("%s|%s\n", token_verifier_mode_text(mode), message);
}

/* What a line says, if it begins with this word; else NULL. */
static const char *after(const char *line, const char *word)
{
    const size_t size = strlen(word);

    return strncmp(line, word, size) == 0 ? line + size : NULL;
}

static void obey(struct token_verifier *verifier, struct asked *asked, const char *line)
{
    const char *text;

    if ((text = after(line, "credential ")) != NULL) {
        check(verifier, asked, text);
    } else if ((text = after(line, "header ")) != NULL) {
        add_header(asked, text);
    } else if ((text = after(line, "scope ")) != NULL && asked->scope_count < ITEMS) {
        asked->scopes[asked->scope_count++] = keep(asked, text, strlen(text) + 1);
    } else if (strcmp(line, "headers") == 0) {
        check(verifier, asked, NULL);
    } else if (strcmp(line, "mode") == 0) {
        tell_mode(verifier);
    } else if (strcmp(line, "flush") == 0) {
        (void)printf("%s\n", token_verifier_flush(verifier) ? "flushed" : "not flushed");
    } else {
        (void)printf("what is %s?\n", line);
    }
}

int main(int argc, char **argv)
{
    static char line[LINE_SIZE];
    struct token_verifier_options options = {0};
    struct token_verifier *verifier;
    struct asked asked = {0};
    char message[TOKEN_VERIFIER_MESSAGE_SIZE] = "";

    for (int i = 1; i < argc; i++) {
        if (!read_option(&options, argv[i])) {
            (void)fprintf(stderr, "ask: what is %s?\n", argv[i]);
            return EXIT_FAILURE;
        }
    }
    if (!token_verifier_open(&verifier, argc > 1 ? &options : NULL, message, sizeof(message))) {
        (void)printf("not opened: %s%s\n", message, verifier != NULL ? " (and not NULL)" : "");
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        obey(verifier, &asked, line);
        (void)fflush(stdout);
    }
    forget(&asked);
    token_verifier_close(verifier);
    return EXIT_SUCCESS;
}

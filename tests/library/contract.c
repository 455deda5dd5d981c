/*
 * What token_verifier.h promises of odd arguments:
 *
 *     contract
 *
 * Run where there is neither a token file nor a key. Names each promise that is broken.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/token_verifier.h"

#define CANARY 0x5a
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int broken;

static void expect(bool kept, const char *promise)
{
    if (!kept) {
        (void)printf("broken: %s\n", promise);
        broken++;
    }
}

#define EXPECT(promise) expect((promise), #promise)

static void check_enumerators(void)
{
    /* Programs that were compiled with an older header rely on these. */
    EXPECT(TOKEN_VERIFIER_REFUSED == 0 && TOKEN_VERIFIER_ACCEPTED == 1);
    EXPECT(TOKEN_VERIFIER_NO_REASON == 0 && TOKEN_VERIFIER_UNAVAILABLE == 1 &&
           TOKEN_VERIFIER_MISSING == 2 && TOKEN_VERIFIER_REVOKED == 3 &&
           TOKEN_VERIFIER_EXPIRED == 4 && TOKEN_VERIFIER_SCOPE == 5 &&
           TOKEN_VERIFIER_MALFORMED == 6 && TOKEN_VERIFIER_ID_NOT_TOKEN == 7 &&
           TOKEN_VERIFIER_JWT_NOT_TOKEN == 8 && TOKEN_VERIFIER_DIGEST_NOT_TOKEN == 9 &&
           TOKEN_VERIFIER_UNKNOWN == 10);
    EXPECT(TOKEN_VERIFIER_MODE_UNAVAILABLE == 0 && TOKEN_VERIFIER_MODE_OPEN == 1 &&
           TOKEN_VERIFIER_MODE_ENVIRONMENT == 2 && TOKEN_VERIFIER_MODE_FILE == 3 &&
           TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT == 4);
}

static void check_texts(void)
{
    static const char *const reasons[] = {
        "accepted",  "unavailable",  "missing",       "revoked",          "expired", "scope",
        "malformed", "id_not_token", "jwt_not_token", "digest_not_token", "unknown"};
    static const char *const modes[] = {"unavailable", "open", "environment", "file",
                                        "file+environment"};
    static const int strange[] = {-1, 11, 12, 100, 1 << 20, INT_MAX, INT_MIN};

    for (size_t i = 0; i < COUNT(reasons); i++) {
        expect(strcmp(token_verifier_reason_text((enum token_verifier_reason)i), reasons[i]) == 0,
               reasons[i]);
    }
    for (size_t i = 0; i < COUNT(modes); i++) {
        expect(strcmp(token_verifier_mode_text((enum token_verifier_mode)i), modes[i]) == 0,
               modes[i]);
    }
    for (size_t i = 0; i < COUNT(strange); i++) {
        EXPECT(strcmp(token_verifier_reason_text((enum token_verifier_reason)strange[i]), "?") ==
               0);
        EXPECT(strcmp(token_verifier_mode_text((enum token_verifier_mode)strange[i]), "?") == 0);
    }
    EXPECT(strcmp(token_verifier_mode_text((enum token_verifier_mode)COUNT(modes)), "?") == 0);
}

/* Settings that cannot be understood, with room for the message or without. */
static void check_messages(const struct token_verifier_options *wrong)
{
    struct token_verifier *verifier = (struct token_verifier *)&broken;
    char whole[TOKEN_VERIFIER_MESSAGE_SIZE] = "";
    char room[TOKEN_VERIFIER_MESSAGE_SIZE];

    EXPECT(!token_verifier_open(&verifier, wrong, NULL, 0));
    EXPECT(verifier == NULL);
    EXPECT(!token_verifier_open(&verifier, wrong, whole, sizeof(whole)));
    EXPECT(verifier == NULL);
    EXPECT(strlen(whole) > 10 && strlen(whole) < sizeof(whole));
    for (size_t size = 1; size <= strlen(whole) + 2; size++) {
        memset(room, CANARY, sizeof(room));
        EXPECT(!token_verifier_open(&verifier, wrong, room, size));
        EXPECT(strlen(room) == (size <= strlen(whole) ? size - 1 : strlen(whole)));
        EXPECT(strncmp(room, whole, strlen(room)) == 0);
        EXPECT(room[size] == CANARY);
    }
}

static void check_wrong_settings(void)
{
    const struct token_verifier_options no_name = {.file = ""};
    const struct token_verifier_options no_file = {.env_file = "gone.env"};
    const struct token_verifier_options both = {.env_file = "gone.env", .no_env_file = true};
    const struct token_verifier_options same = {.file = "tokens.json", .usage = "tokens.json"};

    check_messages(&no_name);
    check_messages(&no_file);
    check_messages(&both);
    check_messages(&same);
}

/* A file that is missing where one was named: a verifier that refuses everybody. */
static void check_unavailable(void)
{
    char path[] = "gone.json";
    const struct token_verifier_options options = {.file = path};
    const struct token_verifier_request request = {.credential = "x", .credential_size = 1};
    struct token_verifier *verifier = NULL;
    struct token_verifier_result result;
    char message[TOKEN_VERIFIER_MESSAGE_SIZE] = "old";

    EXPECT(token_verifier_open(&verifier, &options, NULL, 0));
    if (verifier == NULL) {
        return;
    }
    memset(path, 'x', sizeof(path) - 1); /* the names were copied */
    EXPECT(token_verifier_current_mode(verifier, NULL, 0) == TOKEN_VERIFIER_MODE_UNAVAILABLE);
    EXPECT(token_verifier_current_mode(verifier, message, sizeof(message)) ==
           TOKEN_VERIFIER_MODE_UNAVAILABLE);
    EXPECT(strstr(message, "gone.json") != NULL);
    message[1] = CANARY;
    EXPECT(token_verifier_current_mode(verifier, message, 1) == TOKEN_VERIFIER_MODE_UNAVAILABLE);
    EXPECT(message[0] == '\0' && message[1] == CANARY);
    EXPECT(token_verifier_check(verifier, &request, &result) == TOKEN_VERIFIER_REFUSED);
    EXPECT(result.reason == TOKEN_VERIFIER_UNAVAILABLE);
    EXPECT(strstr(result.message, "gone.json") != NULL);
    token_verifier_close(verifier);
}

/* Defaults, and requests with as little in them as may be. */
static void check_defaults(void)
{
    const struct token_verifier_options defaults = {0};
    const struct token_verifier_options locked = {.require_auth = true};
    const struct token_verifier_request nothing = {0};
    const struct token_verifier_request empty = {.credential = "", .credential_size = 0};
    const struct token_verifier_options *const choices[] = {NULL, &defaults, &locked};

    for (size_t i = 0; i < COUNT(choices); i++) {
        const bool open = choices[i] != &locked;
        struct token_verifier *verifier = NULL;
        struct token_verifier_result result;
        char message[TOKEN_VERIFIER_MESSAGE_SIZE] = "old";

        EXPECT(token_verifier_open(&verifier, choices[i], message, sizeof(message)));
        if (verifier == NULL) {
            return;
        }
        EXPECT(message[0] == '\0');
        EXPECT(token_verifier_current_mode(verifier, message, sizeof(message)) ==
               (open ? TOKEN_VERIFIER_MODE_OPEN : TOKEN_VERIFIER_MODE_UNAVAILABLE));
        EXPECT((message[0] == '\0') == open);
        memset(&result, CANARY, sizeof(result));
        EXPECT(token_verifier_check(verifier, &nothing, &result) ==
               (open ? TOKEN_VERIFIER_ACCEPTED : TOKEN_VERIFIER_REFUSED));
        EXPECT(strcmp(result.id, open ? "anonymous" : "") == 0);
        memset(&result, CANARY, sizeof(result));
        EXPECT(token_verifier_check(verifier, &empty, &result) ==
               (open ? TOKEN_VERIFIER_ACCEPTED : TOKEN_VERIFIER_REFUSED));
        EXPECT(result.expires_at == TOKEN_VERIFIER_NEVER);
        token_verifier_close(verifier);
    }
    token_verifier_close(NULL);
}

int main(void)
{
    check_enumerators();
    check_texts();
    check_wrong_settings();
    check_unavailable();
    check_defaults();
    (void)printf("%s\n", broken == 0 ? "kept" : "not kept");
    return broken == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#include "verify/verdict.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "token/token_text.h"

#include "base/banned.h"

/* What is said of a refusal that the file or the request explains. */
static const char *const reason_help[] = {
    [TOKEN_VERIFIER_NO_REASON] = "",
    [TOKEN_VERIFIER_UNAVAILABLE] = "the token file cannot be used",
    [TOKEN_VERIFIER_MISSING] =
        "no credential was sent; send the header \"Authorization: Bearer TOKEN\"",
    [TOKEN_VERIFIER_REVOKED] =
        "the token was revoked; use another, or undo that with `token_manager restore`",
    [TOKEN_VERIFIER_EXPIRED] =
        "the token, or this secret of it, has expired; create another, or `token_manager rotate` it",
    [TOKEN_VERIFIER_SCOPE] = "the token is good, but lacks a scope that is demanded",
    [TOKEN_VERIFIER_MALFORMED] = "the same header was sent twice; send one credential",
};

/* What the looks of a credential say that nothing accepts. */
static const struct {
    enum token_verifier_reason reason;
    const char *help;
} shape_reasons[] = {
    [TOKEN_SHAPE_OTHER] = {TOKEN_VERIFIER_UNKNOWN,
                           "no token in the file matches; it may have been deleted, or belong to "
                           "another server"},
    [TOKEN_SHAPE_WHOLE] =
        {TOKEN_VERIFIER_UNKNOWN,
         "it is a whole token, but none in the file; it may have been deleted, or "
         "belong to another server"},
    [TOKEN_SHAPE_BLANK_INSIDE] = {TOKEN_VERIFIER_MALFORMED,
                                  "there is white space inside; send one token and nothing else"},
    [TOKEN_SHAPE_NOT_ASCII] = {TOKEN_VERIFIER_MALFORMED,
                               "it contains characters that no token has"},
    [TOKEN_SHAPE_TOO_LONG] = {TOKEN_VERIFIER_MALFORMED,
                              "it is too long; perhaps more was copied than the token"},
    [TOKEN_SHAPE_CUT_SHORT] = {TOKEN_VERIFIER_MALFORMED,
                               "it is cut short, or not one of our tokens; copy the whole token, "
                               "and not what a list shows"},
    [TOKEN_SHAPE_CHECKSUM] = {TOKEN_VERIFIER_MALFORMED,
                              "its checksum is wrong: a character is mistyped or missing"},
    [TOKEN_SHAPE_ID] = {TOKEN_VERIFIER_ID_NOT_TOKEN,
                        "this is the id of a token and no secret; send the token itself, which was "
                        "shown when it was created"},
    [TOKEN_SHAPE_JWT] = {TOKEN_VERIFIER_JWT_NOT_TOKEN,
                         "this is a JSON Web Token of some login, and not an API token"},
    [TOKEN_SHAPE_DIGEST] = {TOKEN_VERIFIER_DIGEST_NOT_TOKEN,
                            "this is a digest as the file holds it, and not the token"},
};

static struct verdict_answer refuse(enum token_verifier_reason reason)
{
    return (struct verdict_answer){.reason = reason, .help = reason_help[reason]};
}

static struct verdict_answer refuse_by_shape(const struct credential *credential)
{
    const enum token_shape shape = token_text_shape(credential->text, credential->size);

    return (struct verdict_answer){.reason = shape_reasons[shape].reason,
                                   .help = shape_reasons[shape].help};
}

/* A scope that is no scope can be demanded, but not had. */
static bool scopes_are_legal(const struct verdict_question *question)
{
    for (size_t i = 0; i < question->scope_count; i++) {
        if (!token_is_scope(question->scopes[i], strlen(question->scopes[i]))) {
            return false;
        }
    }
    return true;
}

static bool has_scopes(const struct digest_index *index, const struct index_token *token,
                       const struct verdict_question *question)
{
    for (size_t i = 0; i < question->scope_count; i++) {
        if (!digest_index_has_scope(index, token, question->scopes[i])) {
            return false;
        }
    }
    return true;
}

/* The earlier of two ends, either of which may be TIME_NONE for never. */
static int64_t earlier(int64_t a, int64_t b)
{
    return a == TIME_NONE || (b != TIME_NONE && b < a) ? b : a;
}

/* The file knows the credential: what it says of the token wins over the environment. */
static struct verdict_answer decide_by_file(const struct verdict_situation *situation,
                                            const struct verdict_question *question,
                                            const struct index_match *match)
{
    const int64_t end = earlier(match->token->expires_at, match->secret_expires_at);
    struct verdict_answer answer = refuse(TOKEN_VERIFIER_NO_REASON);

    if (match->token->revoked) {
        answer = refuse(TOKEN_VERIFIER_REVOKED);
    } else if (end != TIME_NONE && end <= situation->now) {
        answer = refuse(TOKEN_VERIFIER_EXPIRED);
    } else if (!scopes_are_legal(question) ||
               !has_scopes(situation->index, match->token, question)) {
        answer = refuse(TOKEN_VERIFIER_SCOPE);
    }
    answer.token = match->token;
    answer.expires_at = end;
    return answer;
}

struct verdict_answer verdict_decide(const struct verdict_situation *situation,
                                     const struct verdict_question *question)
{
    const struct credential *credential = &question->credential;
    struct verdict_answer answer = refuse(TOKEN_VERIFIER_NO_REASON);
    struct index_match match;
    uint8_t digest[DIGEST_SIZE];

    answer.expires_at = TIME_NONE;
    if (situation->mode == TOKEN_VERIFIER_MODE_OPEN) {
        return answer;
    }
    if (situation->mode == TOKEN_VERIFIER_MODE_UNAVAILABLE) {
        return refuse(TOKEN_VERIFIER_UNAVAILABLE);
    }
    if (question->found == CREDENTIAL_TWICE) {
        return refuse(TOKEN_VERIFIER_MALFORMED);
    }
    if (question->found == CREDENTIAL_MISSING) {
        return refuse(TOKEN_VERIFIER_MISSING);
    }
    if (credential->size > CREDENTIAL_LIMIT ||
        !text_is_visible_ascii(credential->text, credential->size)) {
        return refuse_by_shape(credential); /* whatever the file may hold the digest of */
    }
    secret_digest(digest, credential->text, credential->size);
    if (digest_index_find(situation->index, digest, &match)) {
        return decide_by_file(situation, question, &match);
    }
    if (situation->key != NULL && situation->key->usable &&
        secret_equal(digest, situation->key->digest)) {
        if (!scopes_are_legal(question)) {
            return refuse(TOKEN_VERIFIER_SCOPE);
        }
        answer.key = situation->key;
        return answer;
    }
    return refuse_by_shape(credential);
}

const char *token_verifier_reason_text(enum token_verifier_reason reason)
{
    static const char *const texts[] = {
        [TOKEN_VERIFIER_NO_REASON] = "accepted",
        [TOKEN_VERIFIER_UNAVAILABLE] = "unavailable",
        [TOKEN_VERIFIER_MISSING] = "missing",
        [TOKEN_VERIFIER_REVOKED] = "revoked",
        [TOKEN_VERIFIER_EXPIRED] = "expired",
        [TOKEN_VERIFIER_SCOPE] = "scope",
        [TOKEN_VERIFIER_MALFORMED] = "malformed",
        [TOKEN_VERIFIER_ID_NOT_TOKEN] = "id_not_token",
        [TOKEN_VERIFIER_JWT_NOT_TOKEN] = "jwt_not_token",
        [TOKEN_VERIFIER_DIGEST_NOT_TOKEN] = "digest_not_token",
        [TOKEN_VERIFIER_UNKNOWN] = "unknown",
    };

    return (size_t)reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : "?";
}

const char *token_verifier_mode_text(enum token_verifier_mode mode)
{
    static const char *const texts[] = {
        [TOKEN_VERIFIER_MODE_UNAVAILABLE] = "unavailable",
        [TOKEN_VERIFIER_MODE_OPEN] = "open",
        [TOKEN_VERIFIER_MODE_ENVIRONMENT] = "environment",
        [TOKEN_VERIFIER_MODE_FILE] = "file",
        [TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT] = "file+environment",
    };

    return (size_t)mode < sizeof(texts) / sizeof(texts[0]) ? texts[mode] : "?";
}

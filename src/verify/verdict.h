/*
 * The verdict: one credential held against what the file and the environment say. A pure function of
 * its arguments, so that library, one-shot check, stream and HTTP cannot differ.
 */
#ifndef VERIFY_VERDICT_H
#define VERIFY_VERDICT_H

#include <stddef.h>
#include <stdint.h>

#include "verify/credential.h"
#include "verify/digest_index.h"
#include "verify/settings.h"
#include "verify/token_verifier.h"

/* What is known when a verdict is asked for. Everything is borrowed. */
struct verdict_situation {
    enum token_verifier_mode mode;
    const struct digest_index *index; /* empty where there is no file */
    const struct settings_key *key;   /* the environment key, or NULL */
    int64_t now;
};

/* What is asked. */
struct verdict_question {
    enum credential_result found;
    struct credential credential;
    const char *const *scopes; /* demanded, all of them */
    size_t scope_count;
};

struct verdict_answer {
    enum token_verifier_reason reason; /* TOKEN_VERIFIER_NO_REASON: accepted */
    const char *help;                  /* what to do about a refusal; static */
    struct index_token *token;      /* accepted or refused by what the file says of it, else NULL */
    const struct settings_key *key; /* accepted as environment key, else NULL */
    int64_t expires_at;             /* of the secret that was accepted */
};

struct verdict_answer verdict_decide(const struct verdict_situation *situation,
                                     const struct verdict_question *question);

#endif

/*
 * libtoken_verifier: is a credential that a client sent good?
 *
 *     struct token_verifier *verifier;
 *     struct token_verifier_request request = {0};
 *     struct token_verifier_result result;
 *     char why[TOKEN_VERIFIER_MESSAGE_SIZE];
 *
 *     if (!token_verifier_open(&verifier, NULL, why, sizeof(why))) { … }
 *     request.credential = c;
 *     request.credential_size = strlen(c);
 *     if (token_verifier_check(verifier, &request, &result) == TOKEN_VERIFIER_ACCEPTED) {
 *         … result.id, result.name …
 *     }
 *     token_verifier_close(verifier);
 *
 * The verdict comes from the token file and from the environment key, and is never older than the
 * call: each check looks (one stat) whether the file was replaced. A verifier that cannot read the
 * file refuses everybody until it can.
 *
 * All functions but open and close may be called from several threads at once. Open reads the
 * environment (getenv), which no other thread may change meanwhile; nothing reads it later. Fork
 * while no call is under way; then one of the two processes goes on using the verifier, and the other
 * leaves it alone. Pointers may not be NULL but where it is said.
 *
 * Structures may grow at their `reserved` ends; zero them, as `= {0}` does. Enumerators keep their
 * values, and new ones come at the end.
 */
#ifndef TOKEN_VERIFIER_H
#define TOKEN_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TOKEN_VERIFIER_MESSAGE_SIZE 1024
#define TOKEN_VERIFIER_ID_SIZE 32
#define TOKEN_VERIFIER_NAME_SIZE 401    /* 100 characters of at most 4 bytes, and a NUL */
#define TOKEN_VERIFIER_SCOPES_SIZE 4161 /* 64 scopes of 64 characters, blanks between, a NUL */
#define TOKEN_VERIFIER_NEVER INT64_MIN

struct token_verifier;

enum token_verifier_verdict {
    TOKEN_VERIFIER_REFUSED = 0,
    TOKEN_VERIFIER_ACCEPTED = 1,
};

/* Why a credential was refused. */
enum token_verifier_reason {
    TOKEN_VERIFIER_NO_REASON = 0,   /* it was accepted */
    TOKEN_VERIFIER_UNAVAILABLE = 1, /* the token file cannot be read or is not where it should be */
    TOKEN_VERIFIER_MISSING = 2,     /* no credential was sent */
    TOKEN_VERIFIER_REVOKED = 3,
    TOKEN_VERIFIER_EXPIRED = 4,
    TOKEN_VERIFIER_SCOPE = 5,     /* the token lacks a scope that the request demands */
    TOKEN_VERIFIER_MALFORMED = 6, /* cannot be a token: cut short, mistyped, blanks inside, … */
    TOKEN_VERIFIER_ID_NOT_TOKEN = 7,
    TOKEN_VERIFIER_JWT_NOT_TOKEN = 8,
    TOKEN_VERIFIER_DIGEST_NOT_TOKEN = 9,
    TOKEN_VERIFIER_UNKNOWN = 10,
};

/* What decides at the moment. */
enum token_verifier_mode {
    TOKEN_VERIFIER_MODE_UNAVAILABLE = 0, /* nobody is accepted */
    TOKEN_VERIFIER_MODE_OPEN = 1,        /* authentication is off: everybody is accepted */
    TOKEN_VERIFIER_MODE_ENVIRONMENT = 2, /* the environment key alone */
    TOKEN_VERIFIER_MODE_FILE = 3,        /* the token file alone */
    TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT = 4,
};

/* All zero is the default. Strings are copied. */
struct token_verifier_options {
    const char *file;     /* NULL: API_TOKENS_FILE, else ./api_tokens.json */
    const char *env_file; /* NULL: ./.env, if there is one */
    const char *usage;    /* NULL: beside the token file, `.usage` behind its name */
    bool no_env_file;     /* read no .env file at all */
    bool allow_open;      /* authentication may be off although the file was named */
    bool require_auth;    /* authentication may never be off */
    void *reserved[8];
};

/* A header field as it came: one for each line of the request, in any order. */
struct token_verifier_header {
    const char *name; /* neither needs a final NUL; letter case of the name does not matter */
    size_t name_size;
    const char *value;
    size_t value_size;
};

/* Give a credential, or headers to find one in. Everything is borrowed for the call. */
struct token_verifier_request {
    const char *credential; /* needs no final NUL; NULL to use the headers */
    size_t credential_size;
    const struct token_verifier_header *headers;
    size_t header_count;
    const char *const *scopes; /* all of these are demanded; NUL-terminated */
    size_t scope_count;
    void *reserved[4];
};

/* The answer, owned by the caller. */
struct token_verifier_result {
    enum token_verifier_verdict verdict;
    enum token_verifier_reason reason;
    enum token_verifier_mode mode;
    int64_t expires_at;                      /* Unix time, or TOKEN_VERIFIER_NEVER */
    char id[TOKEN_VERIFIER_ID_SIZE];         /* tok_…, env:VARIABLE, or anonymous in open mode */
    char name[TOKEN_VERIFIER_NAME_SIZE];     /* UTF-8; like id and scopes, "" unless accepted */
    char scopes[TOKEN_VERIFIER_SCOPES_SIZE]; /* blank-separated; "*" for all */
    char message[TOKEN_VERIFIER_MESSAGE_SIZE]; /* for the operator's log: what to do about a
                                                  refusal; tells revoked and unknown apart, so not
                                                  for the client */
    char refused_id[TOKEN_VERIFIER_ID_SIZE];   /* for that log: of a known token that is revoked,
                                                  expired or lacks a scope; else "" */
    void *reserved[4];
};

/*
 * Reads the environment, the .env file and the token file. `options` may be NULL. False with the
 * reason in `message` (`message_size` bytes, or NULL and 0) when a setting cannot be understood; a
 * token file that cannot be read is no failure, but a verifier that refuses everybody. On success
 * `*verifier` is the caller's, to be given to token_verifier_close; else it is NULL.
 */
bool token_verifier_open(struct token_verifier **verifier,
                         const struct token_verifier_options *options, char *message,
                         size_t message_size);

/*
 * Fills in `*result`; also returns its verdict. Costs a stat, a digest and a look-up; when the file
 * has changed, reading it anew; and at most once a second an append to the usage file, which is
 * rewritten shorter at times.
 */
enum token_verifier_verdict token_verifier_check(struct token_verifier *verifier,
                                                 const struct token_verifier_request *request,
                                                 struct token_verifier_result *result);

/* What decides now. `message`, as for open, says why in mode unavailable, else is empty. */
enum token_verifier_mode token_verifier_current_mode(struct token_verifier *verifier, char *message,
                                                     size_t message_size);

/*
 * Writes the uses that were noted to the usage file; false if it cannot be written right now. Checks
 * do the same in passing: call it from a timer, if there may be long pauses between them.
 */
bool token_verifier_flush(struct token_verifier *verifier);

/* Flushes and frees. NULL is allowed. No other call may be under way. */
void token_verifier_close(struct token_verifier *verifier);

/* "unknown", "revoked", …: the words of logs and interfaces. Static; "?" for no enumerator. */
const char *token_verifier_reason_text(enum token_verifier_reason reason);

/* "open", "environment", "file", "file+environment", "unavailable". Likewise. */
const char *token_verifier_mode_text(enum token_verifier_mode mode);

#ifdef __cplusplus
}
#endif

#endif

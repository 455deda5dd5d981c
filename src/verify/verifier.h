/*
 * What our own programs may ask of a verifier beyond the public token_verifier.h.
 */
#ifndef VERIFY_VERIFIER_H
#define VERIFY_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/status.h"
#include "token/token.h"
#include "verify/settings.h"
#include "verify/token_verifier.h"

/* token_verifier_open, with the error as the rest of the project carries it. */
MUST_CHECK enum status verifier_open(struct token_verifier **verifier,
                                     const struct token_verifier_options *options,
                                     struct error *error);

/* token_verifier_check at a time that is given. */
enum token_verifier_verdict verifier_check_at(struct token_verifier *verifier,
                                              const struct token_verifier_request *request,
                                              int64_t now, struct token_verifier_result *result);

/* How often the token file was loaded. */
struct verifier_loads {
    uint64_t count; /* the first included */
    uint64_t failures;
    double last_seconds;
};

struct verifier_loads verifier_loads(struct token_verifier *verifier);

/* What there is to say about a verifier. */
struct verifier_report {
    enum token_verifier_mode mode;
    const struct settings *settings; /* borrowed until the verifier is closed or rereads */
    struct error error;              /* why the mode is unavailable */
    struct verifier_loads loads;
    bool is_readable; /* the file was read; the counts are valid only then */
    bool has_stat;    /* the file was opened, at least: `file` is valid */
    struct stat file;
    size_t active;
    size_t revoked;
    size_t expired;
    int64_t newest; /* the latest time that a record tells of as past; TIME_NONE without records */
    bool key_is_known;            /* the environment key is a token of the file … */
    enum token_status key_status; /* … whose status this is */
};

void verifier_report(struct token_verifier *verifier, int64_t now, struct verifier_report *report);

/* Where uses are recorded: the caller frees. NULL where that cannot be told. */
char *verifier_usage_path(struct token_verifier *verifier);

/*
 * Reads the variables file anew, the environment as it was, and the token file, and goes on with
 * them. When a setting cannot be understood, the verifier stays as it was. Authentication that was on
 * stays on. Checks may be under way.
 */
MUST_CHECK enum status verifier_reread(struct token_verifier *verifier,
                                       const struct token_verifier_options *options,
                                       struct error *error);

#endif

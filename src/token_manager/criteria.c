#include "token_manager/criteria.h"

#include "cli/when.h"

#include "base/banned.h"

/* The end of a span that begins or ends now; TIME_NONE where it was not given. */
static enum status read_span(const struct cli_arguments *arguments, const char *name, int64_t now,
                             int64_t direction, int64_t *end, struct error *error)
{
    int64_t seconds = 0;
    const enum status status = when_span(arguments, name, &seconds, error);

    *end = cli_has(arguments, name) ? now + direction * seconds : TIME_NONE;
    return status;
}

enum status criteria_read(struct criteria *criteria, const struct cli_arguments *arguments,
                          int64_t now, struct error *error)
{
    enum status status;

    criteria->now = now;
    criteria->unused = cli_has(arguments, "unused");
    criteria->is_any = criteria->unused || cli_has(arguments, "unused-for") ||
                       cli_has(arguments, "revoked-for") || cli_has(arguments, "expiring-within");
    status = read_span(arguments, "unused-for", now, -1, &criteria->unused_since, error);
    if (status == STATUS_OK) {
        status = read_span(arguments, "revoked-for", now, -1, &criteria->revoked_before, error);
    }
    if (status == STATUS_OK) {
        status = read_span(arguments, "expiring-within", now, 1, &criteria->expiring_until, error);
    }
    return status;
}

bool criteria_ask_for_use(const struct criteria *criteria)
{
    return criteria->unused || criteria->unused_since != TIME_NONE;
}

enum status criteria_check_usage(const struct criteria *criteria, const struct usage *usage,
                                 const char *path, struct error *error)
{
    char since[TIME_TEXT_SIZE];

    if (!criteria_ask_for_use(criteria)) {
        return STATUS_OK;
    }
    if (usage->since == TIME_NONE) {
        return error_set(
            error, STATUS_FAILED,
            "%s does not tell since when uses are recorded, so no token can be said to "
            "be unused; token_manager makes that file, and a verifier must be able to "
            "write it",
            path);
    }
    if (criteria->unused_since != TIME_NONE && usage->since > criteria->unused_since) {
        time_format(usage->since, since);
        return error_set(error, STATUS_FAILED,
                         "uses are recorded since %s only (%s), which is not as long as "
                         "--unused-for asks; a use before that would look like none",
                         since, path);
    }
    return STATUS_OK;
}

bool criteria_cannot_tell(const struct criteria *criteria, const struct usage *usage,
                          const struct token *token)
{
    return criteria->unused && token->revoked_at == TIME_NONE && usage->since > token->created_at &&
           usage_last(usage, token->id) == TIME_NONE;
}

static bool is_unused(const struct criteria *criteria, const struct usage *usage,
                      const struct token *token)
{
    const int64_t last = usage_last(usage, token->id);

    if (token->revoked_at != TIME_NONE) {
        return false;
    }
    if (criteria->unused && (last != TIME_NONE || usage->since > token->created_at)) {
        return false;
    }
    return criteria->unused_since == TIME_NONE ||
           (token->created_at <= criteria->unused_since &&
            (last == TIME_NONE || last + USAGE_SLACK <= criteria->unused_since));
}

bool criteria_are_met(const struct criteria *criteria, const struct usage *usage,
                      const struct token *token)
{
    if (criteria_ask_for_use(criteria) && !is_unused(criteria, usage, token)) {
        return false;
    }
    if (criteria->revoked_before != TIME_NONE &&
        (token->revoked_at == TIME_NONE || token->revoked_at > criteria->revoked_before)) {
        return false;
    }
    return criteria->expiring_until == TIME_NONE ||
           (token_status(token, criteria->now) == TOKEN_ACTIVE && token->expires_at != TIME_NONE &&
            token->expires_at <= criteria->expiring_until);
}

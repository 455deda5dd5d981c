/*
 * One record of `api_tokens.json`: text to token and back.
 */
#ifndef TOKEN_TOKEN_RECORD_JSON_H
#define TOKEN_TOKEN_RECORD_JSON_H

#include "base/buffer.h"
#include "base/json.h"
#include "base/status.h"
#include "token/token.h"

/* Reads the object at the cursor into `token`, which is initialised and cleared by the caller. */
MUST_CHECK enum status token_record_json_read(struct json_cursor *cursor, struct token *token,
                                              struct json_slice *record, struct error *error);

/*
 * Appends the record on one line. `old` is its text until now, whose `x_` fields are taken over as
 * they are; NULL for a new token.
 */
MUST_CHECK enum status token_record_json_write(const struct token *token,
                                               const struct json_slice *old, struct buffer *out,
                                               struct error *error);

#endif

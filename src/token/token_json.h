/*
 * The text of `api_tokens.json` and the records in it. Reading is strict and hands over one record
 * at a time; writing keeps every byte that the change does not concern.
 *
 *     {
 *       "version": 1,
 *       "tokens": [
 *         {"id": "tok_…", "name": "…", "prefix": "sk-…", "hash": "blake2b-256:…", "created_at": "…"}
 *       ]
 *     }
 *
 * A field that is not known may change what a record means, so it is refused. Fields that begin with
 * `x_` are other people's: they mean nothing here, and keep their value.
 */
#ifndef TOKEN_TOKEN_JSON_H
#define TOKEN_TOKEN_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/status.h"
#include "token/token.h"
#include "token/token_set.h"

/* A store without tokens. */
extern const char token_json_empty[];

/* The text, and where the array of tokens stands in it once it was read. */
struct token_json {
    const char *file; /* for messages; borrowed */
    const char *text; /* borrowed */
    size_t size;
    size_t open;  /* just past the array's '[' */
    size_t close; /* at its ']' */
};

/*
 * Is given each token in turn, with its place in the text. It may take the token's contents, leaving
 * `*token` empty; what it leaves is freed. A failure ends the reading.
 */
struct token_json_sink {
    enum status (*take)(void *context, struct token *token, const struct token_place *place,
                        struct error *error);
    void *context;
};

/*
 * Reads the whole text and fills in `open` and `close`. Anything but a store that is understood in
 * full is STATUS_STORE with `file:line: reason`; the sink may have been given tokens before.
 * Memory per token is small and constant, but for a set of the ids and digests seen so far.
 */
MUST_CHECK enum status token_json_read(struct token_json *json, const struct token_json_sink *sink,
                                       struct error *error);

/*
 * Whether the text is in the format of the Python token_manager.py: one object whose fields are named
 * by the tokens and objects themselves, or none.
 */
bool token_json_is_predecessor(const struct token_json *json);

/* Reads into a token set, which the caller clears in any case. */
MUST_CHECK enum status token_json_read_set(struct token_json *json, struct token_set *set,
                                           struct error *error);

/*
 * Appends the text that tells what `set` holds now; `json` and `set` are of one reading. A record on
 * one line for each token that is new or changed; everything else byte for byte.
 */
MUST_CHECK enum status token_json_write(const struct token_json *json, const struct token_set *set,
                                        struct buffer *out, struct error *error);

#endif

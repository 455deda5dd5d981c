/*
 * Text from elsewhere: UTF-8, and how to show it in a message without harm to the terminal or to
 * the secrets that people paste in the wrong place.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define TEXT_QUOTED_SIZE 512

struct text_quoted {
    char text[TEXT_QUOTED_SIZE];
};

/*
 * The length in bytes (1 to 4) of the UTF-8 character at `text`, its code point in `*point`; 0 when
 * it is not well-formed (RFC 3629: overlong forms, surrogates and cut sequences are not).
 */
size_t text_utf8_next(const char *text, size_t size, uint32_t *point);

/* Characters that move the cursor, end a line, reorder what is shown, or are not seen at all. */
bool text_is_control(uint32_t point);

/* Whether it is UTF-8 without any of those: a terminal takes each character for what it is. */
bool text_is_harmless(const char *text, size_t size);

/* White space as people see it: ASCII, no-break, the other Unicode spaces. */
bool text_is_blank(uint32_t point);

/* The length of the longest beginning of at most `limit` bytes that cuts no character. */
size_t text_clip(const char *text, size_t size, size_t limit);

/* True if every byte is a visible ASCII character, 0x21 to 0x7e. */
bool text_is_visible_ascii(const char *text, size_t size);

/*
 * For an argument or a field name in a message: in double quotes, control characters and bytes that
 * are not UTF-8 escaped as \xNN, cut at about 100 characters, and of every run that may be a secret
 * only the beginning. That is 20 or more of the characters that keys are made of, with a digit or
 * both letter cases among them, as every token has. Returns `quoted->text`.
 */
const char *text_quote(struct text_quoted *quoted, const char *text, size_t size);

#define TEXT_SHELL_SIZE 8192

struct text_shell {
    char text[TEXT_SHELL_SIZE];
};

/*
 * The text as one word of a shell, for a command in a message that people paste: as it is where it has
 * nothing but letters, digits and _@%+=:,./- in it, else in single quotes; with characters that are not
 * to be shown raw as $'\NNN', which bash, zsh, ksh and POSIX 2024 read. One that is too long is FILE.
 * Returns `word->text`.
 */
const char *text_shell(struct text_shell *word, const char *text);

/* Whether two words are the same but for the case of ASCII letters, in any locale. */
bool text_equal_nocase(const char *a, const char *b, size_t size);

/* Whether the text is that word, likewise. */
bool text_is_word(const char *text, size_t size, const char *word);

/*
 * Appends text with every byte outside visible ASCII, and % itself, as %XX (RFC 3986, section 2.1):
 * one word, for lines and headers.
 */
void text_percent_encode(struct buffer *out, const char *text, size_t size);

/* The edit distance of two words, for "did you mean"; both under 32 characters, else SIZE_MAX. */
size_t text_distance(const char *a, const char *b);

/* The part of `*text` without ASCII white space around it. */
void text_trim(const char **text, size_t *size);

#endif

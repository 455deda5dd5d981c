/*
 * RFC 8259 and RFC 3629 once more, written another way and from the grammar alone, to hold against
 * the reader that the programs use. Slow and recursive, and never part of a program.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct reference {
    const char *text;
    size_t size;
    size_t depth_limit; /* brackets in brackets */
    size_t at; /* where it stands; at a fault, that is the first byte that cannot be right */
};

/* Whether the text is one JSON value with nothing but white space around it. */
bool reference_accepts(struct reference *r);

/* The line of `at`, from 1. */
size_t reference_line(const struct reference *r);

/* The length of the UTF-8 character at the beginning, 0 if there is none. */
size_t reference_character(const char *text, size_t size);

/* Appends a character, as RFC 3629 tabulates it. */
void reference_append(struct buffer *out, uint32_t point);

/*
 * Appends what a JSON string that was accepted, quotes and all, stands for. False where that is no
 * text: it has a NUL, or half a surrogate pair.
 */
bool reference_decode(const char *string, size_t size, struct buffer *out);

/* What a text is made of, between white space: a bracket, colon or comma, or a whole value. */
enum reference_kind {
    REFERENCE_STRUCTURE,
    REFERENCE_STRING,
    REFERENCE_NUMBER,
    REFERENCE_WORD
};

struct reference_piece {
    enum reference_kind kind;
    size_t at;
    size_t size;
};

/* The piece after this one, in a text that is accepted; false at the end. Begins with all zero. */
bool reference_next(const char *text, size_t size, struct reference_piece *piece);

#endif

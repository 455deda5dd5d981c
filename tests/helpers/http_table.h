/*
 * Tables of requests, as those of tests/data/http_shapes.txt. A line, unless it is empty or begins with #:
 *
 *     ANSWERS | what shape it is | BYTES
 *
 * In BYTES there are the escapes \r \n \t \0 \\ \xNN, and these words in braces:
 *
 *     {KEY}      the header with the credential
 *     {OTHER}    a header with the other credential
 *     {NEXT}     a whole request with the other credential
 *     {GET}      GET /verify, and Host
 *     {POST}     POST /verify, and Host
 *     {T}        the credential itself
 *     {c*N}      the character c, N times
 */
#ifndef HTTP_TABLE_H
#define HTTP_TABLE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

#define ROWS 400
#define LINE_SIZE 8192

struct row {
    char *answers;
    char *name;
    char *bytes;
};

/* Bad and good, from the command line. */
static const char *tokens[2];

static inline void append_header(struct buffer *out, bool good)
{
    buffer_appendf(out, "X-Api-Key: %s\r\n", tokens[good]);
}

static inline void append_word(struct buffer *out, const char *word, size_t size, bool good)
{
    const struct {
        const char *word;
        const char *text; /* or a header with this credential */
        bool good;
    } words[] = {
        {"GET", "GET /verify HTTP/1.1\r\nHost: x\r\n", false},
        {"POST", "POST /verify HTTP/1.1\r\nHost: x\r\n", false},
        {"T", tokens[good], false},
        {"KEY", NULL, good},
        {"OTHER", NULL, !good},
    };

    if (size == 4 && strncmp(word, "NEXT", size) == 0) {
        buffer_append_text(out, words[0].text);
        append_header(out, !good);
        buffer_append_text(out, "\r\n");
        return;
    }
    if (size > 2 && word[1] == '*') {
        for (unsigned long i = strtoul(word + 2, NULL, 10); i > 0; i--) {
            buffer_append(out, word, 1);
        }
        return;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (size == strlen(words[i].word) && strncmp(word, words[i].word, size) == 0) {
            if (words[i].text != NULL) {
                buffer_append_text(out, words[i].text);
            } else {
                append_header(out, words[i].good);
            }
            return;
        }
    }
    (void)fprintf(stderr, "no such word: %.*s\n", (int)size, word);
    exit(2);
}

/* What a backslash and the next characters stand for. Returns how many these are. */
static inline size_t append_escape(struct buffer *out, const char *text)
{
    static const char letters[] = "rnt0\\";
    static const char bytes[] = "\r\n\t\0\\";
    const char *letter = text[0] != '\0' ? strchr(letters, text[0]) : NULL;
    char digits[3] = {0};
    char byte;

    if (letter != NULL) {
        buffer_append(out, bytes + (letter - letters), 1);
        return 1;
    }
    if (text[0] != 'x' || text[1] == '\0' || text[2] == '\0') {
        (void)fprintf(stderr, "no such escape: %s\n", text);
        exit(2);
    }
    memcpy(digits, text + 1, 2);
    byte = (char)strtoul(digits, NULL, 16);
    buffer_append(out, &byte, 1);
    return 3;
}

static inline void expand(struct buffer *out, const char *text, bool good)
{
    out->size = 0;
    while (*text != '\0') {
        const char *end = *text == '{' ? strchr(text, '}') : NULL;

        if (end != NULL) {
            append_word(out, text + 1, (size_t)(end - text - 1), good);
            text = end + 1;
        } else if (*text == '\\') {
            text += 1 + append_escape(out, text + 1);
        } else {
            buffer_append(out, text++, 1);
        }
    }
    if (out->failed) {
        (void)fprintf(stderr, "no memory\n");
        exit(2);
    }
}

/* Reads a table from standard input: the number of its rows, whose `answers` are to be freed. */
static inline size_t read_rows(struct row *rows)
{
    static char line[LINE_SIZE];
    size_t count = 0;

    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *copy;
        char *name;
        char *bytes;

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0') {
            continue;
        }
        name = strstr(line, " | ");
        bytes = name != NULL ? strstr(name + 3, " | ") : NULL;
        copy = bytes != NULL && count < ROWS ? strdup(line) : NULL;
        if (copy == NULL) {
            (void)fprintf(stderr, "no row, or no room for it: %s\n", line);
            exit(2);
        }
        copy[name - line] = '\0';
        copy[bytes - line] = '\0';
        rows[count].answers = copy;
        rows[count].name = copy + (name - line) + 3;
        rows[count++].bytes = copy + (bytes - line) + 3;
    }
    return count;
}

#endif

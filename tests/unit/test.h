/*
 * cmocka needs these before itself.
 */
#ifndef TEST_H
#define TEST_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* In a table of cases: says which row failed. */
#define CHECK_ROW(row, condition)                               \
    do {                                                        \
        if (!(condition)) {                                     \
            fail_msg("row %zu: %s", (size_t)(row), #condition); \
        }                                                       \
    } while (0)

#endif

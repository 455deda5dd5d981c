/*
 * The command line that all programs share: one table of commands drives dispatch, options and help.
 *
 * Data goes to standard output, talk to standard error. A command returns a status and a message;
 * cli_main prints the message and turns the status into the exit code.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct cli_option {
    const char *name; /* without the dashes */
    const char
        *value; /* what --help calls its value; NULL for none; "[=VAR]" for an optional one */
    const char *help;
    bool repeats; /* may be given several times */
};

/* What --color says; never for a program that does not take it. */
enum cli_colour {
    CLI_COLOUR_NEVER,
    CLI_COLOUR_AUTO,
    CLI_COLOUR_ALWAYS,
};

#define CLI_GIVEN_LIMIT 256 /* options in one call */

struct cli_command;

/* A call, taken apart. */
struct cli_arguments {
    const struct cli_command *command; /* NULL when none was named */
    struct {
        const struct cli_option *option;
        const char *value; /* cli_no_value where there is none */
    } given[CLI_GIVEN_LIMIT];
    size_t given_count;
    char **operands; /* the array is owned */
    size_t operand_count;
    char *
        *words; /* copies of all arguments, to NULL, wiped after; NULL where none may be a secret */
    enum cli_colour colour;
};

struct cli_command {
    const char *name;     /* "" for what a program does that has no commands */
    const char *operands; /* for help: "NAME" */
    const char *input;    /* where what people give as operands belongs instead, or NULL */
    const char *summary;  /* one line */
    const char *details;  /* more for its own help, or NULL */
    const char *example;
    const struct cli_option *options;
    size_t option_count;
    size_t operands_least;
    size_t operands_most;
    enum status (*run)(const struct cli_arguments *arguments, struct error *error);
};

struct cli_program {
    const char *name;
    const char *summary;
    const char *example; /* NULL for a program that has no commands: its one has its own */
    const struct cli_command *commands;
    size_t command_count;
    const struct cli_option *options; /* that every command takes */
    size_t option_count;
};

/* Runs a program and returns its exit code. */
int cli_main(const struct cli_program *program, int argc, char **argv);

/* Stands for the value of an option that takes none, or was given without. An empty string. */
extern const char cli_no_value[];

/* The value of an option, the last one given; NULL when it was not given. */
const char *cli_value(const struct cli_arguments *arguments, const char *name);

struct cli_range {
    unsigned long least;
    unsigned long most;
    const char *of; /* " of seconds", or "" */
};

/*
 * The value of an option as a number; `*number` stays as it is when the option was not given. STATUS_USAGE
 * when it is none, or out of range.
 */
MUST_CHECK enum status cli_number(const struct cli_arguments *arguments, const char *name,
                                  const struct cli_range *range, unsigned long *number,
                                  struct error *error);

bool cli_has(const struct cli_arguments *arguments, const char *name);

#endif

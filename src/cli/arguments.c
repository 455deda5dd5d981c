#include "cli/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "token/token_text.h"

#include "base/banned.h"

const char cli_no_value[] = "";

#define NEAR_ENOUGH 2     /* edits between a mistyped word and the one that was meant */
#define BEGINNING_LEAST 3 /* characters of a word that are taken for its beginning */
#define SECRET_LEAST 20   /* from this length on a word may be a secret … */
#define SECRET_SHOWN 14   /* … of which the process's title shows no more */

/* Options come from two tables: the command's own and the program's. */
struct tables {
    const struct cli_program *program;
    const struct cli_command *command; /* NULL before the command is known */
};

static const struct cli_option *find_in(const struct cli_option *options, size_t count,
                                        const char *name, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(options[i].name) == size && memcmp(options[i].name, name, size) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static const struct cli_option *find_option(const struct tables *tables, const char *name,
                                            size_t size)
{
    const struct cli_command *command = tables->command;
    const struct cli_option *found =
        command != NULL ? find_in(command->options, command->option_count, name, size) : NULL;

    return found != NULL
               ? found
               : find_in(tables->program->options, tables->program->option_count, name, size);
}

/* Keeps the nearest of the words seen so far. One that begins so is nearer than by its letters. */
static void consider(const char *typed, const char *word, const char **nearest, size_t *distance)
{
    const size_t size = strlen(typed);
    const bool begins = size >= BEGINNING_LEAST && strncmp(typed, word, size) == 0;
    const size_t d = begins ? 1 : text_distance(typed, word);

    if (d < *distance) {
        *nearest = word;
        *distance = d;
    }
}

static enum status refuse_option(const struct tables *tables, const char *name, size_t size,
                                 struct error *error)
{
    const struct cli_program *program = tables->program;
    const struct cli_command *command = tables->command;
    struct text_quoted quoted;
    char typed[32] = "";
    const char *nearest = NULL;
    size_t distance = NEAR_ENOUGH + 1;

    (void)text_quote(&quoted, name - 2, size + 2); /* with its dashes */
    if (size < sizeof(typed)) {
        memcpy(typed, name, size);
    }
    for (size_t i = 0; command != NULL && i < command->option_count; i++) {
        consider(typed, command->options[i].name, &nearest, &distance);
    }
    for (size_t i = 0; i < program->option_count; i++) {
        consider(typed, program->options[i].name, &nearest, &distance);
    }
    if (nearest != NULL) {
        return error_set(error, STATUS_USAGE, "unknown option %s; did you mean --%s?", quoted.text,
                         nearest);
    }
    return error_set(error, STATUS_USAGE, "unknown option %s; see `%s%s%s --help`", quoted.text,
                     program->name, command != NULL && command->name[0] != '\0' ? " " : "",
                     command != NULL ? command->name : "");
}

static enum status give(struct cli_arguments *arguments, const struct cli_option *option,
                        const char *value, struct error *error)
{
    if (!option->repeats && cli_has(arguments, option->name)) {
        return error_set(error, STATUS_USAGE, "--%s is given twice", option->name);
    }
    if (arguments->given_count == CLI_GIVEN_LIMIT) {
        return error_set(error, STATUS_USAGE, "more than %d options", CLI_GIVEN_LIMIT);
    }
    arguments->given[arguments->given_count].option = option;
    arguments->given[arguments->given_count++].value = value;
    return STATUS_OK;
}

/* Takes the option at argv[*i], and the next argument where that is its value. */
static enum status parse_option(const struct tables *tables, char **argv, int *i,
                                struct cli_arguments *arguments, struct error *error)
{
    const char *name = argv[*i] + 2;
    const char *equals = strchr(name, '=');
    const size_t size = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct cli_option *option = find_option(tables, name, size);

    if (option == NULL) {
        return refuse_option(tables, name, size, error);
    }
    if (option->value == NULL) {
        return equals == NULL ? give(arguments, option, cli_no_value, error)
                              : error_set(error, STATUS_USAGE, "--%s takes no value", option->name);
    }
    if (equals != NULL && equals[1] == '\0') {
        return error_set(error, STATUS_USAGE, "--%s is set to nothing; give it a value: --%s=%s",
                         option->name, option->name, option->value + strspn(option->value, "[="));
    }
    if (equals != NULL) {
        return give(arguments, option, equals + 1, error);
    }
    if (option->value[0] == '[') {
        return give(arguments, option, cli_no_value, error);
    }
    if (argv[*i + 1] == NULL) {
        return error_set(error, STATUS_USAGE, "--%s needs a value: --%s %s", option->name,
                         option->name, option->value);
    }
    *i += 1;
    if (argv[*i][0] == '\0') {
        return error_set(error, STATUS_USAGE, "--%s is set to nothing; give it a value: --%s %s",
                         option->name, option->name, option->value);
    }
    return give(arguments, option, argv[*i], error);
}

static enum status take_operand(struct cli_arguments *arguments, char *operand, struct error *error)
{
    char **operands =
        realloc(arguments->operands, (arguments->operand_count + 1) * sizeof(*operands));

    if (operands == NULL) {
        return error_no_memory(error);
    }
    arguments->operands = operands;
    operands[arguments->operand_count++] = operand;
    return STATUS_OK;
}

static const struct cli_command *find_command(const struct cli_program *program, const char *name)
{
    for (size_t i = 0; i < program->command_count; i++) {
        if (strcmp(program->commands[i].name, name) == 0) {
            return &program->commands[i];
        }
    }
    return NULL;
}

static enum status refuse_command(const struct cli_program *program, const char *name,
                                  struct error *error)
{
    struct text_quoted quoted;
    const char *nearest = NULL;
    size_t distance = NEAR_ENOUGH + 1;

    for (size_t i = 0; i < program->command_count; i++) {
        consider(name, program->commands[i].name, &nearest, &distance);
    }
    consider(name, "help", &nearest, &distance);
    (void)text_quote(&quoted, name, strlen(name));
    if (nearest != NULL) {
        return error_set(error, STATUS_USAGE, "unknown command %s; did you mean %s?", quoted.text,
                         nearest);
    }
    return error_set(error, STATUS_USAGE, "unknown command %s; see `%s --help`", quoted.text,
                     program->name);
}

/* The first option that begins with that letter. */
static const struct cli_option *find_letter(const struct tables *tables, char letter)
{
    const struct cli_program *program = tables->program;
    const struct cli_command *command = tables->command;

    for (size_t i = 0; command != NULL && i < command->option_count; i++) {
        if (command->options[i].name[0] == letter) {
            return &command->options[i];
        }
    }
    for (size_t i = 0; i < program->option_count; i++) {
        if (program->options[i].name[0] == letter) {
            return &program->options[i];
        }
    }
    return NULL;
}

/* Two options have a letter, because everybody tries these; of others the long form is told. */
static enum status parse_short(const struct tables *tables, const char *typed,
                               struct cli_arguments *arguments, struct error *error)
{
    static const struct {
        const char *typed;
        const char *name;
    } rows[] = {{"-h", "help"}, {"-V", "version"}};
    const struct cli_option *likely = typed[2] == '\0' ? find_letter(tables, typed[1]) : NULL;
    struct text_quoted quoted;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(typed, rows[i].typed) == 0) {
            return give(arguments, find_option(tables, rows[i].name, strlen(rows[i].name)),
                        cli_no_value, error);
        }
    }
    (void)text_quote(&quoted, typed, strlen(typed));
    if (likely != NULL) {
        return error_set(error, STATUS_USAGE, "unknown option %s; did you mean --%s?", quoted.text,
                         likely->name);
    }
    return error_set(error, STATUS_USAGE,
                     "unknown option %s; options are written out, and -- ends them", quoted.text);
}

/* `help` in the place of the command, as `help create`, and alone where there are no commands. */
static bool is_help(const struct tables *tables, const struct cli_arguments *arguments,
                    const char *word)
{
    const bool has_commands = tables->command == NULL || tables->command->name[0] != '\0';

    return strcmp(word, "help") == 0 &&
           (has_commands ? tables->command == NULL : arguments->operand_count == 0);
}

static enum status parse(struct tables *tables, char **argv, struct cli_arguments *arguments,
                         struct error *error)
{
    bool options_end = false;
    enum status status = STATUS_OK;

    for (int i = 1; argv[0] != NULL && argv[i] != NULL && status == STATUS_OK; i++) {
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (!options_end && strncmp(argv[i], "--", 2) == 0) {
            status = parse_option(tables, argv, &i, arguments, error);
        } else if (!options_end && argv[i][0] == '-' && argv[i][1] != '\0') {
            status = parse_short(tables, argv[i], arguments, error);
        } else if (is_help(tables, arguments, argv[i])) {
            status = give(arguments, find_option(tables, "help", 4), cli_no_value, error);
        } else if (tables->command == NULL) {
            tables->command = find_command(tables->program, argv[i]);
            if (tables->command == NULL) {
                status = refuse_command(tables->program, argv[i], error);
            }
        } else {
            status = take_operand(arguments, argv[i], error);
        }
    }
    return status;
}

static enum status read_colour(const struct tables *tables, struct cli_arguments *arguments,
                               struct error *error)
{
    static const struct {
        const char *word;
        enum cli_colour colour;
    } rows[] = {
        {"auto", CLI_COLOUR_AUTO}, {"always", CLI_COLOUR_ALWAYS}, {"never", CLI_COLOUR_NEVER}};
    const char *word = cli_value(arguments, "color");
    struct text_quoted quoted;

    arguments->colour =
        find_option(tables, "color", strlen("color")) != NULL ? CLI_COLOUR_AUTO : CLI_COLOUR_NEVER;
    for (size_t i = 0; word != NULL && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(word, rows[i].word) == 0) {
            arguments->colour = rows[i].colour;
            return STATUS_OK;
        }
    }
    return word == NULL
               ? STATUS_OK
               : error_set(error, STATUS_USAGE, "--color must be auto, always or never, not %s",
                           text_quote(&quoted, word, strlen(word)));
}

/*
 * What `ps` is not to show whole: an operand that is long enough, whatever holds a whole token, and all
 * that is long in a call that comes to nothing. Tells whether there is any.
 */
static bool hide_secrets(const struct cli_arguments *arguments, bool has_failed, char **words,
                         char **shown)
{
    size_t operand = 0;
    bool found = false;

    for (int i = 1; words[0] != NULL && words[i] != NULL; i++) {
        const size_t size = strlen(words[i]);
        const bool is_operand =
            operand < arguments->operand_count && arguments->operands[operand] == words[i];

        operand += is_operand;
        if (size >= SECRET_LEAST &&
            (has_failed || is_operand || token_text_has_whole(words[i], size))) {
            found = true;
            if (shown != NULL) {
                secret_wipe(shown[i] + SECRET_SHOWN, size - SECRET_SHOWN);
            }
        }
    }
    return found;
}

/* Zeroed memory: the last word is NULL. */
static enum status copy_words(struct cli_arguments *arguments, int argc, char **argv,
                              struct error *error)
{
    arguments->words = calloc((size_t)argc + 1, sizeof(*arguments->words));
    for (int i = 0; arguments->words != NULL && i < argc; i++) {
        arguments->words[i] = strdup(argv[i]);
        if (arguments->words[i] == NULL) {
            return error_no_memory(error);
        }
    }
    return arguments->words != NULL ? STATUS_OK : error_no_memory(error);
}

/* Goes on with copies, of which `ps` knows nothing, where there is something to hide. */
static enum status part_from_title(struct tables *tables, int argc, char **argv,
                                   struct cli_arguments *arguments, struct error *error)
{
    enum status status;

    if (!hide_secrets(arguments, false, argv, NULL)) {
        return STATUS_OK;
    }
    status = copy_words(arguments, argc, argv, error);
    if (status == STATUS_OK) {
        tables->command = find_command(tables->program, "");
        arguments->given_count = 0;
        arguments->operand_count = 0;
        status = parse(tables, arguments->words, arguments, error);
    }
    if (status == STATUS_OK) {
        (void)hide_secrets(arguments, false, arguments->words, argv);
    }
    return status;
}

/* The message about a wrong option is to be without colour, too, if a later one says so. */
static bool asks_for_no_colour(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--color=never") == 0 ||
            (strcmp(argv[i - 1], "--color") == 0 && strcmp(argv[i], "never") == 0)) {
            return true;
        }
    }
    return false;
}

enum status arguments_parse(const struct cli_program *program, int argc, char **argv,
                            struct cli_arguments *arguments, struct error *error)
{
    struct tables tables = {.program = program, .command = find_command(program, "")};
    enum status status = parse(&tables, argv, arguments, error);
    struct error ignored;
    enum status colour;

    if (status == STATUS_OK) {
        status = part_from_title(&tables, argc, argv, arguments, error);
    }
    colour = read_colour(&tables, arguments, status == STATUS_OK ? error : &ignored);
    status = status == STATUS_OK ? colour : status;
    if (status != STATUS_OK && asks_for_no_colour(argc, argv)) {
        arguments->colour = CLI_COLOUR_NEVER;
    }
    if (status != STATUS_OK) {
        (void)hide_secrets(arguments, true, argv, argv);
    }
    arguments->command = tables.command;
    return status;
}

enum status arguments_check_operands(const struct cli_program *program,
                                     const struct cli_arguments *arguments, struct error *error)
{
    const struct cli_command *command = arguments->command;
    struct text_quoted quoted;

    if (arguments->operand_count < command->operands_least) {
        return error_set(error, STATUS_USAGE, "%s is missing: %s %s %s", command->operands,
                         program->name, command->name, command->operands);
    }
    if (arguments->operand_count > command->operands_most) {
        const char *extra = arguments->operands[command->operands_most];

        if (command->operands_most == 0) {
            return error_set(error, STATUS_USAGE, "%s takes no arguments, but got %s%s%s",
                             command->name[0] != '\0' ? command->name : program->name,
                             text_quote(&quoted, extra, strlen(extra)),
                             command->input != NULL ? "; " : "",
                             command->input != NULL ? command->input : "");
        }
        return error_set(error, STATUS_USAGE,
                         "one argument too many: %s (quote a name that contains spaces)",
                         text_quote(&quoted, extra, strlen(extra)));
    }
    return STATUS_OK;
}

void arguments_clear(struct cli_arguments *arguments)
{
    for (char **word = arguments->words; word != NULL && *word != NULL; word++) {
        secret_wipe(*word, strlen(*word));
        free(*word);
    }
    free(arguments->words);
    free(arguments->operands);
}

const char *cli_value(const struct cli_arguments *arguments, const char *name)
{
    for (size_t i = arguments->given_count; i > 0; i--) {
        if (strcmp(arguments->given[i - 1].option->name, name) == 0) {
            return arguments->given[i - 1].value;
        }
    }
    return NULL;
}

enum status cli_number(const struct cli_arguments *arguments, const char *name,
                       const struct cli_range *range, unsigned long *number, struct error *error)
{
    const char *value = cli_value(arguments, name);
    struct text_quoted quoted;
    char *end;

    if (value == NULL) {
        return STATUS_OK;
    }
    errno = 0;
    *number = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || *number < range->least ||
        *number > range->most) {
        return error_set(error, STATUS_USAGE,
                         "--%s must be a whole number%s from %lu to %lu, not %s", name, range->of,
                         range->least, range->most, text_quote(&quoted, value, strlen(value)));
    }
    return STATUS_OK;
}

bool cli_has(const struct cli_arguments *arguments, const char *name)
{
    return cli_value(arguments, name) != NULL;
}

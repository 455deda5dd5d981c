#include "cli/help.h"

#include <string.h>

#include "base/banned.h"

#define COLUMN 27 /* where explanations begin */

static void print_option(const struct cli_option *option, FILE *out)
{
    const char *value = option->value != NULL ? option->value : "";
    const char *blank = value[0] != '\0' && value[0] != '[' ? " " : "";
    const int width = fprintf(out, "  --%s%s%s", option->name, blank, value);

    (void)fprintf(out, "%*s%s\n", width < COLUMN - 1 ? COLUMN - width : 2, "", option->help);
}

static void print_options(const struct cli_option *options, size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++) {
        print_option(&options[i], out);
    }
}

static void print_command_help(const struct cli_program *program, const struct cli_command *command,
                               FILE *out)
{
    (void)fprintf(out, "Usage: %s%s%s%s%s [options]\n\n%s\n", program->name,
                  command->name[0] != '\0' ? " " : "", command->name,
                  command->operands[0] != '\0' ? " " : "", command->operands, command->summary);
    if (command->details != NULL) {
        (void)fprintf(out, "%s\n", command->details);
    }
    (void)fprintf(out, "\nOptions:\n");
    print_options(command->options, command->option_count, out);
    print_options(program->options, program->option_count, out);
    (void)fprintf(out, "\nExample:\n  %s\n", command->example);
}

static void print_commands(const struct cli_program *program, FILE *out)
{
    for (size_t i = 0; i < program->command_count; i++) {
        const struct cli_command *c = &program->commands[i];
        const int width =
            fprintf(out, "  %s%s%s", c->name, c->operands[0] != '\0' ? " " : "", c->operands);

        (void)fprintf(out, "%*s%s\n", width < COLUMN - 1 ? COLUMN - width : 2, "", c->summary);
    }
}

void help_print_short(const struct cli_program *program, FILE *out)
{
    (void)fprintf(out, "Usage: %s COMMAND [options]\n%s\n\nCommands:\n", program->name,
                  program->summary);
    print_commands(program, out);
    (void)fprintf(out, "\nBegin with:\n  %s\n\n", program->example);
}

void help_print(const struct cli_program *program, const struct cli_command *command, FILE *out)
{
    if (command != NULL) {
        print_command_help(program, command, out);
        return;
    }
    (void)fprintf(out,
                  "Usage: %s COMMAND [options]\n%s\n\n"
                  "Commands (`%s COMMAND --help` tells more):\n",
                  program->name, program->summary, program->name);
    print_commands(program, out);
    (void)fprintf(out, "\nOptions of every command:\n");
    print_options(program->options, program->option_count, out);
    (void)fprintf(out, "\nExample: %s\n", program->example);
}

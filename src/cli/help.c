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

void help_print(const struct cli_program *program, const struct cli_command *command, FILE *out)
{
    if (command != NULL) {
        print_command_help(program, command, out);
        return;
    }
    (void)fprintf(out, "Usage: %s COMMAND [options]\n\n%s\n\nCommands:\n", program->name,
                  program->summary);
    for (size_t i = 0; i < program->command_count; i++) {
        const struct cli_command *c = &program->commands[i];
        const int width = fprintf(out, "  %s %s", c->name, c->operands);

        (void)fprintf(out, "%*s%s\n", width < COLUMN - 1 ? COLUMN - width : 2, "", c->summary);
    }
    (void)fprintf(out, "\nOptions of every command:\n");
    print_options(program->options, program->option_count, out);
    (void)fprintf(out, "\nSee `%s COMMAND --help` for one of them.\n", program->name);
}

#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/version.h"
#include "cli/arguments.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/terminal.h"

#include "base/banned.h"

static enum status run(const struct cli_program *program, int argc, char **argv,
                       struct cli_arguments *arguments, struct error *error)
{
    enum status status = arguments_parse(program, argc, argv, arguments, error);

    if (status != STATUS_OK) {
        return status;
    }
    if (cli_has(arguments, "help")) {
        help_print(program, arguments->command, stdout);
        return STATUS_OK;
    }
    if (cli_has(arguments, "version")) {
        (void)printf("%s %s\n", program->name, TOKEN_MANAGER_VERSION);
        return STATUS_OK;
    }
    if (arguments->command == NULL) {
        help_print_short(program, stderr);
        return error_set(error, STATUS_USAGE, "a command is missing; see `%s --help`",
                         program->name);
    }
    status = arguments_check_operands(program, arguments, error);
    if (status == STATUS_OK) {
        status = secret_init(error);
    }
    return status == STATUS_OK ? arguments->command->run(arguments, error) : status;
}

/* The name of the program stands out, so that an error is not taken for what else is on the screen. */
static void tell(const struct cli_program *program, const struct cli_arguments *arguments,
                 const struct error *error)
{
    const struct terminal terminal = terminal_look(STDERR_FILENO, arguments->colour);

    (void)fprintf(stderr, "%s%s:%s ", terminal_begin(&terminal, TERMINAL_RED), program->name,
                  terminal_end(&terminal));
    output_talk(error->text, strlen(error->text));
    (void)fputc('\n', stderr);
}

/*
 * A closed standard descriptor would be given to the next file that is opened, and output meant for
 * a person would land in it. What takes its place here fails when it is used.
 */
static void occupy_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

int cli_main(const struct cli_program *program, int argc, char **argv)
{
    struct cli_arguments arguments = {.given_count = 0};
    struct error error = {""};
    enum status status;

    occupy_standard_descriptors();
    secret_no_core_dumps();
    (void)signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error like others, and told … */
    (void)signal(SIGXFSZ, SIG_IGN); /* … and so is a limit on the size of files */
    (void)setlocale(LC_CTYPE, "");  /* only to know whether the terminal speaks UTF-8 */
    status = run(program, argc, argv, &arguments, &error);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == STATUS_OK) {
        status = output_failed(&error);
    }
    if (status != STATUS_OK && error.text[0] != '\0') {
        tell(program, &arguments, &error);
    }
    arguments_clear(&arguments);
    return status_exit_code(status);
}

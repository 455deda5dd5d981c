#define _XOPEN_SOURCE 700 /* NOLINT: for pseudo-terminals */

#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/progress.h"

/* Standard error is a terminal while a test runs; what it shows is read from the other end. */
static int terminal = -1;
static int stderr_before = -1;

static int begin(void **state)
{
    int other_end;

    (void)state;
    terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) {
        return -1;
    }
    other_end = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC); /* NOLINT: one thread */
    stderr_before = dup(STDERR_FILENO);
    if (other_end < 0 || stderr_before < 0 || dup2(other_end, STDERR_FILENO) < 0) {
        return -1;
    }
    (void)close(other_end);
    return fcntl(terminal, F_SETFL, O_NONBLOCK);
}

static int end(void **state)
{
    (void)state;
    (void)dup2(stderr_before, STDERR_FILENO);
    (void)close(stderr_before);
    return close(terminal);
}

/* What was shown since the last look. */
static const char *shown(void)
{
    static char text[256];
    const ssize_t size = read(terminal, text, sizeof(text) - 1);

    text[size > 0 ? size : 0] = '\0';
    return text;
}

static void nothing_is_shown_within_the_first_second(void **state)
{
    struct progress progress;

    (void)state;
    progress_begin(&progress, "keys", 2000);
    progress.started += 1000000; /* whatever this machine is doing meanwhile */
    for (size_t i = 1; i <= 2000; i++) {
        progress_step(&progress, i);
    }
    progress_end(&progress);
    assert_string_equal(shown(), "");
}

static void after_a_second_it_is_told_and_taken_away_in_the_end(void **state)
{
    struct progress progress;

    (void)state;
    progress_begin(&progress, "keys", 2000);
    progress.started -= 1001;
    progress_step(&progress, 1024);
    assert_string_equal(shown(), "\r1024 of 2000 keys");
    progress_end(&progress);
    assert_string_equal(shown(), "\r                 \r");
}

static void a_terminal_without_room_for_the_line_is_spared(void **state)
{
    static const struct {
        unsigned short columns;
        const char *line;
    } rows[] = {{17, ""}, {18, "\r1024 of 2000 keys"}, {200, "\r1024 of 2000 keys"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct winsize size = {.ws_row = 24, .ws_col = rows[i].columns};
        struct progress progress;

        assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
        progress_begin(&progress, "keys", 2000);
        progress.started -= 1001;
        progress_step(&progress, 1024);
        assert_string_equal(shown(), rows[i].line);
        progress_step(&progress, 1536);
        assert_string_equal(shown(), ""); /* so soon */
        progress.next = 0;
        progress_step(&progress, 1536);
        CHECK_ROW(i, (strcmp(shown(), "") == 0) == (rows[i].line[0] == '\0'));
        progress_end(&progress);
        (void)shown();
    }
}

static void what_is_no_terminal_is_spared(void **state)
{
    struct progress progress;
    int pipe_ends[2];
    char byte;

    (void)state;
    assert_int_equal(pipe(pipe_ends), 0);
    assert_true(dup2(pipe_ends[1], STDERR_FILENO) >= 0);
    progress_begin(&progress, "keys", 2000);
    progress.started -= 1001;
    progress_step(&progress, 1024);
    progress_end(&progress);
    (void)close(pipe_ends[1]);
    (void)dup2(stderr_before, STDERR_FILENO);
    assert_int_equal(read(pipe_ends[0], &byte, 1), 0);
    (void)close(pipe_ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_shown_within_the_first_second, begin, end),
        cmocka_unit_test_setup_teardown(after_a_second_it_is_told_and_taken_away_in_the_end, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_terminal_without_room_for_the_line_is_spared, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_terminal_is_spared, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/verifier_options.h"
#include "token_verifier/commands.h"
#include "token_verifier/git_tracked.h"
#include "verify/verifier.h"

#include "base/banned.h"

#define KEY_LENGTH_LEAST 16
#define WARNING_LIMIT 16

/* What is wrong or unwise, each with its remedy. */
struct warnings {
    struct buffer texts; /* one after the other, each with a final NUL */
    size_t count;
};

/* The first warning, and then the next after each; as many as `count` says. */
static const char *next_warning(const struct warnings *warnings, const char *before)
{
    return before == NULL ? warnings->texts.bytes : before + strlen(before) + 1;
}

/* To be called after what the warning says was appended to the texts. */
static void end_warning(struct warnings *warnings)
{
    buffer_append(&warnings->texts, "", 1);
    warnings->count++;
}

/* What git knows it by: its own name, or that of what it links to. NULL if it does not. */
static char *find_tracked(const char *path)
{
    struct error ignored;
    char *resolved = NULL;

    if (git_tracks(path)) {
        return strdup(path);
    }
    if (file_resolve(path, &resolved, &ignored) == STATUS_OK && git_tracks(resolved)) {
        return resolved;
    }
    free(resolved);
    return NULL;
}

/* A command of which the last word is a path, behind "; ". */
static void append_command(struct buffer *texts, const char *command, const char *path)
{
    struct text_shell word;

    buffer_appendf(texts, "; `%s %s`", command, text_shell(&word, path));
}

/* Git takes a path for one of the repository that it runs in. */
static void warn_if_tracked(const char *path, const char *warning, struct warnings *warnings)
{
    char *tracked = find_tracked(path);
    char *slash = tracked != NULL ? strrchr(tracked, '/') : NULL;
    struct text_shell folder;
    struct text_shell name;

    if (slash != NULL) {
        (void)text_shell(&name, slash + 1);
        slash[slash == tracked ? 1 : 0] = '\0';
        buffer_appendf(&warnings->texts, "%s, and `git -C %s rm --cached %s`", warning,
                       text_shell(&folder, tracked), name.text);
        end_warning(warnings);
    }
    free(tracked);
}

static void examine_file(const struct verifier_report *report, struct warnings *warnings)
{
    const char *path = report->settings->path;
    struct buffer *texts = &warnings->texts;
    struct text_shell word;

    if (!report->has_stat) {
        return;
    }
    if ((report->file.st_mode & S_IROTH) != 0) {
        buffer_append_text(texts, "every user of this machine can read the token file");
        append_command(texts, "chmod o-rwx", path);
        end_warning(warnings);
    }
    if ((report->file.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        buffer_append_text(texts, "users other than its owner can write the token file");
        append_command(texts, "chmod go-w", path);
        end_warning(warnings);
    }
    if (report->file.st_nlink > 1) {
        buffer_appendf(
            texts,
            "the token file has other names (hard links), which changes would not reach; "
            "remove or copy those that `find / -xdev -samefile %s` shows",
            text_shell(&word, path));
        end_warning(warnings);
    }
    warn_if_tracked(path, "git tracks the token file; name it in .gitignore", warnings);
}

/* Whether the variables file has a key in it, be it the one that counts or not. */
static bool has_key(const struct settings *settings)
{
    bool found = false;

    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++) {
        found = found ||
                (settings->keys[i].source == SETTINGS_ENV_FILE && settings->keys[i].length > 0);
    }
    return found;
}

static void examine_env_file(const struct verifier_report *report, struct warnings *warnings)
{
    const char *path = report->settings->env_file;
    struct stat found;

    if (path != NULL) {
        if (has_key(report->settings) && stat(path, &found) == 0 &&
            (found.st_mode & S_IROTH) != 0) {
            buffer_append_text(&warnings->texts,
                               "every user of this machine can read the variables file, and the "
                               "key in it");
            append_command(&warnings->texts, "chmod o-rwx", path);
            end_warning(warnings);
        }
        warn_if_tracked(
            path, "git tracks the variables file; change the keys in it, name it in .gitignore",
            warnings);
    }
}

/* Of the key that counts. */
static void examine_key(const struct verifier_report *report, const struct settings_key *key,
                        struct warnings *warnings)
{
    struct buffer *texts = &warnings->texts;

    if (!key->usable) {
        buffer_appendf(texts,
                       "the key in %s can never be sent: it has blanks or other than visible ASCII "
                       "characters in it, or more than 512; choose another",
                       key->variable);
        end_warning(warnings);
    } else if (key->length < KEY_LENGTH_LEAST) {
        buffer_appendf(texts,
                       "the key in %s has only %zu characters and can be guessed; take one from "
                       "`token_manager create`",
                       key->variable, key->length);
        end_warning(warnings);
    }
    if (report->key_is_known && report->key_status != TOKEN_ACTIVE) {
        buffer_appendf(
            texts,
            "the key in %s is a token of the file that is %s, and is refused; put another "
            "there, or unset it",
            key->variable, token_status_text(report->key_status));
        end_warning(warnings);
    }
}

static void examine_keys(const struct verifier_report *report, struct warnings *warnings)
{
    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++) {
        const struct settings_key *key = &report->settings->keys[i];

        if (key->is_set && !key->is_shadowed && key->length == 0) {
            buffer_appendf(&warnings->texts,
                           "%s is set to nothing, which is no key; give it one, or unset it",
                           key->variable);
            end_warning(warnings);
        }
    }
    if (report->settings->key != NULL) {
        examine_key(report, report->settings->key, warnings);
    }
}

static void examine_clock(const struct verifier_report *report, int64_t now,
                          struct warnings *warnings)
{
    char newest[TIME_TEXT_SIZE];

    if (report->newest != TIME_NONE && report->newest > now) {
        time_format(report->newest, newest);
        buffer_appendf(&warnings->texts,
                       "the clock of this machine is behind: the token file tells of %s; set the "
                       "clock, or tokens expire too late",
                       newest);
        end_warning(warnings);
    }
}

static const char *source_text(enum settings_source source)
{
    static const char *const texts[] = {
        [SETTINGS_UNSET] = "default",
        [SETTINGS_OPTION] = "option",
        [SETTINGS_ENVIRONMENT] = "environment",
        [SETTINGS_ENV_FILE] = ".env",
    };

    return texts[source];
}

static const char *mode_explanation(const struct verifier_report *report)
{
    static const char *const texts[] = {
        [TOKEN_VERIFIER_MODE_UNAVAILABLE] = "NOBODY IS ACCEPTED",
        [TOKEN_VERIFIER_MODE_OPEN] = "AUTHENTICATION IS OFF: EVERYBODY IS ACCEPTED",
        [TOKEN_VERIFIER_MODE_ENVIRONMENT] = "only the environment key is accepted",
        [TOKEN_VERIFIER_MODE_FILE] = "the tokens of the file are accepted",
        [TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT] =
            "the tokens of the file and the environment key are accepted",
    };

    if (report->mode == TOKEN_VERIFIER_MODE_ENVIRONMENT && report->settings->key == NULL) {
        return "NOBODY IS ACCEPTED: there is no token file, and the key is set to nothing";
    }
    return texts[report->mode];
}

/* Whether what the mode lets in is what a careful owner wants. */
static bool is_sound(const struct verifier_report *report)
{
    return report->mode == TOKEN_VERIFIER_MODE_FILE ||
           report->mode == TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT ||
           (report->mode == TOKEN_VERIFIER_MODE_ENVIRONMENT && report->settings->key != NULL);
}

static void print_mode(const struct verifier_report *report, const struct terminal *terminal)
{
    const bool sound = is_sound(report);

    (void)printf(
        "Mode: %s%s%s (%s)%s\n", terminal_begin(terminal, sound ? TERMINAL_GREEN : TERMINAL_RED),
        terminal->marks ? (sound ? TERMINAL_CHECK : TERMINAL_CROSS) : "",
        token_verifier_mode_text(report->mode), mode_explanation(report), terminal_end(terminal));
}

/* "Warning: …", the word in a colour. */
static void print_remark(const struct terminal *terminal, const char *colour, const char *word,
                         const char *text)
{
    (void)printf("%s%s:%s ", terminal_begin(terminal, colour), word, terminal_end(terminal));
    output_show("%s\n", text);
}

static void print_for_people(const struct verifier_report *report, const struct warnings *warnings,
                             const struct terminal *terminal)
{
    const struct settings *settings = report->settings;
    const char *warning = NULL;

    print_mode(report, terminal);
    output_show("Token file: %s", settings->path);
    if (report->is_readable) {
        (void)printf(" (%zu active, %zu revoked, %zu expired)\n", report->active, report->revoked,
                     report->expired);
    } else {
        (void)printf(" (%s)\n", report->error.text[0] != '\0' ? "not usable" : "not there");
    }
    (void)printf("Environment key: %s%s%s\n",
                 settings->key != NULL ? settings->key->variable : "none",
                 settings->key != NULL ? ", from " : "",
                 settings->key != NULL ? source_text(settings->key->source) : "");
    output_show("Variables file: %s\n",
                settings->env_file != NULL ? settings->env_file : "none was read");
    if (report->error.text[0] != '\0') {
        print_remark(terminal, TERMINAL_RED, "Error", report->error.text);
    }
    for (size_t i = 0; i < warnings->count; i++) {
        warning = next_warning(warnings, warning);
        print_remark(terminal, TERMINAL_BOLD, "Warning", warning);
    }
}

static enum status print_json(const struct verifier_report *report, const struct warnings *warnings,
                              struct error *error)
{
    const struct settings *settings = report->settings;
    const struct settings_key *key = settings->key;
    const char *texts[WARNING_LIMIT];
    const char *warning = NULL;
    struct buffer out = {0};

    for (size_t i = 0; i < warnings->count && i < WARNING_LIMIT; i++) {
        warning = next_warning(warnings, warning);
        texts[i] = warning;
    }
    buffer_append_text(&out, "{");
    json_write_text(&out, "mode", token_verifier_mode_text(report->mode));
    json_write_text(&out, "file", settings->path);
    json_write_text(&out, "file_from", source_text(settings->path_source));
    json_write_flag(&out, "readable", report->is_readable);
    json_write_count(&out, "active", report->active);
    json_write_count(&out, "revoked", report->revoked);
    json_write_count(&out, "expired", report->expired);
    json_write_text(&out, "environment_key", key != NULL ? key->variable : NULL);
    json_write_text(&out, "environment_key_from", key != NULL ? source_text(key->source) : NULL);
    json_write_text(&out, "env_file", settings->env_file);
    json_write_text(&out, "error", report->error.text[0] != '\0' ? report->error.text : NULL);
    json_write_list(&out, "warnings", texts, warnings->count);
    buffer_append_text(&out, "}\n");
    return output_print(&out, error);
}

static enum status report_status(const struct verifier_report *report,
                                 const struct warnings *warnings)
{
    if (report->mode == TOKEN_VERIFIER_MODE_UNAVAILABLE) {
        return STATUS_STORE;
    }
    return warnings->count > 0 ? STATUS_FAILED : STATUS_OK;
}

enum status status_run(const struct cli_arguments *arguments, struct error *error)
{
    const struct token_verifier_options options = verifier_options(arguments);
    const int64_t now = (int64_t)time(NULL);
    struct warnings warnings = {.count = 0};
    struct token_verifier *verifier;
    struct verifier_report report;
    enum status status = verifier_open(&verifier, &options, error);

    if (status != STATUS_OK) {
        return status;
    }
    verifier_report(verifier, now, &report);
    examine_file(&report, &warnings);
    examine_env_file(&report, &warnings);
    examine_keys(&report, &warnings);
    examine_clock(&report, now, &warnings);
    if (warnings.texts.failed) {
        status = error_no_memory(error);
    } else if (cli_has(arguments, "json")) {
        status = print_json(&report, &warnings, error);
        if (report.mode == TOKEN_VERIFIER_MODE_OPEN) {
            (void)fprintf(stderr, "%s\n", mode_explanation(&report)); /* in capitals */
        }
    } else {
        const struct terminal terminal = terminal_look(STDOUT_FILENO, arguments->colour);

        print_for_people(&report, &warnings, &terminal);
    }
    if (status == STATUS_OK) {
        status = report_status(&report, &warnings);
    }
    buffer_clear(&warnings.texts);
    token_verifier_close(verifier);
    return status;
}

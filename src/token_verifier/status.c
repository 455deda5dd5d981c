#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "token_verifier/commands.h"
#include "token_verifier/git_tracked.h"
#include "verify/verifier.h"

#include "base/banned.h"

#define KEY_LENGTH_LEAST 16
#define WARNING_LIMIT 16
#define WARNING_SIZE 640

/* What is wrong or unwise, each with its remedy. */
struct warnings {
    char texts[WARNING_LIMIT][WARNING_SIZE];
    size_t count;
};

static void warn(struct warnings *warnings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void warn(struct warnings *warnings, const char *format, ...)
{
    va_list args;

    if (warnings->count < WARNING_LIMIT) {
        va_start(args, format);
        (void)vsnprintf(warnings->texts[warnings->count++], WARNING_SIZE, format, args);
        va_end(args);
    }
}

static void examine_file(const struct verifier_report *report, struct warnings *warnings)
{
    const char *path = report->settings->path;

    if (!report->file_exists) {
        return;
    }
    if ((report->file.st_mode & S_IROTH) != 0) {
        warn(warnings, "%s can be read by every user of this machine; chmod o-rwx %s", path, path);
    }
    if ((report->file.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        warn(warnings, "%s can be written by others than its owner; chmod go-w %s", path, path);
    }
    if (git_tracks(path)) {
        warn(warnings, "%s is tracked by git; git rm --cached it, and name it in .gitignore", path);
    }
}

static void examine_env_file(const struct verifier_report *report, struct warnings *warnings)
{
    const char *path = report->settings->env_file;

    if (path != NULL && git_tracks(path)) {
        warn(warnings,
             "%s is tracked by git; git rm --cached it, name it in .gitignore, and change the keys "
             "in it",
             path);
    }
}

static void examine_keys(const struct verifier_report *report, struct warnings *warnings)
{
    const struct settings_key *key = report->settings->key;

    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++) {
        const struct settings_key *each = &report->settings->keys[i];

        if (each->source != SETTINGS_UNSET && each->length == 0) {
            warn(warnings, "%s is set to nothing, which is no key; give it one, or unset it",
                 each->variable);
        }
    }
    if (key == NULL) {
        return;
    }
    if (!key->usable) {
        warn(warnings,
             "the key in %s can never be sent: it has blanks or other than visible ASCII "
             "characters in it, or more than 512; choose another",
             key->variable);
    } else if (key->length < KEY_LENGTH_LEAST) {
        warn(warnings,
             "the key in %s has only %zu characters and can be guessed; take one from: "
             "token_manager create NAME",
             key->variable, key->length);
    }
    if (report->key_is_revoked) {
        warn(warnings,
             "the key in %s is a revoked token, and is refused; put another there, or unset it",
             key->variable);
    }
}

static void examine_clock(const struct verifier_report *report, int64_t now,
                          struct warnings *warnings)
{
    char newest[TIME_TEXT_SIZE];

    if (report->newest != TIME_NONE && report->newest > now) {
        time_format(report->newest, newest);
        warn(warnings,
             "the clock of this machine is behind: the token file tells of %s; set the clock, or "
             "tokens expire too late",
             newest);
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

static void print_for_people(const struct verifier_report *report, const struct warnings *warnings)
{
    const struct settings *settings = report->settings;

    (void)printf("Mode: %s (%s)\n", token_verifier_mode_text(report->mode),
                 mode_explanation(report));
    (void)printf("Token file: %s", settings->path);
    if (report->file_exists) {
        (void)printf(" (%zu active, %zu revoked, %zu expired)\n", report->active, report->revoked,
                     report->expired);
    } else {
        (void)printf(" (%s)\n", report->error.text[0] != '\0' ? "not usable" : "not there");
    }
    (void)printf("Environment key: %s%s%s\n",
                 settings->key != NULL ? settings->key->variable : "none",
                 settings->key != NULL ? ", from " : "",
                 settings->key != NULL ? source_text(settings->key->source) : "");
    (void)printf("Variables file: %s\n",
                 settings->env_file != NULL ? settings->env_file : "none was read");
    if (report->error.text[0] != '\0') {
        (void)printf("Error: %s\n", report->error.text);
    }
    for (size_t i = 0; i < warnings->count; i++) {
        (void)printf("Warning: %s\n", warnings->texts[i]);
    }
}

static void print_json(const struct verifier_report *report, const struct warnings *warnings)
{
    const struct settings *settings = report->settings;
    const struct settings_key *key = settings->key;
    const char *error = report->error.text[0] != '\0' ? report->error.text : NULL;
    struct buffer out = {0};

    buffer_append_text(&out, "{");
    json_write_member(&out, "mode", token_verifier_mode_text(report->mode));
    buffer_append_text(&out, ", ");
    json_write_member(&out, "file", settings->path);
    buffer_append_text(&out, ", ");
    json_write_member(&out, "file_from", source_text(settings->path_source));
    buffer_appendf(
        &out, ", \"readable\": %s, \"active\": %zu, \"revoked\": %zu, \"expired\": %zu, ",
        report->file_exists ? "true" : "false", report->active, report->revoked, report->expired);
    json_write_member(&out, "environment_key", key != NULL ? key->variable : NULL);
    buffer_append_text(&out, ", ");
    json_write_member(&out, "environment_key_from", key != NULL ? source_text(key->source) : NULL);
    buffer_append_text(&out, ", ");
    json_write_member(&out, "env_file", settings->env_file);
    buffer_append_text(&out, ", ");
    json_write_member(&out, "error", error);
    buffer_append_text(&out, ", \"warnings\": [");
    for (size_t i = 0; i < warnings->count; i++) {
        buffer_append_text(&out, i > 0 ? ", " : "");
        json_write_string(&out, warnings->texts[i], strlen(warnings->texts[i]));
    }
    buffer_append_text(&out, "]}\n");
    (void)fwrite(out.bytes, 1, out.size, stdout);
    buffer_clear(&out);
}

enum status status_run(const struct cli_arguments *arguments, struct error *error)
{
    const struct token_verifier_options options = verifier_options(arguments);
    const int64_t now = (int64_t)time(NULL);
    struct token_verifier *verifier;
    struct verifier_report report;
    struct warnings warnings = {.count = 0};
    enum status status = verifier_open(&verifier, &options, error);

    if (status != STATUS_OK) {
        return status;
    }
    verifier_report(verifier, now, &report);
    examine_file(&report, &warnings);
    examine_env_file(&report, &warnings);
    examine_keys(&report, &warnings);
    examine_clock(&report, now, &warnings);
    if (cli_has(arguments, "json")) {
        print_json(&report, &warnings);
    } else {
        print_for_people(&report, &warnings);
    }
    if (report.mode == TOKEN_VERIFIER_MODE_UNAVAILABLE) {
        status = STATUS_STORE;
    } else if (warnings.count > 0) {
        status = STATUS_FAILED;
    }
    token_verifier_close(verifier);
    return status;
}

#include "token_manager/choice.h"

#include <stdlib.h>

#include "base/banned.h"

enum status choice_read(struct choice *choice, const struct cli_arguments *arguments, int64_t now,
                        struct error *error)
{
    const struct cli_command *command = arguments->command;
    enum status status;

    *choice = (struct choice){.dry_run = cli_has(arguments, "dry-run")};
    status = criteria_read(&choice->criteria, arguments, now, error);
    if (status != STATUS_OK) {
        return status;
    }
    if (choice->criteria.is_any && arguments->operand_count > 0) {
        return error_set(error, STATUS_USAGE, "SELECTOR and --%s exclude each other",
                         cli_has(arguments, "unused-for") ? "unused-for" : "revoked-for");
    }
    if (!choice->criteria.is_any && arguments->operand_count == 0) {
        return error_set(error, STATUS_USAGE, "%s is missing: token_manager %s %s",
                         command->operands, command->name, command->operands);
    }
    return choice->criteria.is_any ? STATUS_OK
                                   : selectors_read(&choice->selectors, arguments, error);
}

void choice_clear(struct choice *choice)
{
    selectors_clear(&choice->selectors);
}

static enum status select_by_criteria(const struct choice *choice, const struct usage *usage,
                                      const struct token_set *tokens, struct selection *selection,
                                      struct error *error)
{
    selection->items = calloc(tokens->count + 1, sizeof(*selection->items));
    if (selection->items == NULL) {
        return error_no_memory(error);
    }
    for (size_t i = 0; i < tokens->count; i++) {
        struct token_record *record = &tokens->records[i];

        if (!record->removed && criteria_are_met(&choice->criteria, usage, &record->token)) {
            selection->items[selection->count++] =
                (struct selected){.record = record, .selector = ""};
        }
    }
    return STATUS_OK;
}

/* What was restored or used since a person agreed is spared. */
static void keep_those_that_meet(const struct choice *choice, const struct usage *usage,
                                 struct selection *selection)
{
    size_t kept = 0;

    for (size_t i = 0; i < selection->count; i++) {
        if (criteria_are_met(&choice->criteria, usage, &selection->items[i].record->token)) {
            selection->items[kept++] = selection->items[i];
        }
    }
    selection->count = kept;
}

enum status choice_select(const struct choice *choice, const struct manager *manager,
                          const struct token_set *tokens, struct selection *selection,
                          struct error *error)
{
    struct usage usage;
    char *path = NULL;
    enum status status;

    *selection = (struct selection){.items = NULL};
    if (!choice->criteria.is_any || choice->selectors.count > 0) {
        status = selection_make(selection, tokens, &choice->selectors, error);
        if (status != STATUS_OK || !choice->criteria.is_any) {
            return status;
        }
    }
    usage_init(&usage);
    status = criteria_ask_for_use(&choice->criteria)
                 ? manager_load_usage(manager, &usage, &path, error)
                 : STATUS_OK;
    if (status == STATUS_OK) {
        status = criteria_check_usage(&choice->criteria, &usage, path, error);
    }
    if (status == STATUS_OK && choice->selectors.count > 0) {
        keep_those_that_meet(choice, &usage, selection);
    } else if (status == STATUS_OK) {
        status = select_by_criteria(choice, &usage, tokens, selection, error);
    }
    usage_clear(&usage);
    free(path);
    return status;
}

enum status choice_become(struct choice *choice, const struct selection *selection,
                          struct error *error)
{
    return selectors_become_ids(&choice->selectors, selection, error);
}

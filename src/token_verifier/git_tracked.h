/*
 * Is a file under version control?
 */
#ifndef TOKEN_VERIFIER_GIT_TRACKED_H
#define TOKEN_VERIFIER_GIT_TRACKED_H

#include <stdbool.h>

/* Asks git, if it is there; false whenever that gives no clear yes. */
bool git_tracks(const char *path);

#endif

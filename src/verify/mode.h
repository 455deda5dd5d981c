/*
 * Which mode is in force: what decides, and whether authentication is off.
 */
#ifndef VERIFY_MODE_H
#define VERIFY_MODE_H

#include <stdbool.h>

#include "base/status.h"
#include "verify/settings.h"
#include "verify/snapshot.h"
#include "verify/token_verifier.h"

/* What a verifier that runs remembers, so that it never turns open. Zero at the start. */
struct mode_past {
    bool ever_there; /* there was a file, if a bad one: now a missing one is a fault */
    bool ever_on;    /* authentication was on when the settings were read anew */
};

/* `error` says why in mode unavailable, else it is empty. */
enum token_verifier_mode mode_decide(const struct settings *settings,
                                     const struct snapshot *snapshot, const struct mode_past *past,
                                     struct error *error);

#endif

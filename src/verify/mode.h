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

/*
 * From the settings, the last loading of the file, and whether this verifier has ever seen one, be it
 * a broken one: then a missing file is a fault. `error` says why in mode unavailable, else it is
 * empty.
 */
enum token_verifier_mode mode_decide(const struct settings *settings,
                                     const struct snapshot *snapshot, bool ever_there,
                                     struct error *error);

#endif

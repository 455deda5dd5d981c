/*
 * Secrets: randomness, digests, comparison, wiping. The only door to libsodium.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define DIGEST_SIZE 32     /* bytes of a BLAKE2b-256 digest */
#define DIGEST_HEX_SIZE 64 /* hex digits, without a final NUL */

/* Must succeed before any other call here. May be called again, and from several threads. */
MUST_CHECK enum status secret_init(struct error *error);

/* From now on this process leaves no core file and cannot be read by its user's other processes. */
void secret_no_core_dumps(void);

/* A uniformly random number below `bound`, from the system's generator. */
uint32_t secret_random_below(uint32_t bound);

/* BLAKE2b-256 without a key (RFC 7693), as `b2sum -l 256` computes it. About 0.2 us for a token. */
void secret_digest(uint8_t digest[static DIGEST_SIZE], const void *bytes, size_t size);

/* Compares in a time that does not depend on the contents. */
bool secret_equal(const uint8_t a[static DIGEST_SIZE], const uint8_t b[static DIGEST_SIZE]);

/* Overwrites memory with zeros; unlike memset, never optimised away. NULL is allowed with 0. */
void secret_wipe(void *memory, size_t size);

/* Lower-case hex, DIGEST_HEX_SIZE digits, no final NUL. */
void secret_digest_to_hex(char hex[static DIGEST_HEX_SIZE],
                          const uint8_t digest[static DIGEST_SIZE]);

/* False when the digits are not exactly DIGEST_HEX_SIZE lower-case hex digits. */
MUST_CHECK bool secret_digest_from_hex(uint8_t digest[static DIGEST_SIZE], const char *hex,
                                       size_t size);

#endif

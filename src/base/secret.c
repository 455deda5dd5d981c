#include "base/secret.h"

#include <sodium.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/banned.h"

#define STACK_USED 2048 /* by libsodium's hash, in any of its forms, and more */

enum status secret_init(struct error *error)
{
    if (sodium_init() < 0) {
        return error_set(error, STATUS_FAILED, "libsodium cannot start: no source of randomness");
    }
    return STATUS_OK;
}

void secret_no_core_dumps(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(TOKEN_SANITIZE)
    /* A core_pattern that is a pipe ignores the limit. (The leak checker needs to trace itself.) */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

uint32_t secret_random_below(uint32_t bound)
{
    return randombytes_uniform(bound);
}

void secret_digest(uint8_t digest[static DIGEST_SIZE], const void *bytes, size_t size)
{
    (void)crypto_generichash(digest, DIGEST_SIZE, bytes, size, NULL, 0);
    /* The hash keeps a block of its input in registers, and spills them. */
    sodium_stackzero(STACK_USED);
}

bool secret_equal(const uint8_t a[static DIGEST_SIZE], const uint8_t b[static DIGEST_SIZE])
{
    return sodium_memcmp(a, b, DIGEST_SIZE) == 0;
}

void secret_wipe(void *memory, size_t size)
{
    if (size > 0) {
        sodium_memzero(memory, size);
    }
}

void secret_digest_to_hex(char hex[static DIGEST_HEX_SIZE],
                          const uint8_t digest[static DIGEST_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < (size_t)DIGEST_SIZE; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
}

/* The value of a lower-case hex digit, or 16. Upper case is refused: a digest has one spelling. */
static unsigned hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (unsigned)(c - 'a') + 10;
    }
    return 16;
}

bool secret_digest_from_hex(uint8_t digest[static DIGEST_SIZE], const char *hex, size_t size)
{
    if (size != DIGEST_HEX_SIZE) {
        return false;
    }
    for (size_t i = 0; i < (size_t)DIGEST_SIZE; i++) {
        const unsigned high = hex_value(hex[2 * i]);
        const unsigned low = hex_value(hex[2 * i + 1]);

        if (high > 15 || low > 15) {
            return false;
        }
        digest[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

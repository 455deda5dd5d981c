/*
 * Makes every run of a program make the same tokens: LD_PRELOAD=…/fixed_random.so PROGRAM …
 */
#include <stdint.h>

uint32_t randombytes_uniform(uint32_t bound);

/* xorshift64: https://en.wikipedia.org/wiki/Xorshift */
uint32_t randombytes_uniform(uint32_t bound)
{
    static uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % bound;
}

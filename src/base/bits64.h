/*
 * Before all other headers of every source (the Makefile sees to that): on a 32-bit machine, sizes of
 * files and times have 64 bits. Otherwise every look at a file that is over 2 GiB, or is dated after
 * January 2038, would fail there. Elsewhere they have them anyway, and the C library's functions keep
 * their plain names.
 */
#ifndef BASE_BITS64_H
#define BASE_BITS64_H

#if defined(__SIZEOF_LONG__) && __SIZEOF_LONG__ == 4
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#ifndef _TIME_BITS
#define _TIME_BITS 64
#endif
#endif

#endif

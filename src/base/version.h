#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define TOKEN_MANAGER_VERSION "0.1.0"

#endif

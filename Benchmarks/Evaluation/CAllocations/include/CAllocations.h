// Counts the program's heap allocations, by standing in front of the C library's own functions.
#pragma once
#include <stdint.h>

/// How often memory was allocated so far.
uint64_t allocation_count(void);

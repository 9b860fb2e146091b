// The entry of libFuzzer, which comes without a header:
// https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

// Of the address sanitizer, where there is one (sanitizer/asan_interface.h).
__attribute__((weak)) void __asan_poison_memory_region(void const volatile *start, size_t size);
__attribute__((weak)) void __asan_unpoison_memory_region(void const volatile *start, size_t size);

// Has every access to these bytes end the process.
static inline void cfuzzer_forbid(void *start, size_t size) {
    if (__asan_poison_memory_region) __asan_poison_memory_region(start, size);
}

// Takes that back.
static inline void cfuzzer_allow(void *start, size_t size) {
    if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(start, size);
}

// libcurl, loaded when it is first needed. Its options are set by a function with variable arguments, which Swift
// cannot call; these wrappers can be.
//
// Not linked: libcurl brings 28 more libraries, and every start of the program would pay 8 million instructions for
// them (3 ms of CPU time, 8 ms until main) and 4 MiB of resident memory (`perf stat` and `VmRSS` of a program with and
// without it), though a server that asks nobody never calls it.
#ifndef CCURL_H
#define CCURL_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>

/// The functions of the library that are used.
typedef struct ccurl_library {
    __typeof__(&curl_global_init) global_init;
    __typeof__(&curl_easy_init) easy_init;
    __typeof__(&curl_easy_setopt) easy_setopt;
    __typeof__(&curl_easy_getinfo) easy_getinfo;
    __typeof__(&curl_easy_reset) easy_reset;
    __typeof__(&curl_easy_cleanup) easy_cleanup;
    __typeof__(&curl_easy_strerror) easy_strerror;
    __typeof__(&curl_slist_append) slist_append;
    __typeof__(&curl_slist_free_all) slist_free_all;
    __typeof__(&curl_multi_init) multi_init;
    __typeof__(&curl_multi_setopt) multi_setopt;
    __typeof__(&curl_multi_add_handle) multi_add_handle;
    __typeof__(&curl_multi_remove_handle) multi_remove_handle;
    __typeof__(&curl_multi_perform) multi_perform;
    __typeof__(&curl_multi_poll) multi_poll;
    __typeof__(&curl_multi_wakeup) multi_wakeup;
    __typeof__(&curl_multi_info_read) multi_info_read;
    __typeof__(&curl_multi_cleanup) multi_cleanup;
} ccurl_library;

/// Loads the library for the rest of the process's life. Returns null, and why in `reason`, when it is missing or lacks
/// a function.
static inline ccurl_library *_Nullable ccurl_load(const char *_Nullable *_Nonnull reason) {
    void *file = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!file) {
        *reason = dlerror();
        return NULL;
    }
    ccurl_library *library = calloc(1, sizeof(ccurl_library));
    if (!library) return NULL;
#define CCURL_FIND(name)                                                                     \
    if (!(library->name = (__typeof__(library->name))dlsym(file, "curl_" #name))) {          \
        *reason = "libcurl.so.4 has no curl_" #name;                                         \
        free(library);                                                                       \
        return NULL;                                                                         \
    }
    CCURL_FIND(global_init)
    CCURL_FIND(easy_init)
    CCURL_FIND(easy_setopt)
    CCURL_FIND(easy_getinfo)
    CCURL_FIND(easy_reset)
    CCURL_FIND(easy_cleanup)
    CCURL_FIND(easy_strerror)
    CCURL_FIND(slist_append)
    CCURL_FIND(slist_free_all)
    CCURL_FIND(multi_init)
    CCURL_FIND(multi_setopt)
    CCURL_FIND(multi_add_handle)
    CCURL_FIND(multi_remove_handle)
    CCURL_FIND(multi_perform)
    CCURL_FIND(multi_poll)
    CCURL_FIND(multi_wakeup)
    CCURL_FIND(multi_info_read)
    CCURL_FIND(multi_cleanup)
#undef CCURL_FIND
    if (library->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        *reason = "curl_global_init failed";
        free(library);
        return NULL;
    }
    return library;
}

typedef size_t (*ccurl_receive)(char *_Nullable bytes, size_t size, size_t count, void *_Nullable context);

static inline CURLcode ccurl_set_long(
    const ccurl_library *_Nonnull library, CURL *_Nonnull easy, CURLoption option, long value) {
    return library->easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_size(
    const ccurl_library *_Nonnull library, CURL *_Nonnull easy, CURLoption option, int64_t value) {
    return library->easy_setopt(easy, option, (curl_off_t)value);
}

static inline CURLcode ccurl_set_pointer(
    const ccurl_library *_Nonnull library, CURL *_Nonnull easy, CURLoption option, const void *_Nullable value) {
    return library->easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_receive(
    const ccurl_library *_Nonnull library, CURL *_Nonnull easy, CURLoption option, ccurl_receive _Nonnull function) {
    return library->easy_setopt(easy, option, function);
}

static inline void ccurl_set_multi(
    const ccurl_library *_Nonnull library, CURLM *_Nonnull multi, CURLMoption option, long value) {
    library->multi_setopt(multi, option, value);
}

static inline long ccurl_status(const ccurl_library *_Nonnull library, CURL *_Nonnull easy) {
    long status = 0;
    library->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/// Whether the connection was ready, TLS included, for the request to be sent.
static inline int ccurl_was_connected(const ccurl_library *_Nonnull library, CURL *_Nonnull easy) {
    curl_off_t microseconds = 0;
    library->easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &microseconds);
    return microseconds > 0;
}

/// The next transfer that has ended, null when there is none, and how it ended.
static inline CURL *_Nullable ccurl_next_ended(
    const ccurl_library *_Nonnull library, CURLM *_Nonnull multi, CURLcode *_Nonnull result) {
    int waiting = 0;
    CURLMsg *message;
    while ((message = library->multi_info_read(multi, &waiting))) {
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return message->easy_handle;
    }
    return NULL;
}

#endif

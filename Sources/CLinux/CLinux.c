#include "CLinux.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

int clinux_accept_nonblocking(int listener, struct sockaddr *address, socklen_t *length) {
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_unacknowledged(int socket) {
    int count = 0;
    return ioctl(socket, SIOCOUTQ, &count) == 0 ? count : 0;
}

int clinux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int clinux_peer_credentials(int socket, int32_t *process_id, uint32_t *user_id) {
    struct ucred credentials;
    socklen_t length = sizeof(credentials);
    int result = getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
    if (result == 0) {
        *process_id = credentials.pid;
        *user_id = credentials.uid;
    }
    return result;
}

const void *clinux_find_bytes(const void *bytes, size_t count, const void *part, size_t part_count) {
    return memmem(bytes, count, part, part_count);
}

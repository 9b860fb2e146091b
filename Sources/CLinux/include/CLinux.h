// Linux calls that Swift's Glibc module does not show. Declarations and one-line wrappers only.
#ifndef CLINUX_H
#define CLINUX_H

#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/// accept4(2): accepts a connection, non-blocking and closed on exec. Returns the descriptor, or -1 with errno set.
int clinux_accept_nonblocking(int listener, struct sockaddr *_Nullable address, socklen_t *_Nullable length);

/// eventfd(2): a non-blocking counter, closed on exec. Returns the descriptor, or -1 with errno set.
int clinux_eventfd(void);

/// How many bytes sent over TCP the peer has not acknowledged (tcp(7), SIOCOUTQ); 0 where that cannot be told.
int clinux_unacknowledged(int socket);

/// The peer of a Unix socket as SO_PEERCRED tells it (unix(7)). Returns 0, or -1 with errno set.
int clinux_peer_credentials(int socket, int32_t *_Nonnull process_id, uint32_t *_Nonnull user_id);

/// memmem(3): where a part first stands in bytes, or NULL.
const void *_Nullable clinux_find_bytes(
    const void *_Nonnull bytes, size_t count, const void *_Nonnull part, size_t part_count);

#endif

import Glibc

/// How many files and sockets this process may have open.
package enum DescriptorLimit {
    /// Descriptors of others than connections: files of the store, listeners, loops, connections that are refused.
    private static let others = 1024

    /// Raises the soft limit to the hard one, and has the kernel make room for `connections` at once. Each connection
    /// needs a descriptor, and the usual soft limit of 1,024 is there for programs that use `select`.
    ///
    /// To be called while the process has one thread. Later the kernel lets whoever opens the 65th descriptor, the
    /// 257th and so on wait until no other thread can see the smaller table (`expand_fdtable` calls `synchronize_rcu`):
    /// tens of milliseconds at the best, seconds on a machine that is busy, in which nobody is accepted and no file
    /// is opened.
    ///
    /// - Returns: The limit from now on.
    @discardableResult
    package static func raise(for connections: Int) -> Int {
        let limit = raiseSoftLimit()
        let any = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard any >= 0 else { return limit }
        let last = fcntl(any, F_DUPFD_CLOEXEC, Int32(clamping: min(limit, connections + others) - 1))
        if last >= 0 { close(last) }
        close(any)
        return limit
    }

    private static func raiseSoftLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        let soft = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 { limit.rlim_cur = soft }
        return Int(clamping: limit.rlim_cur)
    }
}

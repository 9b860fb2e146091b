import Glibc

/// The signals that steer a server, taken one by one by the thread that started it.
///
/// They are blocked in every thread and wait until `next` takes them (`sigwait`, POSIX.1-2017 §2.4): none is lost,
/// whenever it comes. A Dispatch source hears nothing of a signal that comes before it has registered, and catches the
/// others in a handler of its own: servers were seen to go on after a SIGTERM, once in some hundred stops.
package struct ProcessSignals {
    /// What a signal asks for.
    package enum Request {
        /// SIGTERM or SIGINT, by its name: finish what is under way and end.
        case stop(signal: String)
        /// SIGHUP: read again what may have changed on disk.
        case reload
        /// SIGUSR1: tell everything for a while.
        case tellMore
    }

    private var signals = sigset_t()

    /// Blocks the signals in this thread and all that it starts; SIGPIPE is ignored, so that whoever writes to a closed
    /// connection gets an error instead. To be called before other threads are started: those of Dispatch block signals
    /// by themselves.
    package init() {
        signal(SIGPIPE, SIG_IGN)
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGHUP, SIGUSR1] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Waits for the next signal. Blocks.
    package func next() -> Request {
        var number: Int32 = 0
        var signals = signals
        while sigwait(&signals, &number) != 0 {}
        switch number {
        case SIGHUP: return .reload
        case SIGUSR1: return .tellMore
        case SIGINT: return .stop(signal: "SIGINT")
        default: return .stop(signal: "SIGTERM")
        }
    }
}

import CCurl
import Dispatch
import Platform

/// The transfers of one client, driven on a queue of its own: its thread waits in `curl_multi_poll` while there are
/// any, and there is none while there are none.
final class TransferQueue: @unchecked Sendable {
    // Proof for `@unchecked Sendable`: `active` is touched on `queue` only. `multi` is used on `queue` only, but for
    // `curl_multi_wakeup`, which is made for other threads, and for its end, when nobody has it any more.
    private let settings: HTTPClientSettings
    private let library: CurlLibrary
    private let multi: UnsafeMutableRawPointer?
    private let queue = DispatchQueue(label: "http-client")
    private let inbox = Locked(Inbox())
    private var active: [UnsafeMutableRawPointer: CurlTransfer] = [:]

    /// What other threads left.
    private struct Inbox {
        var waiting: [(HTTPClientRequest, CurlTransfer.Completion)] = []
        var isRunning = false
        var isClosed = false
    }

    init(_ settings: HTTPClientSettings, _ library: CurlLibrary) {
        self.settings = settings
        self.library = library
        multi = library.functions.pointee.multi_init()
        guard let multi else { return }
        let options = [
            (CURLMOPT_MAX_HOST_CONNECTIONS, settings.connectionsPerHost),
            (CURLMOPT_MAX_TOTAL_CONNECTIONS, settings.connections), (CURLMOPT_MAXCONNECTS, settings.connections),
        ]
        for (option, value) in options { ccurl_set_multi(library.functions, multi, option, value) }
    }

    deinit {
        if let multi { _ = library.functions.pointee.multi_cleanup(multi) }
    }

    /// Begins a transfer, from any thread.
    func submit(_ request: HTTPClientRequest, _ completion: @escaping CurlTransfer.Completion) {
        let isFirst = inbox.withLock { inbox in
            inbox.waiting.append((request, completion))
            defer { inbox.isRunning = true }
            return !inbox.isRunning
        }
        // Each run keeps this object alive to its end.
        if isFirst { queue.async { self.run() } } else { wake() }
    }

    /// Ends all transfers; their requesters are told.
    func close() {
        inbox.withLock { $0.isClosed = true }
        wake()
    }

    private func wake() {
        if let multi { _ = library.functions.pointee.multi_wakeup(multi) }
    }

    private func run() {
        while true {
            let (requests, isClosed) = inbox.withLock { inbox in
                defer { inbox.waiting = [] }
                return (inbox.waiting, inbox.isClosed)
            }
            for (request, completion) in requests { begin(request, completion, isClosed) }
            if isClosed { endAll() }
            var running: Int32 = 0
            if let multi {
                _ = library.functions.pointee.multi_perform(multi, &running)
                collect(multi)
            }
            let isDone = inbox.withLock { inbox in
                inbox.isRunning = !active.isEmpty || !inbox.waiting.isEmpty
                return !inbox.isRunning
            }
            if isDone { return }
            // Returns when there is something to do; a second is libcurl's own advice against missed wake-ups.
            if let multi, !active.isEmpty { _ = library.functions.pointee.multi_poll(multi, nil, 0, 1000, nil) }
        }
    }

    private func begin(
        _ request: HTTPClientRequest, _ completion: @escaping CurlTransfer.Completion, _ isClosed: Bool
    ) {
        let transfer = CurlTransfer(request, settings, completion)
        if isClosed { return transfer.fail(.closed, "the client was closed") }
        if let fault = request.fault { return transfer.fail(.invalidRequest, fault) }
        guard let multi, let easy = transfer.prepare(library) else {
            return transfer.fail(.failed, "libcurl refuses the request's settings")
        }
        active[easy] = transfer
        let code = library.functions.pointee.multi_add_handle(multi, easy)
        guard code == CURLM_OK else {
            active[easy] = nil
            return transfer.fail(.failed, "libcurl takes no more requests (\(code.rawValue))")
        }
    }

    private func collect(_ multi: UnsafeMutableRawPointer) {
        var result = CURLE_OK
        while let easy = ccurl_next_ended(library.functions, multi, &result) {
            guard let transfer = active.removeValue(forKey: easy) else { continue }
            let outcome = transfer.outcome(result, library)
            _ = library.functions.pointee.multi_remove_handle(multi, easy)
            transfer.finish(outcome)
        }
    }

    private func endAll() {
        for (easy, transfer) in active {
            if let multi { _ = library.functions.pointee.multi_remove_handle(multi, easy) }
            transfer.fail(.closed, "the client was closed")
        }
        active = [:]
    }
}

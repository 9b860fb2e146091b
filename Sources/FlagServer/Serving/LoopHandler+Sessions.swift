import Access
import AccessStore
import HTTPRouting
import HTTPTransport

extension LoopHandler {
    /// Whoever's session a browser shows, where nothing else is shown; nil when it shows none.
    ///
    /// What changes something has to come from a page of this server: a browser shows its cookies whoever's page it is.
    @inline(__always)
    func findSession(_ request: borrowing HTTPRequest, isSecure: Bool, now: Int64) -> CallerTable.Found? {
        SessionCookie.with(of: request, isSecure: isSecure) { id in
            guard let id else { return nil }
            return findSession(id, request, now: now)
        }
    }

    @inline(never)
    private func findSession(
        _ id: UnsafeRawBufferPointer, _ request: borrowing HTTPRequest, now: Int64
    ) -> CallerTable.Found? {
        let isReading = request.method == .get || request.method == .head
        guard isReading || BrowserOrigin.isOwnPage(request) else { return .foreignPage }
        return callers?.find(session: id, now: now) { [sessions = dependencies.access?.sessions] digest, time in
            sessions?.noteUse(digest, time)
        }
    }
}

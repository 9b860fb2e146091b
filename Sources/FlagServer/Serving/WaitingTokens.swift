import AccessStore
import HTTPTransport
import Tokens

/// The requests of one event loop that wait until the signatures of their tokens are checked elsewhere.
///
/// How many may wait is bounded, and of each address fewer: whoever sends made-up tokens keeps their own neighbours
/// waiting, and takes no more memory than this.
struct WaitingTokens {
    /// Of all addresses.
    static let maximum = 512
    /// Of one address, of IPv6 one network.
    static let maximumOfAddress = 32

    private struct Waiter {
        let request: ParkedRequest
        let address: PeerAddress?
    }

    private var waiters: [CallerTable.Digest: [Waiter]] = [:]
    private var count = 0
    private var countByAddress: [PeerAddress?: Int] = [:]
    /// What is wrong with tokens, for those who are asked about again.
    private var faults: [CallerTable.Digest: (fault: TokenFault, readers: Int)] = [:]

    /// Whether one more may wait.
    func hasRoom(for address: PeerAddress) -> Bool {
        count < Self.maximum && countByAddress[address.countedBy] ?? 0 < Self.maximumOfAddress
    }

    /// Has a request wait for a token.
    ///
    /// - Returns: whether nobody waits for it yet: then it is to be checked.
    mutating func add(_ request: ParkedRequest, for digest: CallerTable.Digest, from address: PeerAddress) -> Bool {
        let waiter = Waiter(request: request, address: address.countedBy)
        waiters[digest, default: []].append(waiter)
        count += 1
        countByAddress[waiter.address, default: 0] += 1
        return waiters[digest]?.count == 1
    }

    /// Ends the waiting for a token.
    ///
    /// - Parameters:
    ///   - fault: what is wrong with it.
    ///   - isAwaited: whether somebody still waits with a request.
    /// - Returns: the requests to decide on.
    mutating func end(
        for digest: CallerTable.Digest, fault: TokenFault?, isAwaited: (ParkedRequest) -> Bool
    ) -> [ParkedRequest] {
        let ended = waiters.removeValue(forKey: digest) ?? []
        count -= ended.count
        for waiter in ended {
            let left = (countByAddress[waiter.address] ?? 1) - 1
            countByAddress[waiter.address] = left > 0 ? left : nil
        }
        let requests = ended.map(\.request).filter(isAwaited)
        if let fault, !requests.isEmpty { faults[digest] = (fault, requests.count) }
        return requests
    }

    /// What is wrong with a token, for one of those who have waited for it.
    mutating func takeFault(of digest: CallerTable.Digest) -> TokenFault? {
        guard let (fault, readers) = faults[digest] else { return nil }
        faults[digest] = readers > 1 ? (fault, readers - 1) : nil
        return fault
    }
}

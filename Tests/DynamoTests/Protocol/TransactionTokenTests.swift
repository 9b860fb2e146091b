import Dispatch
import JSON
import Platform
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Transactions that are sent again while they are under way")
struct TransactionTokenTests {
    private static func transaction(_ item: String) -> String {
        #"{"ClientRequestToken":"t","TransactItems":[{"Put":{"TableName":"things","Item":\#(item)}}]}"#
    }

    private static let item = #"{"pk":{"S":"a"},"sk":{"N":"1"}}"#
    private static let anotherItem = #"{"pk":{"S":"a"},"sk":{"N":"2"}}"#

    @Test("One that is being done is not said to be done; another one with its token is none of it")
    func underWay() throws {
        let service = try TestService()
        let (isHeld, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        service.store.subscribe { _ in
            isHeld.signal()
            gate.wait()
            gate.signal()
        }
        let first = Locked<TestService.Reply?>(nil)
        let isAnswered = DispatchSemaphore(value: 0)
        DispatchQueue(label: "first").async {
            let reply = service.call(.transactWriteItems, Self.transaction(Self.item))
            first.withLock { $0 = reply }
            isAnswered.signal()
        }
        isHeld.wait()
        let again = service.call(.transactWriteItems, Self.transaction(Self.item))
        #expect((again.status, again.error) == (400, "TransactionInProgressException"))
        let another = service.call(.transactWriteItems, Self.transaction(Self.anotherItem))
        #expect(another.error == "IdempotentParameterMismatchException")
        gate.signal()
        isAnswered.wait()
        #expect(first.withLock { $0?.status } == 200)
        #expect(service.call(.transactWriteItems, Self.transaction(Self.item)).status == 200)
        #expect(try service.store.changes(after: 0, limit: 10).count == 1)
    }

    @Test("A token that has had its time leaves the store with the next one that happens, not with one that does not")
    func outlived() {
        let start = ContinuousClock.now
        let tokens = IdempotencyTokens(stored: [], at: 0, start)
        func admit(_ name: String, after minutes: Int64) -> TransactionToken? {
            let admission = tokens.admit(name, fingerprint: [1], at: minutes * 60_000, start + .seconds(minutes * 60))
            if case .proceed(let token) = admission { return token }
            return nil
        }
        guard let first = admit("first", after: 0) else {
            Issue.record("A new token is good")
            return
        }
        tokens.finish(first)
        let second = admit("second", after: 11)
        #expect(second?.outlived == [TransactionToken.Outlived(name: "first", admittedAt: 0)])
        if let second { tokens.abandon(second) }
        #expect(admit("third", after: 11)?.outlived == [TransactionToken.Outlived(name: "first", admittedAt: 0)])
        #expect(admit("fourth", after: 11)?.outlived == [])
    }
}

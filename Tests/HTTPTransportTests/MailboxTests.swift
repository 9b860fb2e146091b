import Dispatch
import Testing

@testable import HTTPTransport

/// The promise that kill switches rest on.
@Suite("Mailbox")
struct MailboxTests {
    @Test("A message sent before a request's first byte is received before the request is handled")
    func messageBeforeRequest() throws {
        let server = try TestServer(loops: 1)
        let client = try server.client()
        for count in 1...2000 {
            server.server.send(1, toLoop: 0)
            client.send("GET /received HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.answer().body == "\(count)")
        }
        server.stop(within: .zero)
    }

    @Test("Also while all loops are saturated")
    func saturated() throws {
        // Nothing is shed: on a busy machine these loops are late.
        let server = try TestServer(loops: 2) { $0.timeouts.lag = .zero }
        let isOver = DispatchSemaphore(value: 0)
        let group = DispatchGroup()
        for number in 0..<8 {
            // Each keeps a loop busy with pipelined requests, until it is told to end.
            DispatchQueue(label: "flood.\(number)").async(group: group) {
                guard let flood = try? server.client() else { return }
                let batch = String(repeating: "GET /busy HTTP/1.1\r\nHost: a\r\n\r\n", count: 8)
                while isOver.wait(timeout: .now()) == .timedOut {
                    flood.send(batch)
                    for _ in 0..<8 where (try? flood.answer()) == nil { return }
                }
            }
        }
        // One connection on each loop. All are kept open: a closed one makes room on the loop that has one already.
        var clients: [Int: RawClient] = [:]
        var opened: [RawClient] = []
        while clients.count < 2 {
            let client = try server.client()
            opened.append(client)
            client.send("GET /loop HTTP/1.1\r\nHost: a\r\n\r\n")
            clients[Int(try client.answer().body) ?? -1] = client
        }
        for count in 1...20 {
            for loop in 0..<2 { server.server.send(1, toLoop: loop) }
            for client in clients.values {
                client.send("GET /received HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.answer().body == "\(count)")
            }
        }
        for _ in 0..<8 { isOver.signal() }
        group.wait()
        server.stop(within: .zero)
    }

    @Test("Messages sent before the start are received before the first request")
    func beforeStart() throws {
        let configuration = HTTPServerConfiguration(addresses: [.tcp(host: "127.0.0.1", port: 0)], loops: 1)
        let server = try HTTPServer<Int>(configuration: configuration)
        for _ in 0..<7 { server.send(1, toLoop: 0) }
        let client = try RawClient(port: server.port)
        client.send("GET /received HTTP/1.1\r\nHost: a\r\n\r\n")
        server.start { TestHandler(context: $0) }
        #expect(try client.answer().body == "7")
        server.drain(within: .zero) {}
    }

    @Test("Every message of many senders arrives once")
    func manySenders() throws {
        let server = try TestServer(loops: 1)
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for _ in 0..<5000 { server.server.send(1, toLoop: 0) }
        }
        let client = try server.client()
        client.send("GET /received HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().body == "20000")
        server.stop(within: .zero)
    }
}

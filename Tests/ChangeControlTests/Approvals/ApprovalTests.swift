import Access
import Dispatch
import DynamoModel
import FlagCore
import FlagStore
import JSON
import Platform
import TableEngine
import TestSupport
import Testing

@testable import ChangeControl

@Suite("Approvals")
struct ApprovalTests {
    @Test("A change that was proposed is made when another agrees, as its author's, and says through what")
    func approved() throws {
        let fixture = try ApprovalFixture()
        try fixture.createFlag()
        let proposal = try fixture.propose()
        #expect(try !fixture.isOn())
        #expect(proposal.version == 1)
        let changes = Locked<[TableChange]>([])
        fixture.store.subscribe { new in
            changes.withLock { $0 += new.filter { $0.table == ApprovalFixture.table } }
        }
        #expect(try fixture.approve(proposal, by: "bob").state == .applied)
        #expect(try fixture.isOn())
        #expect(try fixture.flag().version == 2)
        let change = try #require(changes.withLock { $0.first })
        #expect(change.principal == Principal(.account, "ada"))
        #expect(change.principal.circumstances?.reason == "go live")
        #expect(change.principal.circumstances?.cause == "proposal \(proposal.id), approved by account bob")
        #expect(fixture.told == ["proposed", "applied"])
    }

    @Test("A proposal shows what would differ, and nothing that the server derives")
    func difference() throws {
        let fixture = try ApprovalFixture()
        try fixture.createFlag()
        let (proposal, content) = try fixture.desk.propose(
            ApprovalFixture.turning(), in: fixture.scope("ada", because: "go live"))
        let shown = proposal.json(at: fixture.now, needed: 1, content)
        #expect(shown["difference"] == [["op": "replace", "path": "/defaultEnabled", "value": true]])
        #expect(shown["operation"]?["expectedVersion"] == 1)
        #expect(shown["reason"] == "go live")
        #expect(shown["flagKey"] == "checkout")
        #expect(shown["changedMeanwhile"] == nil)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let kind: FlagOperation.Kind
        var name: String?
        var tenant: String?
        var body: JSONValue?
        let isDone: @Sendable (ApprovalFixture) throws -> Bool

        init(
            _ testDescription: String, _ kind: FlagOperation.Kind, of name: String? = nil, tenant: String? = nil,
            _ body: JSONValue? = nil, isDone: @escaping @Sendable (ApprovalFixture) throws -> Bool
        ) {
            self.testDescription = testDescription
            self.kind = kind
            self.name = name
            self.tenant = tenant
            self.body = body
            self.isDone = isDone
        }
    }

    static let kinds = [
        Case(
            "create a flag", .createFlag,
            ["flagKey": "new", "description": "d", "owner": "o", "defaultEnabled": true]
        ) { try $0.isOn("new") },
        Case(
            "replace a flag", .replaceFlag, of: "checkout", ["description": "e", "owner": "o", "defaultEnabled": true]
        ) { try $0.isOn() },
        Case("delete a flag", .deleteFlag, of: "checkout") { try $0.reader.flagItem("checkout") == nil },
        Case("set an override", .setOverride, of: "checkout", tenant: "acme", ["enabled": true, "updatedBy": "ada"]) {
            try $0.reader.overrides(ofFlag: "checkout").records.count == 1
        },
        Case("create a segment", .createSegment, ["name": "new", "description": "d", "owner": "o"]) {
            try $0.reader.segment("new").version == 1
        },
        Case("edit the keys of a segment", .editSegmentKeys, of: "beta", ["add": ["b"], "remove": ["a"]]) {
            try $0.reader.keys(ofSegment: "beta", limit: 9, cursor: nil).records == ["b"]
        },
        Case("delete a segment", .deleteSegment, of: "beta") { try $0.reader.content(of: .segment("beta")) == nil },
    ]

    @Test("Any change can be proposed", arguments: kinds)
    func everyKind(_ kind: Case) throws {
        let fixture = try ApprovalFixture()
        try fixture.createFlag()
        try fixture.createSegment(keys: ["a"])
        let operation = try FlagOperation(kind.kind, of: kind.name, tenant: kind.tenant, body: kind.body)
        let proposal = try fixture.propose(operation)
        #expect(((try? kind.isDone(fixture)) ?? false) == false)
        #expect(try fixture.approve(proposal, by: "bob").state == .applied)
        #expect(try kind.isDone(fixture))
        #expect(try fixture.state(of: proposal) == .applied)
        #expect(refusal { try fixture.approve(proposal, by: "cem") } == "ended applied")
    }

    // MARK: - Who

    @Test("Nobody agrees to their own change, refuses it, or agrees twice for two")
    func oneself() throws {
        let fixture = try ApprovalFixture(approvals: 2)
        try fixture.createFlag()
        let proposal = try fixture.propose()
        #expect(refusal { try fixture.approve(proposal, by: "ada") } == "own")
        #expect(
            refusal {
                _ = try fixture.desk.reject(proposal.id, because: nil, by: fixture.caller("ada"), ChangeCircumstances())
            } == "own")
        for _ in 0..<3 { #expect(try fixture.approve(proposal, by: "bob").state == .open) }
        #expect(try !fixture.isOn())
        #expect(try fixture.approve(proposal, by: "cem").state == .applied)
        #expect(try fixture.isOn())
    }

    @Test("Nobody in particular agrees to nothing")
    func anonymous() throws {
        let fixture = try ApprovalFixture()
        try fixture.createFlag()
        let proposal = try fixture.propose()
        #expect(
            refusal { _ = try fixture.desk.approve(proposal.id, by: .anonymous, ChangeCircumstances()) } == "own")
    }

    @Test(
        "Whoever may not make the change may not agree to it",
        arguments: [(Role.viewer, "forbidden"), (.operator, "forbidden"), (.editor, nil), (.admin, nil)]
            as [(Role, String?)])
    func roles(role: Role, expected: String?) throws {
        let fixture = try ApprovalFixture()
        try fixture.createFlag()
        let proposal = try fixture.propose()
        fixture.give("bob", role.permissions)
        #expect(refusal { try fixture.approve(proposal, by: "bob") } == expected)
        #expect(try fixture.isOn() == (expected == nil))
    }

    @Test("A change is not made whose author has lost the right to it meanwhile, and waits")
    func authorsRole() throws {
        let fixture = try ApprovalFixture()
        try fixture.createFlag()
        let proposal = try fixture.propose()
        for permissions in [nil, Role.viewer.permissions] {
            fixture.give("ada", permissions)
            #expect(refusal { try fixture.approve(proposal, by: "bob") } == "author forbidden")
        }
        #expect(try !fixture.isOn())
        #expect(try fixture.state(of: proposal) == .open)
        fixture.give("ada", Role.editor.permissions)
        #expect(try fixture.approve(proposal, by: "bob").state == .applied)
    }

    @Test("Who agreed and has lost the right to it since counts no more")
    func approversRole() throws {
        let fixture = try ApprovalFixture(approvals: 2)
        try fixture.createFlag()
        let proposal = try fixture.propose()
        try fixture.approve(proposal, by: "bob")
        fixture.give("bob", nil)
        #expect(try fixture.approve(proposal, by: "cem").state == .open)
        #expect(try !fixture.isOn())
        fixture.give("dan", Role.editor.permissions)
        #expect(try fixture.approve(proposal, by: "dan").state == .applied)
    }

    @Test("Who cannot be looked up later cannot propose")
    func unknownAuthor() throws {
        let fixture = try ApprovalFixture()
        try fixture.createFlag()
        let stranger = Caller(Principal(.account, "eve@elsewhere"), everywhere: .all)
        let scope = try #require(stranger.writeScope([], in: .production, at: fixture.now))
        #expect(
            refusal { _ = try fixture.desk.propose(ApprovalFixture.turning(), in: scope) } == "author unknown")
    }

    // MARK: - Races

    @Test("Of many who agree at once, one makes the change: it is made once", arguments: [1, 2, 3])
    func race(approvals: Int) throws {
        let fixture = try ApprovalFixture(approvals: approvals)
        try fixture.createFlag()
        let names = (0..<8).map { "approver-\($0)" }
        for name in names { fixture.give(name, Role.editor.permissions) }
        let proposal = try fixture.propose()
        let outcomes = Locked<[String]>([])
        DispatchQueue.concurrentPerform(iterations: names.count) { index in
            let outcome = refusal { try fixture.approve(proposal, by: names[index]) }
            outcomes.withLock { $0.append(outcome ?? "done") }
        }
        let told = outcomes.withLock { $0 }
        #expect(told.count { $0 == "done" } == approvals, "\(told)")
        #expect(told.allSatisfy { ["done", "ended applied"].contains($0) }, "\(told)")
        #expect(try fixture.flag().version == 2)
        #expect(fixture.told.count { $0 == "applied" } == 1)
        #expect(try fixture.desk.proposals.find(proposal.id).approvals.count == approvals)
    }

    @Test("A change of several transactions is begun once, by one of those who agree at once")
    func raceOfSteps() throws {
        let fixture = try ApprovalFixture()
        try fixture.createSegment()
        let keys = (0..<500).map { JSONValue.string("key-\($0)") }
        let proposal = try fixture.propose(FlagOperation(.editSegmentKeys, of: "beta", body: ["add": .array(keys)]))
        let outcomes = Locked<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 2) { index in
            let outcome = refusal { try fixture.approve(proposal, by: ["bob", "cem"][index]) }
            outcomes.withLock { $0.append(outcome ?? "done") }
        }
        #expect(outcomes.withLock { $0 }.count { $0 == "done" } == 1)
        #expect(try fixture.reader.segment("beta").version == 2)
        #expect(try fixture.reader.keys(ofSegment: "beta", limit: 1_000, cursor: nil).records.count == 500)
        #expect(try fixture.state(of: proposal) == .applied)
    }

    @Test("To agree and to reject at once comes to one of them")
    func rejectedMeanwhile() throws {
        for _ in 0..<20 {
            let fixture = try ApprovalFixture()
            try fixture.createFlag()
            let proposal = try fixture.propose()
            DispatchQueue.concurrentPerform(iterations: 2) { index in
                if index == 0 {
                    _ = try? fixture.approve(proposal, by: "bob")
                } else {
                    _ = try? fixture.desk.reject(
                        proposal.id, because: "no", by: fixture.caller("cem"), ChangeCircumstances())
                }
            }
            let state = try fixture.state(of: proposal)
            #expect(try state == (fixture.isOn() ? .applied : .rejected))
        }
    }

    // MARK: - Changed meanwhile

    @Test("What was changed since is not overwritten: what changed is shown, and the author makes the proposal anew")
    func changedMeanwhile() throws {
        let fixture = try ApprovalFixture(approvals: 2)
        try fixture.createFlag()
        let proposal = try fixture.propose()
        try fixture.approve(proposal, by: "bob")
        try fixture.apply(FlagOperation(.patchFlag, of: "checkout", body: ["description": "other"]))
        #expect(refusal { try fixture.approve(proposal, by: "cem") } == "changed")
        #expect(try !fixture.isOn())
        let content = try fixture.desk.proposals.content(of: proposal)
        let changes = try fixture.desk.changesSince(proposal, content)
        #expect(changes?.json == [["op": "replace", "path": "/description", "value": "other"]])
        #expect(
            refusal { _ = try fixture.desk.renew(proposal.id, by: fixture.caller("bob"), ChangeCircumstances()) }
                == "not author")
        let (renewed, _) = try fixture.desk.renew(proposal.id, by: fixture.caller("ada"), ChangeCircumstances())
        #expect(renewed.version == 2)
        // Whoever agreed has not seen this.
        #expect(renewed.approvals.isEmpty)
        try fixture.approve(renewed, by: "bob")
        #expect(try fixture.approve(renewed, by: "cem").state == .applied)
        #expect(try fixture.isOn())
        #expect(try fixture.flag().description == "other")
    }

    @Test("A change that meets another thing than it was made for is not made", arguments: kinds)
    func everyKindChanged(_ kind: Case) throws {
        let fixture = try ApprovalFixture()
        try fixture.createFlag()
        try fixture.createSegment(keys: ["a"])
        let operation = try FlagOperation(kind.kind, of: kind.name, tenant: kind.tenant, body: kind.body)
        let proposal = try fixture.propose(operation)
        switch operation.subject {
        case .flag("new"): try fixture.createFlag("new")
        case .flag(let key): try fixture.apply(FlagOperation(.patchFlag, of: key, body: ["owner": "else"]))
        case .segment("new"): try fixture.createSegment("new")
        case .segment(let name): try fixture.apply(FlagOperation(.patchSegment, of: name, body: ["owner": "else"]))
        case .override(let key, let tenant):
            try fixture.apply(
                FlagOperation(.setOverride, of: key, tenant: tenant, body: ["enabled": false, "updatedBy": "else"]))
        case .killSwitch: break
        }
        #expect(refusal { try fixture.approve(proposal, by: "bob") } == "changed")
        #expect(try fixture.state(of: proposal) == .open)
    }

    // MARK: - Ends

    @Test("Nobody's decision in seven days ends a proposal, whether or not that was noted")
    func expiry() throws {
        let fixture = try ApprovalFixture()
        try fixture.createFlag()
        let proposal = try fixture.propose()
        fixture.pass(7 * 86_400_000 - 1)
        fixture.desk.tidy()
        #expect(try fixture.state(of: proposal) == .open)
        fixture.pass(1)
        #expect(refusal { try fixture.approve(proposal, by: "bob") } == "ended expired")
        #expect(try fixture.state(of: proposal) == .open)
        fixture.desk.tidy()
        #expect(try fixture.state(of: proposal) == .expired)
        #expect(fixture.desk.proposals.openCounts.isEmpty)
        fixture.pass(91 * 86_400_000)
        fixture.desk.tidy()
        #expect(refusal { _ = try fixture.desk.proposals.find(proposal.id) } == "not found")
    }

    @Test("One that cannot be read keeps no other from ending")
    func damaged() throws {
        let fixture = try ApprovalFixture()
        try fixture.createFlag()
        let (first, second) = (try fixture.propose(), try fixture.propose())
        let (damaged, whole) = first.id < second.id ? (first, second) : (second, first)
        let kept = [
            ChangeControlTable.partition, ChangeControlTable.sort, Proposal.stateName, Proposal.expiryName,
        ]
        let item = damaged.item.filter { kept.contains($0.key) }
        try fixture.store.transactAndWait(
            [.put(table: ChangeControlTable.name, item: item)], principal: .server)
        fixture.pass(7 * 86_400_000)
        fixture.desk.tidy()
        #expect(try fixture.state(of: whole) == .expired)
        #expect(fixture.told.contains { $0.hasPrefix("failed") })
    }

    @Test("Its author takes a proposal back, and whoever administers")
    func withdrawal() throws {
        let fixture = try ApprovalFixture()
        try fixture.createFlag()
        fixture.give("root", .all)
        for (name, expected) in [("ada", nil), ("bob", "forbidden"), ("root", nil)] as [(String, String?)] {
            let proposal = try fixture.propose()
            let outcome = refusal {
                _ = try fixture.desk.withdraw(
                    proposal.id, because: nil, by: fixture.caller(name), ChangeCircumstances())
            }
            #expect(outcome == expected, "\(name)")
            #expect(try fixture.state(of: proposal) == (expected == nil ? .withdrawn : .open))
        }
    }

    @Test("Comments are kept, up to a number")
    func comments() throws {
        let fixture = try ApprovalFixture()
        try fixture.createFlag()
        let proposal = try fixture.propose()
        for number in 0..<Proposal.commentsMaximum {
            _ = try fixture.desk.comment(
                proposal.id, "comment \(number)", by: fixture.caller("bob"), ChangeCircumstances())
        }
        let outcome = refusal {
            _ = try fixture.desk.comment(proposal.id, "more", by: fixture.caller("ada"), ChangeCircumstances())
        }
        #expect(outcome == "too many comments")
        let stored = try fixture.desk.proposals.find(proposal.id)
        #expect(stored.comments.map(\.text) == (0..<Proposal.commentsMaximum).map { "comment \($0)" })
    }

    // MARK: - Restart

    @Test("What was begun before a stop is finished after it, though its begin has raised the version")
    func resumed() throws {
        let directory = try TemporaryDirectory()
        let id: String
        do {
            let store = try SQLiteTableStore.open(.directory(directory.path))
            let fixture = try ApprovalFixture(store)
            try fixture.createSegment()
            let keys = (0..<300).map { JSONValue.string("key-\($0)") }
            let operation = try FlagOperation(.editSegmentKeys, of: "beta", body: ["add": .array(keys)])
            let proposal = try fixture.propose(operation)
            id = proposal.id
            // As a stop leaves it: stored as begun, and part of it done.
            let begun = proposal.approved(by: Principal(.account, "bob"), at: fixture.now).begun()
            #expect(try fixture.desk.proposals.replace(proposal, by: begun, as: .server))
            try fixture.apply(FlagOperation(.editSegmentKeys, of: "beta", body: ["add": ["key-0", "key-1"]]))
            store.close()
        }
        let store = try SQLiteTableStore.open(.directory(directory.path))
        defer { store.close() }
        let fixture = try ApprovalFixture(store)
        try fixture.desk.proposals.start()
        fixture.desk.tidy()
        #expect(try fixture.desk.proposals.find(id).state == .applied)
        #expect(try fixture.reader.keys(ofSegment: "beta", limit: 1_000, cursor: nil).records.count == 300)
        #expect(fixture.told == ["resumed", "applied"])
    }

    @Test("A list is by state, flag and page, the newest first")
    func list() throws {
        let fixture = try ApprovalFixture()
        for key in ["a", "b"] { try fixture.createFlag(key) }
        var ids: [String] = []
        for key in ["a", "b", "a"] {
            ids.append(try fixture.propose(ApprovalFixture.turning(key)).id)
            fixture.pass(10)
        }
        _ = try fixture.desk.reject(ids[0], because: nil, by: fixture.caller("bob"), ChangeCircumstances())
        func list(_ state: Proposal.State? = nil, _ flag: String? = nil, _ limit: Int = 9) throws -> ProposalPage {
            try fixture.desk.proposals.page(
                ProposalQuery(in: .production, state: state, flagKey: flag, limit: limit), at: fixture.now)
        }
        #expect(try list().proposals.map(\.id) == ids.reversed())
        #expect(try list(.open).proposals.map(\.id) == [ids[2], ids[1]])
        #expect(try list(nil, "a").proposals.map(\.id) == [ids[2], ids[0]])
        let first = try list(nil, nil, 2)
        #expect(first.proposals.map(\.id) == [ids[2], ids[1]])
        let rest = try fixture.desk.proposals.page(
            ProposalQuery(in: .production, limit: 2, cursor: first.nextCursor), at: fixture.now)
        #expect(rest.proposals.map(\.id) == [ids[0]])
        #expect(rest.nextCursor == nil)
    }
}

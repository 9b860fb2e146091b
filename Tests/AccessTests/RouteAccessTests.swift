import Bytes
import DynamoModel
import FlagCore
import Testing

@testable import Access

@Suite("Who may do what")
struct RouteAccessTests {
    /// What each role may, written down a second time: the first is `Role.permissions`.
    static let roles: [(Role, Permissions)] = [
        (.viewer, [.read]),
        (.editor, [.read, .changeFlags, .changeOverrides]),
        (.operator, [.read, .changeOverrides, .killSwitches]),
        (.admin, [.evaluate, .read, .changeFlags, .changeOverrides, .killSwitches, .administer]),
    ]

    @Test("A role may what the table says, and nothing else", arguments: RouteAccessTests.roles)
    func permissions(role: Role, permissions: Permissions) {
        #expect(role.permissions == permissions)
        #expect(Role.allCases.count == Self.roles.count)
    }

    private static func caller(_ permissions: Permissions, in environments: [Environment]) -> Caller {
        Caller(Principal(.key, "k")) { environments.contains($0) ? permissions : [] }
    }

    @Test("An open route asks nobody who they are")
    func open() {
        #expect(RouteAccess.open.verdict(on: nil) == .admitted)
        #expect(RouteAccess.open.verdict(on: Self.caller([], in: [])) == .admitted)
    }

    @Test("A stranger is asked who they are wherever a route is not open")
    func strangers() {
        for access in [RouteAccess.anyCaller, .needs(.read), .needs([]), .needsEverywhere(.read)] {
            #expect(access.verdict(on: nil) == .unknownCaller)
        }
    }

    @Test("A caller comes in who may in one environment, and with all that is needed")
    func callers() {
        let reader = Self.caller(.read, in: [.staging])
        #expect(RouteAccess.anyCaller.verdict(on: Self.caller([], in: [])) == .admitted)
        #expect(RouteAccess.needs(.read).verdict(on: reader) == .admitted)
        #expect(RouteAccess.needs(.changeFlags).verdict(on: reader) == .forbidden)
        #expect(RouteAccess.needs([.read, .changeFlags]).verdict(on: reader) == .forbidden)
        #expect(RouteAccess.needs(.administer).verdict(on: .anonymous) == .admitted)
    }

    @Test("What concerns all environments is for callers who may in all of them")
    func everywhere() {
        let all = Environment.allCases
        #expect(RouteAccess.needsEverywhere(.read).verdict(on: Self.caller(.read, in: all)) == .admitted)
        #expect(RouteAccess.needsEverywhere(.read).verdict(on: Self.caller(.read, in: [.staging])) == .forbidden)
        #expect(RouteAccess.needsEverywhere(.administer).verdict(on: Self.caller(.read, in: all)) == .forbidden)
        #expect(RouteAccess.needsEverywhere(.administer).verdict(on: .local(user: "root")) == .admitted)
    }

    @Test("The leave to change is for the environments in which a caller may")
    func writeScopes() throws {
        let now = Timestamp(millisecondsSinceEpoch: 7)
        let editor = Self.caller(Role.editor.permissions, in: [.staging])
        var circumstances = ChangeCircumstances()
        circumstances.requestID = "r-1"
        let scope = try #require(editor.writeScope(.changeFlags, in: .staging, at: now, circumstances))
        #expect(scope.principal == Principal(.key, "k"))
        #expect(scope.environment == .staging)
        #expect(scope.instant == now)
        #expect(scope.principal.circumstances?.requestID == "r-1")
        #expect(editor.writeScope(.changeFlags, in: .production, at: now) == nil)
        #expect(editor.writeScope(.killSwitches, in: .staging, at: now) == nil)
        #expect(editor.writeScope([.changeFlags, .killSwitches], in: .staging, at: now) == nil)
    }

    @Test("A command and the server itself change under their own names")
    func ownNames() {
        let now = Timestamp(millisecondsSinceEpoch: 7)
        #expect(Caller.command("import").principal.description == "command import")
        #expect(Caller.local(user: "ann").principal.description == "local:ann")
        #expect(Principal(description: "local:ann") == Principal(.local, "ann"))
        #expect(WriteScope.server("sample-flags", in: .staging, at: now).principal.description == "server sample-flags")
    }
}

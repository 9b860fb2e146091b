import DynamoModel
import FlagCore
import Foundation
import JSON
import TestSupport
import Testing

@testable import Access

@Suite("Policies of access keys")
struct AccessPolicyTests {
    private static let table = "arn:aws:dynamodb:us-east-1:000000000000:table/feature-flags-dev"

    private func policy(_ text: String) throws -> AccessPolicy {
        try AccessPolicy.read(try JSONValue(parsing: text)).policy
    }

    /// A policy of statements, each without its braces.
    private func policy(_ statements: [String]) throws -> AccessPolicy {
        try policy(#"{"Version":"2012-10-17","Statement":[\#(statements.map { "{\($0)}" }.joined(separator: ","))]}"#)
    }

    private static let everything = #""Effect":"Allow","Action":"*","Resource":"*""#

    @Test(
        "An action is allowed by its name, with wildcards, in any case, and by no other",
        arguments: [
            (#""dynamodb:GetItem""#, true), (#""dynamodb:getitem""#, true), (#""DynamoDB:GET*""#, true),
            (#""dynamodb:*""#, true), (#""*""#, true), (#"["dynamodb:PutItem","dynamodb:GetItem"]"#, true),
            (#""dynamodb:Get?tem""#, true), (#""*:*""#, true), (#""dynamodb:PutItem""#, false),
            (#""dynamodb:Get""#, false), (#""dynamodb:GetItems""#, false), (#""dynamodb:Get?Item""#, false),
            (#""logs:*""#, false), (#""s3:GetItem""#, false), (#""dynamo:*""#, false),
        ])
    func action(action: String, isAllowed: Bool) throws {
        let policy = try policy([#""Effect":"Allow","Action":\#(action),"Resource":"*""#])
        let verdict = policy.verdict(on: RequestedAccess("GetItem", to: Self.table))
        #expect(verdict == (isAllowed ? .allowed : .notAllowed))
    }

    @Test(
        "A resource is allowed by its ARN, whatever its region and account, and no other",
        arguments: [
            (table, true), ("*", true), ("arn:aws:dynamodb:*:*:table/feature-flags-*", true),
            ("arn:aws:dynamodb:eu-west-1:123456789012:table/feature-flags-dev", true),
            ("arn:aws:dynamodb:::table/feature-flags-???", true), ("arn:aws:dynamodb:*", true),
            ("arn:aws:dynamodb:*:table/feature-flags-dev", true), ("arn:*", true),
            ("arn:aws:dynamodb:*:*:table/feature-flags-prod", false),
            ("arn:aws:dynamodb:*:*:table/feature-flags-de", false),
            ("arn:aws:dynamodb:*:*:table/feature-flags-devx", false),
            ("arn:aws:dynamodb:*:*:table/Feature-flags-dev", false),
            ("arn:aws:dynamodb:*:*:table/feature-flags-dev/index/*", false),
            ("arn:aws:s3:::feature-flags-dev", false), ("arn:aws:s3:*:*:table/feature-flags-dev", false),
            ("arn:aws:dynamodb:*:*:table/feature-flags-dev?", false),
        ])
    func resource(resource: String, isAllowed: Bool) throws {
        let policy = try policy([#""Effect":"Allow","Action":"dynamodb:*","Resource":"\#(resource)""#])
        let verdict = policy.verdict(on: RequestedAccess("GetItem", to: Self.table))
        #expect(verdict == (isAllowed ? .allowed : .notAllowed))
    }

    @Test("An index is a resource of its own, and what is about no table needs *")
    func index() throws {
        let index = RequestedAccess("Query", to: "\(Self.table)/index/GSI1")
        let ofTable = try policy([#""Effect":"Allow","Action":"dynamodb:*","Resource":"\#(Self.table)""#])
        #expect(ofTable.verdict(on: index) == .notAllowed)
        #expect(ofTable.verdict(on: RequestedAccess("ListTables", to: "*")) == .notAllowed)
        let ofIndex = try policy([#""Effect":"Allow","Action":"dynamodb:*","Resource":"\#(Self.table)/index/*""#])
        #expect(ofIndex.verdict(on: index) == .allowed)
        #expect(ofIndex.verdict(on: RequestedAccess("Query", to: Self.table)) == .notAllowed)
        #expect(try policy([Self.everything]).verdict(on: RequestedAccess("ListTables", to: "*")) == .allowed)
    }

    @Test("What is denied is, in whatever order, and what nobody speaks of is not allowed")
    func denied() throws {
        let deny = #""Effect":"Deny","Action":"dynamodb:Delete*","Resource":"\#(Self.table)""#
        for statements in [[Self.everything, deny], [deny, Self.everything], [deny, Self.everything, deny]] {
            let policy = try policy(statements)
            #expect(policy.verdict(on: RequestedAccess("DeleteItem", to: Self.table)) == .denied)
            #expect(policy.verdict(on: RequestedAccess("GetItem", to: Self.table)) == .allowed)
            #expect(policy.verdict(on: RequestedAccess("DeleteItem", to: Self.table + "x")) == .allowed)
        }
        #expect(try policy([deny]).verdict(on: RequestedAccess("GetItem", to: Self.table)) == .notAllowed)
        #expect(AccessPolicy(statements: []).verdict(on: RequestedAccess("GetItem", to: Self.table)) == .notAllowed)
    }

    @Test("NotAction and NotResource are everything else")
    func negated() throws {
        let policy = try policy([
            #""Effect":"Allow","NotAction":["dynamodb:Delete*","s3:*"],"NotResource":"\#(Self.table)""#
        ])
        let other = Self.table + "-2"
        #expect(policy.verdict(on: RequestedAccess("GetItem", to: other)) == .allowed)
        #expect(policy.verdict(on: RequestedAccess("DeleteTable", to: other)) == .notAllowed)
        #expect(policy.verdict(on: RequestedAccess("GetItem", to: Self.table)) == .notAllowed)
        let denying = try self.policy([
            Self.everything, #""Effect":"Deny","NotAction":"dynamodb:Get*","Resource":"*""#,
        ])
        #expect(denying.verdict(on: RequestedAccess("GetItem", to: other)) == .allowed)
        #expect(denying.verdict(on: RequestedAccess("PutItem", to: other)) == .denied)
    }

    /// What a condition says of what a request is about: where it allows, and where it denies.
    struct Case: Sendable {
        let condition: String
        let names: RequestedAccess.Names
        let isAllowed: Bool
        let isDenied: Bool
    }

    private static let all = #""ForAllValues:StringEquals":{"NAME":["a","b"]}"#
    private static let plain = #""StringEquals":{"NAME":["a","b"]}"#
    private static let like = #""ForAllValues:StringLike":{"NAME":"FLAG#*"}"#
    private static let plainLike = #""StringLike":{"NAME":"FLAG#?"}"#

    static let cases = [
        Case(condition: all, names: .these(["a"]), isAllowed: true, isDenied: true),
        Case(condition: all, names: .these(["b", "a"]), isAllowed: true, isDenied: true),
        Case(condition: all, names: .these(["a", "c"]), isAllowed: false, isDenied: false),
        Case(condition: all, names: .these(["A"]), isAllowed: false, isDenied: false),
        Case(condition: all, names: .any, isAllowed: false, isDenied: true),
        Case(condition: all, names: .none, isAllowed: false, isDenied: true),
        Case(condition: plain, names: .these(["a"]), isAllowed: true, isDenied: true),
        Case(condition: plain, names: .these(["a", "c"]), isAllowed: false, isDenied: true),
        Case(condition: plain, names: .these(["c"]), isAllowed: false, isDenied: false),
        Case(condition: plain, names: .any, isAllowed: false, isDenied: true),
        Case(condition: plain, names: .none, isAllowed: false, isDenied: false),
        Case(condition: like, names: .these(["FLAG#x", "FLAG#"]), isAllowed: true, isDenied: true),
        Case(condition: like, names: .these(["FLAG#x", "TENANT#x"]), isAllowed: false, isDenied: false),
        Case(condition: plainLike, names: .these(["FLAG#x"]), isAllowed: true, isDenied: true),
        Case(condition: plainLike, names: .these(["FLAG#xy"]), isAllowed: false, isDenied: false),
        // The same text to a reader, other bytes in a key.
        Case(
            condition: #""StringEquals":{"NAME":"\u00e9"}"#, names: .these(["e\u{301}"]), isAllowed: false,
            isDenied: false),
        // Several conditions all have to hold.
        Case(condition: all + "," + plainLike, names: .these(["a"]), isAllowed: false, isDenied: false),
    ]

    @Test("A condition holds for the keys and attributes that it names", arguments: cases)
    func condition(_ sample: Case) throws {
        for subject in ["dynamodb:LeadingKeys", "dynamodb:Attributes", "dynamodb:leadingkeys"] {
            let condition = sample.condition.replacing("NAME", with: subject)
            let isOfKeys = subject.lowercased() == "dynamodb:leadingkeys"
            let access = RequestedAccess(
                "GetItem", to: Self.table, leadingKeys: isOfKeys ? sample.names : .these(["other"]),
                attributes: isOfKeys ? .these(["other"]) : sample.names)
            let allowing = try policy([
                #""Effect":"Allow","Action":"*","Resource":"*","Condition":{\#(condition)}"#
            ])
            #expect((allowing.verdict(on: access) == .allowed) == sample.isAllowed, "\(condition)")
            #expect(allowing.asksForLeadingKeys == isOfKeys && allowing.asksForAttributes == !isOfKeys)
            let denying = try policy([
                Self.everything, #""Effect":"Deny","Action":"*","Resource":"*","Condition":{\#(condition)}"#,
            ])
            #expect((denying.verdict(on: access) == .denied) == sample.isDenied, "\(condition)")
        }
    }

    @Test(
        "What is not known in a condition never allows, and cannot deny",
        arguments: [
            #""Condition":{"StringNotEquals":{"dynamodb:LeadingKeys":"a"}}"#,
            #""Condition":{"ForAnyValue:StringEquals":{"dynamodb:LeadingKeys":"a"}}"#,
            #""Condition":{"StringEquals":{"dynamodb:Select":"COUNT"}}"#,
            #""Condition":{"StringEquals":{"dynamodb:LeadingKeys":"a","aws:SourceIp":"10.0.0.1"}}"#,
            #""Condition":{"StringEquals":{"dynamodb:LeadingKeys":"${aws:username}"}}"#,
            #""Condition":{"Null":{"dynamodb:Attributes":"true"}}"#,
        ])
    func unknown(condition: String) throws {
        let rest = #""Action":"dynamodb:*","Resource":"*",\#(condition)"#
        let read = try AccessPolicy.read(try JSONValue(parsing: #"{"Statement":{"Effect":"Allow",\#(rest)}}"#))
        #expect(read.warnings.count == 1, "\(read.warnings)")
        let access = RequestedAccess("GetItem", to: Self.table, leadingKeys: .these(["a"]), attributes: .these(["a"]))
        #expect(read.policy.verdict(on: access) == .notAllowed)
        #expect(throws: DefinitionIssues.self) {
            try AccessPolicy.read(try JSONValue(parsing: #"{"Statement":{"Effect":"Deny",\#(rest)}}"#))
        }
        // What is about other services is their business.
        let other = #""Action":"s3:*","Resource":"*",\#(condition)"#
        let ofOther = try AccessPolicy.read(try JSONValue(parsing: #"{"Statement":{"Effect":"Deny",\#(other)}}"#))
        #expect(ofOther.warnings.isEmpty && ofOther.policy.statements.isEmpty)
    }

    @Test(
        "A document that is none is refused with the place",
        arguments: [
            ("[]", [""]), ("{}", ["/Statement"]), (#"{"Statement":[]}"#, ["/Statement"]),
            (#"{"Statement":[1]}"#, ["/Statement/0"]),
            (#"{"Version":"2020-01-01","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#, ["/Version"]),
            (#"{"Statements":1,"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#, ["/Statements"]),
            (#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#, ["/Statement/Effect"]),
            (#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#, ["/Statement/Action"]),
            (#"{"Statement":{"Effect":"Allow","Action":"*"}}"#, ["/Statement/Resource"]),
            (#"{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}}"#, ["/Statement/Action"]),
            (#"{"Statement":{"Effect":"Allow","Action":"GetItem","Resource":"*"}}"#, ["/Statement/Action"]),
            (#"{"Statement":{"Effect":"Allow","Action":[],"Resource":"*"}}"#, ["/Statement/Action"]),
            (#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"feature-flags"}}"#, ["/Statement/Resource"]),
            (
                #"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}}"#,
                ["/Statement/Principal"]
            ),
            (#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":1}}"#, ["/Statement/Condition"]),
        ])
    func refused(document: String, pointers: [String]) throws {
        let json = try JSONValue(parsing: document)
        let failure = #expect(throws: DefinitionIssues.self) { try AccessPolicy.read(json) }
        #expect(failure?.issues.map(\.pointer) == pointers)
    }

    @Test("A document that is too large is refused")
    func large() throws {
        let statement = #"{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}"#
        let most = Array(repeating: statement, count: 100).joined(separator: ",")
        #expect(try policy(#"{"Statement":[\#(most)]}"#).statements.count == 100)
        let more = try JSONValue(parsing: #"{"Statement":[\#(most),\#(statement)]}"#)
        #expect(throws: DefinitionIssues.self) { try AccessPolicy.read(more) }
        let long = String(repeating: "x", count: 10_240)
        let longer = try JSONValue(parsing: #"{"Id":"\#(long)","Statement":\#(statement)}"#)
        #expect(throws: DefinitionIssues.self) { try AccessPolicy.read(longer) }
    }

    @Test("The shipped policies allow six actions on two tables, and with their indexes")
    func shipped() throws {
        let folder = URL(filePath: Repository.root + "/config/iam")
        let actions = ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"]
        for (file, hasIndexes) in [("flag-operators", false), ("flag-operators-with-indexes", true)] {
            let text = try String(contentsOf: folder.appending(path: "\(file).json"), encoding: .utf8)
            let read = try AccessPolicy.read(try JSONValue(parsing: text))
            #expect(read.warnings.isEmpty)
            for table in [Self.table, Self.table.replacing("dev", with: "prod")] {
                for action in actions {
                    #expect(read.policy.verdict(on: RequestedAccess(action, to: table)) == .allowed)
                }
                let index = RequestedAccess("Query", to: "\(table)/index/GSI2-OWNER-INDEX")
                #expect(read.policy.verdict(on: index) == (hasIndexes ? .allowed : .notAllowed))
                for action in ["DeleteTable", "BatchWriteItem", "UpdateTable", "CreateBackup"] {
                    #expect(read.policy.verdict(on: RequestedAccess(action, to: table)) == .notAllowed)
                }
            }
            let other = RequestedAccess("GetItem", to: Self.table.replacing("dev", with: "local"))
            #expect(read.policy.verdict(on: other) == .notAllowed)
        }
    }

    @Test("A pattern of many stars against a text that does not match costs little")
    func cost() {
        let pattern = WildcardPattern(String(repeating: "*a", count: 1000) + "b")
        let began = ContinuousClock.now
        #expect(!pattern.matches(String(repeating: "a", count: 2048)))
        #expect(ContinuousClock.now - began < .seconds(5))
    }
}

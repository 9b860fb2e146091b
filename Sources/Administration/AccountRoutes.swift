import Access
import AccessStore
import DynamoModel
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON

/// What a person does to their own account.
enum AccountRoutes {
    /// The routes.
    static let routes = [
        AdministrationRoute(.get, "/api/account", "getAccount", looking, get),
        AdministrationRoute(.put, "/api/account/password", "changePassword", changing, changePassword),
        AdministrationRoute(.post, "/api/account/totp", "beginTotp", changing, beginEnrolment),
        AdministrationRoute(.post, "/api/account/totp/confirm", "confirmTotp", changing, confirmEnrolment),
        AdministrationRoute(
            .post, "/api/account/recovery-codes", "renewRecoveryCodes", changing, renewRecoveryCodes),
    ]

    // Also for whoever may nothing yet: they come here to change that.
    private static let looking = RoutePolicy("account", .anyCaller)
    private static let changing = looking.with { $0.audit = .change }.behindPasswords

    private static func get(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let name = try request.user()
        let record = try administration.onUsers { () throws(KeyStoreError) in
            try administration.accounts.users.find(name)
        }
        return .respond(.json(.object(record.json(at: administration.now()))))
    }

    private static func changePassword(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let name = try request.user()
        let body = try request.draft { json throws(DefinitionIssues) in
            try AccountProof(json: json, newPassword: true)
        }
        // What will not do is told before anything is computed.
        if let complaint = OwnAccount.complaint(about: body.newPassword, of: name) {
            return try administration.onOwnAccount { () throws(OwnAccountError) in
                throw .unsuitablePassword(complaint)
            }
        }
        return prove(body, of: name, request, administration) { proof, now throws(OwnAccountError) in
            let record = try administration.accounts.own.changePassword(proof, to: body.newPassword, at: now)
            return .object(record.json(at: now))
        }
    }

    private static func beginEnrolment(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let name = try request.user()
        let body = try request.draft { json throws(DefinitionIssues) in try AccountProof(json: json) }
        return prove(body, of: name, request, administration) { proof, now throws(OwnAccountError) in
            let secret = try administration.accounts.own.beginEnrolment(proof, at: now)
            return ["secret": .string(TypableText.text(of: secret)), "uri": .string(TOTP.uri(name, secret))]
        }
    }

    private static func confirmEnrolment(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let name = try request.user()
        let code = try request.draft { json throws(DefinitionIssues) -> String in
            var reader = FieldReader(body: json, "such as {\"code\": \"123456\"}")
            let code = reader.name("code")
            if code == nil { reader.report("code", "is required: the six digits that the app shows") }
            try reader.finish()
            return code ?? ""
        }
        let (_, codes) = try administration.onOwnAccount { () throws(OwnAccountError) in
            try administration.accounts.own.confirmEnrolment(of: name, code: code, at: administration.now())
        }
        return .respond(.json(recoveryCodes(codes), fields: noStore))
    }

    private static func renewRecoveryCodes(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let name = try request.user()
        let body = try request.draft { json throws(DefinitionIssues) in try AccountProof(json: json) }
        return prove(body, of: name, request, administration) { proof, now throws(OwnAccountError) in
            recoveryCodes(try administration.accounts.own.renewRecoveryCodes(proof, at: now))
        }
    }

    private static let noStore = [("Cache-Control", "no-store")]

    private static func recoveryCodes(_ codes: [String]) -> JSONValue {
        ["recoveryCodes": .array(codes.map { .string($0) })]
    }

    /// Does what needs a proof, and answers with what comes of it, which nobody keeps.
    private static func prove(
        _ body: AccountProof, of name: UserName, _ request: AdministrationRequest, _ administration: Administration,
        _ work: @escaping @Sendable (SignIn.Proof, Timestamp) throws(OwnAccountError) -> JSONValue
    ) -> Outcome {
        let proof = SignIn.Proof(
            name: name.text, password: body.password, code: body.code, from: request.client.number)
        return .passwordWork(.caller) { () throws(Problem) in
            let response = try administration.onOwnAccount { () throws(OwnAccountError) in
                try work(proof, administration.now())
            }
            return .json(response, fields: noStore)
        }
    }
}

/// What somebody shows to change their own account.
private struct AccountProof {
    let password: String
    /// Nil for none.
    let code: String?
    /// Empty where none is asked for.
    let newPassword: String

    /// Reads `{"password", "code"?}`, or `{"password", "newPassword"}`.
    ///
    /// - Throws: everything that is wrong, unknown members included, and nothing of what was sent.
    init(json: JSONValue, newPassword isNew: Bool = false) throws(DefinitionIssues) {
        var reader = FieldReader(
            body: json, isNew ? "with password and newPassword" : "with the password, and a code where there is one")
        let password = reader.name("password")
        if password == nil { reader.report("password", "is required: the one that you have") }
        let code = isNew ? nil : reader.name("code")
        let next = isNew ? reader.name("newPassword") : nil
        if isNew, next == nil { reader.report("newPassword", "is required: \(PasswordRule.expectation)") }
        try reader.finish()
        self.password = password ?? ""
        self.code = code
        newPassword = next ?? ""
    }
}

extension AdministrationRequest {
    /// Whose account is meant: that of whoever asks.
    fileprivate func user() throws(Problem) -> UserName {
        guard caller.principal.kind == .account, let name = UserName(caller.principal.name) else {
            throw Problem(
                .noAccount, "only a person who has signed in has an account; \(caller.principal) is no person")
        }
        return name
    }
}

import Access
import AccessStore
import DynamoModel
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON
import Platform

/// Sessions of persons in browsers, and tokens for persons: what is handed out for a password.
enum SessionRoutes {
    /// The routes.
    static let routes = [
        AdministrationRoute(
            .post, "/api/auth/session", "createSession",
            RoutePolicy("auth", .open).with {
                $0.readsCredentials = true
                $0.audit = .signIn
            }.behindPasswords, create),
        AdministrationRoute(
            .delete, "/api/auth/session", "endSession",
            RoutePolicy("auth", .anyCaller).with {
                $0.readsCredentials = true
                $0.audit = .work
            }, end),
    ]

    private static func create(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let isSecure = request.credentials.isSecure
        guard isSecure || request.client.isLoopback else {
            throw Problem(
                .forbidden,
                "sessions need TLS: a password and a cookie that travel as they are can be read on the way "
                    + "(tls.certificate, or trusted-proxies for a proxy that has the certificate)")
        }
        return try signIn(request, administration) { user, authentication, now throws(KeyStoreError) in
            // Whatever session the browser had before is another's, or somebody has put it there.
            if let former = request.credentials.session { try authentication.sessions.end(former) }
            let id = try authentication.sessions.begin(of: user, at: now)
            return .json(
                ["username": .string(user.name.text), "standing": .string(user.standing.rawValue)],
                fields: [("Cache-Control", "no-store"), SessionCookie.field(id, isSecure: isSecure)])
        }
    }

    private static func end(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        let isSecure = request.credentials.isSecure
        if let authentication = administration.authentication, let id = request.credentials.session {
            try administration.onKeys("session") { () throws(KeyStoreError) in try authentication.sessions.end(id) }
        }
        return .respond(
            HTTPResponse(status: .noContent, fields: [SessionCookie.field(nil, isSecure: isSecure)]))
    }

    /// Has somebody prove who they are by `{"username", "password", "totp"?}`, and hands something out to them.
    static func signIn(
        _ request: AdministrationRequest, _ administration: Administration,
        _ handOut: @escaping @Sendable (UserRecord, Authentication, Timestamp) throws(KeyStoreError) -> HTTPResponse
    ) throws(Problem) -> Outcome {
        guard let authentication = administration.authentication else { throw .authenticationOff }
        let began = SystemClock.monotonicMicroseconds
        let login = try request.draft { json throws(DefinitionIssues) in try Login(json: json) }
        let address = request.client.number
        let proof = SignIn.Proof(name: login.name, password: login.password, code: login.code, from: address)
        // Whoever has signed in from there before is held up by nobody else's mistakes.
        if !administration.accounts.signIn.knows(proof),
            let problem = authentication.throttles.refusal(ofLoginAt: request.client, now: began)
        {
            throw problem
        }
        // Whoever has to wait is told so at once.
        let seconds = administration.accounts.signIn.wait(for: proof)
        if seconds > 0 { throw Problem(.wait(seconds: seconds)) }
        return .passwordWork(.stranger(address ?? 0)) { () throws(Problem) in
            let now = administration.now()
            let user: UserRecord
            do throws(SignInError) { user = try administration.accounts.signIn.signIn(proof, at: now) } catch {
                if error == .refused { authentication.throttles.noteFailedLogin(at: request.client, now: began) }
                throw Problem(error)
            }
            request.identity.principal = "\(user.caller.principal)"
            return try administration.onUsers { () throws(KeyStoreError) in
                try handOut(user, authentication, now)
            }
        }
    }
}

/// Name, password and code of somebody who wants to come in.
private struct Login {
    let name: String
    let password: String
    /// Nil for none.
    let code: String?

    init(json: JSONValue) throws(DefinitionIssues) {
        var reader = FieldReader(body: json, "such as {\"username\": \"ada\", \"password\": \"…\"}")
        let name = reader.name("username")
        let password = reader.name("password")
        let code = reader.name("totp")
        if name == nil { reader.report("username", "is required") }
        if password == nil { reader.report("password", "is required") }
        try reader.finish()
        self.name = name ?? ""
        self.password = password ?? ""
        self.code = code
    }
}

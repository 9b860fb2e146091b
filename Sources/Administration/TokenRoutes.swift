import Access
import AccessStore
import DynamoModel
import FlagCore
import FlagStore
import HTTPRouting
import HTTPTransport
import JSON
import Platform

/// The routes that hand out tokens, and the keys that others check them with.
enum TokenRoutes {
    /// The routes.
    static let routes = [
        AdministrationRoute(.post, "/api/auth/token", "createToken", issuing, create),
        AdministrationRoute(.get, "/.well-known/jwks.json", "getTokenKeys", looking, keys),
    ]

    private static let looking = RoutePolicy("auth", .open)
    private static let issuing = looking.with {
        $0.readsCredentials = true
        $0.audit = .signIn
    }.behindPasswords

    private static func create(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        guard let authentication = administration.authentication else { throw .authenticationOff }
        let now = SystemClock.monotonicMicroseconds
        guard request.credentials.hasForm else { return try createForPerson(request, administration) }
        let response: HTTPResponse
        do throws(OAuthRefusal) {
            let grant = try ClientGrant(request)
            let issued = try administration.onTokens { () throws(KeyStoreError) in
                try authentication.desk.issue(forKey: grant.selector, secret: grant.secret, at: administration.now())
            }
            guard let issued else { throw OAuthRefusal.client(grant.isBasic) }
            request.identity.principal = "\(Principal(.key, grant.selector))"
            response = .json(
                [
                    "access_token": .string(issued.token), "token_type": "Bearer",
                    "expires_in": .integer(issued.seconds),
                ], fields: OAuthRefusal.fields)
        } catch {
            if error.isOfClient {
                // Not before: a key that is right is let in whatever others at the same address try.
                if let problem = authentication.throttles.refusal(ofLoginAt: request.client, now: now) { throw problem }
                authentication.throttles.noteFailedLogin(at: request.client, now: now)
            }
            response = error.response
        }
        return .respond(response)
    }

    /// A token for a person, who shows name, password and code.
    private static func createForPerson(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        try SessionRoutes.signIn(request, administration) { user, authentication, now throws(KeyStoreError) in
            let issued = try authentication.desk.issue(for: user, at: now)
            return .json(
                [
                    "accessToken": .string(issued.token), "tokenType": "Bearer",
                    "expiresIn": .integer(issued.seconds),
                ], fields: OAuthRefusal.fields)
        }
    }

    private static func keys(
        _ request: AdministrationRequest, _ administration: Administration
    ) throws(Problem) -> Outcome {
        guard let authentication = administration.authentication else {
            return .respond(.json(["keys": []]))
        }
        let set = try administration.onKeys("key") { () throws(KeyStoreError) in
            try authentication.desk.publicHalves(at: administration.now())
        }
        return .respond(.json(set))
    }
}

/// What the routes that hand out tokens work with.
package struct Authentication: Sendable {
    let desk: TokenDesk
    let sessions: SessionStore
    let throttles: Throttles

    /// What they work with.
    package init(_ desk: TokenDesk, sessions: SessionStore, throttles: Throttles) {
        self.desk = desk
        self.sessions = sessions
        self.throttles = throttles
    }
}

/// A key that is to be exchanged for a token: OAuth 2's grant `client_credentials` (RFC 6749 section 4.4).
private struct ClientGrant {
    let selector: String
    let secret: String
    /// Whether it was shown in `Authorization`.
    let isBasic: Bool

    init(_ request: AdministrationRequest) throws(OAuthRefusal) {
        guard let form = FormContent.members(request.body) else {
            throw OAuthRefusal(.request, "the form cannot be decoded, or names something twice")
        }
        guard let type = form["grant_type"] else {
            throw OAuthRefusal(.request, "the form needs grant_type=client_credentials")
        }
        guard type == "client_credentials" else {
            throw OAuthRefusal(.grantType, "client_credentials is the only grant there is")
        }
        if request.credentials.hasOtherScheme {
            throw OAuthRefusal(.request, "Authorization must be Basic here: selector and key of an API key")
        }
        if let basic = request.credentials.basic {
            guard form["client_secret"] == nil, form["client_id"] ?? basic.name == basic.name else {
                throw OAuthRefusal(.request, "show the key once: in Authorization, or in the form")
            }
            // RFC 6749 section 2.3.1: both are encoded as in a form. Neither has characters that would be.
            guard let name = FormContent.decoded(basic.name.utf8), let secret = FormContent.decoded(basic.password.utf8)
            else { throw OAuthRefusal.client(true) }
            (selector, self.secret, isBasic) = (name, secret, true)
        } else {
            guard let id = form["client_id"], let text = form["client_secret"] else {
                throw OAuthRefusal(
                    .request, "the form needs client_id, the selector of an API key, and client_secret, the key")
            }
            (selector, secret, isBasic) = (id, text, false)
        }
    }
}

/// Why no token is handed out, as OAuth 2 says it (RFC 6749 section 5.2).
private struct OAuthRefusal: Error {
    enum Kind: String {
        case request = "invalid_request"
        case client = "invalid_client"
        case grantType = "unsupported_grant_type"
        case server = "temporarily_unavailable"
    }

    /// No answer with a token, or about one, is kept by anybody (RFC 6749 section 5.1).
    static let fields = [(name: "Cache-Control", value: "no-store"), (name: "Pragma", value: "no-cache")]

    let kind: Kind
    let detail: String
    private var isBasic = false

    init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    /// The key is none of this server, or good no more: nobody is told which.
    static func client(_ isBasic: Bool) -> OAuthRefusal {
        var refusal = OAuthRefusal(.client, "this is no API key of this server, or it has ended")
        refusal.isBasic = isBasic
        return refusal
    }

    /// Whether a secret was wrong.
    var isOfClient: Bool { kind == .client }

    var response: HTTPResponse {
        let status: HTTPStatus =
            switch kind {
            case .client: .unauthorized
            case .server: .serviceUnavailable
            case .request, .grantType: .badRequest
            }
        let challenge = isBasic ? [(name: "WWW-Authenticate", value: "Basic realm=\"flag-server\"")] : []
        return .json(
            ["error": .string(kind.rawValue), "error_description": .string(detail)], status: status,
            fields: Self.fields + challenge)
    }
}

extension Administration {
    /// Works on keys for somebody who speaks OAuth.
    fileprivate func onTokens<Result>(_ work: () throws(KeyStoreError) -> Result) throws(OAuthRefusal) -> Result {
        do throws(KeyStoreError) { return try work() } catch {
            throw OAuthRefusal(.server, "the store does not answer, or its access.key cannot be read: see the log")
        }
    }
}

extension Problem {
    /// A token from a server that asks nobody for one.
    static let authenticationOff = Problem(
        .authenticationOff, "this server asks nobody who they are (auth: off): send requests as they are")
}

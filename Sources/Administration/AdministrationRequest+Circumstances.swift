import Access
import Bytes
import DynamoModel
import HTTPRouting

extension AdministrationRequest {
    /// Who makes the change that is asked for, and in what circumstances: what every change wants that is made without
    /// a `WriteScope`.
    var principal: Principal { principal(because: nil) }

    /// The same with a reason that is given elsewhere than in the request's field.
    func principal(because reason: String?) -> Principal {
        var circumstances = circumstances
        if let reason { circumstances.reason = reason }
        return caller.principal.with(circumstances)
    }

    /// How the change that is asked for comes about.
    var circumstances: ChangeCircumstances {
        var circumstances = ChangeCircumstances()
        circumstances.reason = reason
        circumstances.requestID = requestID.text
        circumstances.address = "\(client)"
        circumstances.userAgent = userAgent
        circumstances.proof = caller.principal.proof(showing: proof)
        return circumstances
    }
}

extension Principal {
    /// By what somebody proves who they are.
    ///
    /// - Parameter credential: what kind of credential they show; nil for none.
    func proof(showing credential: String?) -> String? {
        switch kind {
        // Where nobody is asked who they are, nothing is proved by what is shown.
        case .anonymous, .server: nil
        // The kernel vouches for these.
        case .local, .command: "user of this machine"
        case .account, .key, .accessKey: credential
        }
    }
}

import DynamoModel
import DynamoService
import HTTPTransport
import JSON

/// What is asked of the DynamoDB port and is no operation of it: `AWS_ENDPOINT_URL` sends there what is meant for any
/// service. The response says so in the form that the client of that service reads.
enum OtherService {
    /// A response.
    struct Refusal {
        var status: UInt16 = 400
        /// nil for the one that the request has.
        var contentType: StaticString?
        var body: [UInt8]
    }

    /// The refusal of a request that was signed for another service.
    static func refusal(of request: borrowing HTTPRequest, signedFor service: String) -> Refusal {
        let message =
            "This server answers for DynamoDB and not for \(service). AWS_ENDPOINT_URL is for all services: set "
            + "AWS_ENDPOINT_URL_DYNAMODB in its place"
        return refusal(message, in: Form(request, service))
    }

    /// The refusal of what is no call of DynamoDB's protocol.
    static func refusalOfNoCall(_ request: borrowing HTTPRequest) -> Refusal {
        let message =
            "This is a server of DynamoDB's protocol: POST / with the operation in X-Amz-Target and JSON of the type "
            + "application/x-amz-json-1.0"
        var refusal = refusal(message, in: Form(request, ""))
        refusal.status = 404
        return refusal
    }

    /// The refusal of an operation that there is none of.
    static func refusalOfOperation(_ request: borrowing HTTPRequest) -> ProtocolError {
        guard let target = request.field("x-amz-target") else {
            return ProtocolError(.unknownOperation, "X-Amz-Target is missing: it names the operation")
        }
        return .unknown(String(decoding: target.prefix(targetMaximum), as: UTF8.self))
    }

    /// Bytes that are told of an operation's name at most.
    private static let targetMaximum = 100

    /// How a client wants to be told an error (smithy.io/2.0/aws/protocols).
    private enum Form {
        /// A member `__type` in JSON.
        case json
        /// `ErrorResponse` around the error, as Query services have it: STS, IAM, SNS.
        case query
        /// The error alone, as S3 has it.
        case xml

        init(_ request: borrowing HTTPRequest, _ service: String) {
            let type = request.field("content-type")
            if type.map({ $0.starts(with: "application/x-www-form-urlencoded".utf8) }) ?? false {
                self = .query
            } else {
                self = Self.servicesOfXML.contains(service) ? .xml : .json
            }
        }

        private static let servicesOfXML: Set = ["s3", "route53", "cloudfront"]
    }

    private static func refusal(_ message: String, in form: Form) -> Refusal {
        let code = ProtocolError.Code.unknownOperation
        switch form {
        case .json: return Refusal(body: ProtocolResponse(ProtocolError(code, message)).body)
        case .xml: return Refusal(contentType: "application/xml", body: Array(xml(code, message).utf8))
        case .query:
            let body = "<ErrorResponse>\(xml(code, message))</ErrorResponse>"
            return Refusal(contentType: "text/xml", body: Array(body.utf8))
        }
    }

    /// Neither has anything that would have to be escaped.
    private static func xml(_ code: ProtocolError.Code, _ message: String) -> String {
        "<Error><Code>\(code.rawValue)</Code><Message>\(message)</Message></Error>"
    }
}

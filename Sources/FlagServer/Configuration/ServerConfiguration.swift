import Access
import ChangeControl
import Evaluation
import FlagCache
import FlagCore
import FlagStore
import HTTPTransport
import Logging

/// Everything that an operator decides about a server, checked and complete.
///
/// Made by `ServerConfiguration.load` from the command line, the environment, a file and the defaults of the profile,
/// in this order.
struct ServerConfiguration: Sendable, Equatable {
    /// Sizes the cache, names the table, and says which environment a request without one means.
    var profile: Profile
    /// The file that was read, or nil when there was none and the built-in defaults apply.
    var file: String?
    /// What an operator should know of how it was read.
    var notices: [String] = []

    /// The addresses to listen on, with commas between: names, IPv4 and IPv6 addresses, and paths behind `unix:`.
    var host = "127.0.0.1"
    /// The port to listen on; 0 takes a free one.
    var port = 3001
    /// Names beside this machine's own that clients may call the server by while authentication is off.
    var hosts: [String] = []
    /// Proxies whose word on who asks counts.
    var trustedProxies: [AddressRange] = []
    /// How many event loops serve connections, each on a thread of its own.
    var loops = Loops.cores

    /// Where the flags are kept.
    var store = Store.sqlite
    /// The directory that holds everything the server writes.
    var dataDirectory: String
    /// The file of the key that what is stored is encrypted by; nil where none is named.
    var atRestKey: String?
    /// The file of the key that did so before; nil where none is named.
    var atRestFormerKey: String?
    /// A file with flags to load when the store is empty.
    var sampleFlags: String?

    /// Whether requests must carry a key.
    var auth: Authentication
    /// How often callers may ask, where they show keys.
    var throttle = Throttle()

    /// Who has to agree to changes, and when nothing changes.
    var changes = ChangeSettings()

    /// A file that lists others whose tokens are taken.
    var tokenIssuers: String?

    /// The origins whose pages may have a browser evaluate flags; `*` for all, with keys that everybody may read.
    var corsOrigins: [String] = []

    /// From where metrics are read without a key.
    var metricsReaders: [AddressRange] = []

    /// What the audit log keeps, demands, and where it is copied to.
    var audit = Audit()

    /// The port for DynamoDB's protocol; 0 takes a free one, nil is closed.
    var dynamodbPort: Int?
    /// What differs there from the other port.
    var dynamodb = DynamoDB()

    /// What is written to standard error.
    var log: Log
    /// How flags are evaluated.
    var evaluation = Evaluation()
    /// What each event loop keeps of the store.
    var cache: CacheLimits
    /// How much is kept of the changes of the tables.
    var stream = Stream()
    /// How much is kept of the histories of flags and segments.
    var history = HistoryLimits()
    /// For how long a schedule may be overdue and still be applied.
    var scheduleLate = Duration.seconds(3600)
    /// Bounds on what a peer may send.
    var limits = HTTPLimits()
    /// Bytes that the response of all flags may have.
    var bulkResponseBytes = 8 << 20
    /// Bounds on the context of an evaluation.
    var contextLimits = ContextLimits()
    /// The certificate that secures connections over TCP; nil for none.
    var tls: TLSConfiguration?
    /// Who secures connections that are not secured here.
    var tlsTermination = TLSTermination.here
    /// Which answers are compressed.
    var compression = HTTPCompression()
    /// Bounds on how long a peer, or the work for it, may take.
    var timeouts = HTTPTimeouts()
    /// For requests under way when the server is asked to stop.
    var drainTimeout = Duration.seconds(10)

    /// How many event loops there are.
    enum Loops: Sendable, Equatable {
        /// As many as the machine has cores.
        case cores
        /// That many.
        case exactly(Int)
    }

    /// Where flags are kept.
    enum Store: String, Sendable, CaseIterable {
        /// In one SQLite file in the data directory.
        case sqlite
        /// In memory: nothing is written to disk, and everything is gone when the server stops.
        case memory
    }

    /// Whether requests must carry a key.
    enum Authentication: String, Sendable, CaseIterable {
        case on, off
    }

    /// Who secures connections from other machines.
    enum TLSTermination: String, Sendable, CaseIterable {
        /// This server, where it has a certificate.
        case here
        /// A proxy in front of it, which the operator vouches for.
        case proxy
    }

    /// How often callers may ask.
    struct Throttle: Sendable, Equatable {
        /// A bound on how often.
        enum Bound: Sendable, Equatable {
            case off
            case rate(RequestRate)

            /// The rate; nil for no bound.
            var rate: RequestRate? { if case .rate(let rate) = self { rate } else { nil } }
        }

        /// Each caller for administration, and each address that shows no good key.
        var administration = Bound.rate(RequestRate(requests: 100, seconds: 60))
        /// All together for evaluations.
        var evaluations = Bound.rate(RequestRate(requests: 10_000, seconds: 1))
    }

    /// What differs on the port for DynamoDB's protocol: bounds and time-outs that are not named are those of the other
    /// port.
    struct DynamoDB: Sendable, Equatable {
        /// Bytes of content: DynamoDB takes requests of up to 16 MB (developer guide, "Service, account, and table
        /// quotas").
        var bodyBytes = 16 << 20
        /// Between two requests: clients pool connections and expect them to stay open.
        var idle = Duration.seconds(600)
        /// For the work on a request: a table with many items takes its time to delete.
        var handler = Duration.seconds(300)
        /// For a request from its first byte to its response.
        var request = Duration.seconds(330)
        /// Whether connections over TCP are secured.
        var tls = Security.off

        /// Whether connections are secured, with the certificate of the other port.
        enum Security: String, Sendable, CaseIterable {
            case on, off
        }
    }

    /// What is written to standard error, and how.
    struct Log: Sendable, Equatable {
        /// The least important level that is written.
        var level = Logger.Level.info
        /// Where it is another for lines about something.
        var moduleLevels: [LogModule: Logger.Level] = [:]
        /// Which responses are told of.
        var access = AccessLog.Scope.off
        var format: Format

        /// How a line looks.
        enum Format: String, Sendable, CaseIterable {
            /// One JSON object a line.
            case json
            /// For reading in a terminal.
            case text
        }
    }

    /// How much is kept of the changes of the tables.
    struct Stream: Sendable, Equatable {
        /// How long a change is kept.
        var retention = Duration.seconds(24 * 3600)
        /// The most bytes of all changes; 0 for no bound. What somebody still needs is kept all the same.
        var maximumBytes = 10 << 30
    }

    /// What the audit log keeps, demands, and where it is copied to.
    struct Audit: Sendable, Equatable {
        /// For how many days records are kept.
        var retentionDays = 90
        /// The environments in which nothing is changed without a reason.
        var reasonRequired: Set<Environment> = []
        /// Where records are copied to as well; nil for nowhere.
        var destination: AuditDestination?
    }

    /// How flags are evaluated.
    struct Evaluation: Sendable, Equatable {
        /// Which way of bucketing `fractional` uses; fixed for a data directory when it is created.
        var fractional = FractionalVersion.v3
    }
}

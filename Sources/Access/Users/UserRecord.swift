import DynamoModel
import FlagCore

/// A person's account as it is kept: no password and no code can be told from it.
package struct UserRecord: Sendable, Equatable {
    /// What is kept of a password.
    package struct Password: Sendable, Equatable {
        /// What scrypt makes of it.
        package let digest: [UInt8]
        /// What makes it another digest than that of the same password elsewhere.
        package let salt: [UInt8]
        /// What it costs to compute.
        package let cost: PasswordCost
        /// Until when it can be used where it was made for somebody, who is to change it at once; nil for their own.
        package let oneTimeEnd: Timestamp?

        /// What is kept of one.
        package init(digest: [UInt8], salt: [UInt8], cost: PasswordCost, oneTimeEnd: Timestamp? = nil) {
            self.digest = digest
            self.salt = salt
            self.cost = cost
            self.oneTimeEnd = oneTimeEnd
        }
    }

    /// What is kept of the second factor.
    package struct SecondFactor: Sendable, Equatable {
        /// The shared secret, sealed under the server's key.
        package let sealedSecret: [UInt8]
        /// The step of the last code that was taken: that one and those before are never taken again.
        package var lastStep: Int64

        /// A second factor.
        package init(sealedSecret: [UInt8], lastStep: Int64) {
            self.sealedSecret = sealedSecret
            self.lastStep = lastStep
        }
    }

    /// What somebody has to do before they may do anything else.
    package enum Standing: String, Sendable, CaseIterable {
        /// Nothing.
        case good
        /// They have a password that was made for them.
        case mustChangePassword
        /// Their roles need a second factor, and they have none.
        case mustEnrol
    }

    package let name: UserName
    /// What they are trusted with.
    package var roles: UserRoles
    package let createdAt: Timestamp
    /// The principal that made it.
    package let createdBy: String
    package var password: Password
    /// The second factor; nil for none.
    package var secondFactor: SecondFactor?
    /// The secret of a second factor that was begun and not confirmed, sealed; nil for none.
    package var begunSecret: [UInt8]?
    /// What is kept of the recovery codes that were not used.
    package var recoveryDigests: [[UInt8]]
    /// When it was disabled; nil while it is not.
    package var disabledAt: Timestamp?
    /// What everything that revokes moves on: whatever was handed out under another is good no more. Milliseconds since
    /// 1970, or one more than before where the clock was set back; never used twice.
    package private(set) var revision: Int64

    /// An account of these parts.
    package init(
        name: UserName, roles: UserRoles, createdAt: Timestamp, createdBy: String, password: Password,
        secondFactor: SecondFactor? = nil, begunSecret: [UInt8]? = nil, recoveryDigests: [[UInt8]] = [],
        disabledAt: Timestamp? = nil, revision: Int64
    ) {
        self.name = name
        self.roles = roles
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.password = password
        self.secondFactor = secondFactor
        self.begunSecret = begunSecret
        self.recoveryDigests = recoveryDigests
        self.disabledAt = disabledAt
        self.revision = revision
    }

    /// Has everything end that was handed out until now.
    package mutating func revoke(at now: Timestamp) { revision = max(revision + 1, now.millisecondsSinceEpoch) }

    /// What they have to do before they may do anything else.
    package var standing: Standing {
        if password.oneTimeEnd != nil { return .mustChangePassword }
        return roles.needSecondFactor && secondFactor == nil ? .mustEnrol : .good
    }

    /// The person as a caller: one who may what their roles may, and nothing but see to their own account while their
    /// standing is not good or the account is disabled.
    package var caller: Caller {
        let may = standing == .good && disabledAt == nil
        return Caller(Principal(.account, name.text)) { [roles] in may ? roles.permissions(in: $0) : [] }
    }

    /// Whether another record lets in the same person in the same way: what is used up by signing in is left aside.
    package func letsIn(like other: UserRecord) -> Bool {
        revision == other.revision && roles == other.roles && standing == other.standing
            && disabledAt == other.disabledAt
    }
}

/// What computing the digest of a password costs (RFC 7914 section 2).
package struct PasswordCost: Sendable, Equatable {
    /// N, a power of two: how often, and 128·N·r bytes of memory.
    package let rounds: Int
    /// r.
    package let blockSize: Int
    /// p.
    package let parallelism: Int

    /// A cost.
    package init(rounds: Int, blockSize: Int, parallelism: Int) {
        self.rounds = rounds
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// The cost of every password that is set: 128 MiB, and about a third of a second of one core.
    package static let standard = PasswordCost(rounds: 1 << 17, blockSize: 8, parallelism: 1)

    /// The memory that one digest takes while it is computed.
    package var memoryBytes: Int { 128 * rounds * blockSize }

    /// Whether a digest can be computed at this cost: what was written elsewhere must not take all memory.
    package var isBounded: Bool {
        (2...(1 << 20)).contains(rounds) && rounds.nonzeroBitCount == 1 && (1...8).contains(blockSize)
            && (1...16).contains(parallelism)
    }
}

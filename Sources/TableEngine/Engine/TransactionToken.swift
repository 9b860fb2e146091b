import DynamoModel
import SQLite

/// The token that the sender of a transaction gave it, stored in the transaction itself: so it is known also after a
/// crash that the transaction happened, and one that is sent again is not done again.
package struct TransactionToken: Sendable, Equatable {
    /// What the sender calls it.
    package let name: String
    /// Tells what the transaction does from what others do.
    package let fingerprint: [UInt8]
    /// When it came, in milliseconds since 1970.
    package let admittedAt: Int64
    /// Those that are good no longer, and are forgotten with it.
    package var outlived: [Outlived] = []

    /// Takes the parts as they are.
    package init(name: String, fingerprint: [UInt8], admittedAt: Int64, outlived: [Outlived] = []) {
        self.name = name
        self.fingerprint = fingerprint
        self.admittedAt = admittedAt
        self.outlived = outlived
    }

    /// A token that is good no longer. The same name may have come again since.
    package struct Outlived: Sendable, Equatable {
        /// What its sender called it.
        let name: String
        /// When it came, in milliseconds since 1970.
        let admittedAt: Int64

        /// The token of a name that came then.
        package init(name: String, admittedAt: Int64) {
            self.name = name
            self.admittedAt = admittedAt
        }
    }

    /// How long a token is good for, as in DynamoDB.
    package static let lifetimeMilliseconds: Int64 = 10 * 60 * 1000
}

extension StoreFile {
    /// Makes the table of tokens where there is none; files of earlier versions have none.
    static func layOutTokens(_ connection: DatabaseConnection) throws(SQLiteError) {
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS token(
                name TEXT PRIMARY KEY, fingerprint BLOB NOT NULL, admitted_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS token_age ON token(admitted_at);
            """, operation: "lay out")
    }

    /// Adds a token, and forgets those that it has outlived.
    static func add(_ connection: DatabaseConnection, _ token: TransactionToken) throws(SQLiteError) {
        let delete = try connection.statement("DELETE FROM token WHERE name = ?1 AND admitted_at = ?2")
        for outlived in token.outlived {
            try delete.bind(outlived.name, at: 1)
            try delete.bind(outlived.admittedAt, at: 2)
            try delete.run()
        }
        let insert = try connection.statement(
            "INSERT OR REPLACE INTO token(name, fingerprint, admitted_at) VALUES(?1, ?2, ?3)")
        try insert.bind(token.name, at: 1)
        try insert.bind(token.fingerprint, at: 2)
        try insert.bind(token.admittedAt, at: 3)
        try insert.run()
    }

    /// The tokens, the oldest first.
    static func tokens(_ connection: DatabaseConnection) throws(SQLiteError) -> [TransactionToken] {
        let select = try connection.statement("SELECT name, fingerprint, admitted_at FROM token ORDER BY admitted_at")
        defer { select.reset() }
        var tokens: [TransactionToken] = []
        while try select.step() {
            tokens.append(
                TransactionToken(
                    name: select.text(0), fingerprint: [UInt8](select.blob(1)), admittedAt: select.int64(2)))
        }
        return tokens
    }
}

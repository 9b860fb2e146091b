import CSQLite

extension DatabaseConnection {
    /// Runs `body` on one unchanging state of the database: that of this call, not of the first read in it.
    package func read<Result, Failure: Error>(
        failing convert: (SQLiteError) -> Failure, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do throws(SQLiteError) {
            try statement("BEGIN").run("begin reading")
            // A transaction holds its state only from its first read on.
            try statement("SELECT 1 FROM sqlite_schema LIMIT 1").run("begin reading")
        } catch {
            rollBack()
            throw convert(error)
        }
        // Nothing was written: ending it either way is the same, and rolling back cannot fail for lack of space.
        defer { rollBack() }
        return try body()
    }

    /// Begins a transaction that holds the write lock from the start.
    package func beginWriting() throws(SQLiteError) { try statement("BEGIN IMMEDIATE").run("begin writing") }

    /// Makes sure that the transaction is still there.
    ///
    /// After some errors (no space, no memory, a failed read or write), SQLite rolls the transaction back by itself, in
    /// whatever statement they come, and what follows would be committed statement by statement.
    package func requireTransaction() throws(SQLiteError) {
        guard isInTransaction else {
            throw SQLiteError(
                operation: "go on writing", path: path, extendedCode: SQLITE_ABORT,
                message: "the transaction was rolled back")
        }
    }

    /// Makes what was written since `beginWriting` durable.
    package func commit() throws(SQLiteError) { try statement("COMMIT").run("commit to") }

    /// Takes back what was written since `beginWriting`, if SQLite has not done so itself after an error.
    package func rollBack() {
        guard isInTransaction else { return }
        // A failure leaves a transaction that SQLite has already given up; closing the connection ends it.
        try? statement("ROLLBACK").run("roll back")
    }

    /// Runs `body` in a transaction of its own, durable when this returns; whatever `body` throws takes it all back.
    package func write<Result>(_ body: () throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
        try beginWriting()
        do throws(SQLiteError) {
            let result = try body()
            try commit()
            return result
        } catch {
            rollBack()
            throw error
        }
    }
}

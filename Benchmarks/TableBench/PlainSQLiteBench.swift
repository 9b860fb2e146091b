import SQLite

/// SQLite without an engine on top: a row of the same size under the same key, every commit synced.
struct PlainSQLiteBench {
    let connection: DatabaseConnection

    init(_ directory: String) throws {
        connection = try DatabaseConnection(
            path: "\(directory)/plain.db", mode: .create, busyTimeoutMilliseconds: 1_000)
        try connection.prepareForWriting()
        try connection.execute(
            "CREATE TABLE item(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, content BLOB NOT NULL) STRICT")
    }

    func run(_ count: Int) throws -> Figures {
        let content = [UInt8](repeating: 0x61, count: BenchItems.itemBytes)
        for start in stride(from: 0, to: count, by: 10_000) {
            try connection.write { () throws(SQLiteError) in
                for number in start..<min(count, start + 10_000) { try put(number, content) }
            }
        }
        var figures = Figures()
        figures["get"] = try microseconds(times: 50_000) { step in try get(scattered(step, below: count)) }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(2)
        var puts = 0
        while clock.now < end {
            try connection.write { () throws(SQLiteError) in try put(count + puts, content) }
            puts += 1
        }
        figures["puts"] = Double(puts) / 2
        connection.close()
        return figures
    }

    private func get(_ number: Int) throws(SQLiteError) {
        let select = try connection.statement("SELECT content FROM item WHERE key = ?1")
        defer { select.reset() }
        try select.bind(key(number), at: 1)
        guard try select.step(), select.blob(0).count == BenchItems.itemBytes else {
            preconditionFailure("Row \(number) is missing")
        }
    }

    private func put(_ number: Int, _ content: [UInt8]) throws(SQLiteError) {
        let insert = try connection.statement("INSERT INTO item(key, content) VALUES(?1, ?2)")
        try insert.bind(key(number), at: 1)
        try insert.bind(content, at: 2)
        try insert.run()
    }

    private func key(_ number: Int) -> [UInt8] { Array("P#\(number / 100)#I#\(number % 100)".utf8) }
}

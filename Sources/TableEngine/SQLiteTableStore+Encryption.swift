import DynamoModel

extension SQLiteTableStore: TableEncryption {
    package func encryption() throws(TableError) -> EncryptionState {
        let noted = try resealer.noted()
        let ring = seal.ring
        return EncryptionState(
            key: ring?.keeper, dataKey: ring?.current.map(DataKey.name), dataKeyCount: ring?.wrapped.count ?? 0,
            left: noted?.left, isUnderWay: resealer.isRunning, mayHavePlain: noted?.mayHavePlain ?? false)
    }

    package func rotateDataKey() throws(TableError) -> Bool {
        let keys = try readKeys()
        if try resealer.noted() != nil, keys.current?.id == seal.ring?.keeper { return false }
        try resealer.begin(keys)
        return true
    }

    package func encryptAnew(watch: WorkWatch) throws(TableError) -> Int { try resealer.run(watch) }
}

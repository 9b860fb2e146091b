/// The encryption of what is stored, as whoever looks after it sees it. The functions block.
package protocol TableEncryption: Sendable {
    /// How things stand.
    func encryption() throws(TableError) -> EncryptionState

    /// Takes another data key, by which everything that is written is encrypted from now on; the operator's keys are
    /// read again. Where what is stored is not yet encrypted by the one that there is, that stays.
    ///
    /// - Returns: whether there is another data key.
    func rotateDataKey() throws(TableError) -> Bool

    /// Encrypts anew what is stored and not as it should be, to its end or until it is given up. O(everything).
    ///
    /// - Returns: how many items and changes cannot be read, which are left as they are.
    func encryptAnew(watch: WorkWatch) throws(TableError) -> Int
}

/// How the encryption of what is stored stands.
package struct EncryptionState: Sendable, Equatable {
    /// What the operator's key is called; nil where nothing was ever encrypted.
    package let key: String?
    /// What the data key is called that everything written is encrypted by; nil where nothing is.
    package let dataKey: String?
    /// How many data keys there are, with former ones.
    package let dataKeyCount: Int
    /// How many rows and changes are still to be encrypted anew; nil when that is over.
    package let left: Int?
    /// Whether that is done at the moment.
    package let isUnderWay: Bool
    /// Whether parts of the file that are not in use may hold what was not encrypted, until the next start.
    package let mayHavePlain: Bool

    /// Takes the parts as they are.
    package init(
        key: String?, dataKey: String?, dataKeyCount: Int, left: Int?, isUnderWay: Bool, mayHavePlain: Bool
    ) {
        self.key = key
        self.dataKey = dataKey
        self.dataKeyCount = dataKeyCount
        self.left = left
        self.isUnderWay = isUnderWay
        self.mayHavePlain = mayHavePlain
    }
}

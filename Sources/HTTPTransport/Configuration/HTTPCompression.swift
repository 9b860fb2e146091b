/// Which answers are compressed with gzip for clients that ask for it.
package struct HTTPCompression: Sendable, Equatable {
    /// Bytes that content has at least; below that, compressing costs more than it saves. 0 turns compression off.
    package var minimumBytes = 1024
    /// Bytes that content has at most: the loop's other connections wait while it is compressed.
    package var maximumBytes = 1024 * 1024
    /// 1 for fast to 9 for small.
    package var level = 1

    /// The defaults.
    package init() {}

    /// Checks each setting.
    ///
    /// - Throws: `TransportError.invalidConfiguration`, naming the setting.
    package func validate() throws(TransportError) {
        try require("compression's minimumBytes", minimumBytes, in: 0...1_073_741_824)
        try require("compression's maximumBytes", maximumBytes, in: 0...1_073_741_824)
        try require("compression's level", level, in: 1...9)
    }
}

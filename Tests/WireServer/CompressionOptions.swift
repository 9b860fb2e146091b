import ArgumentParser
import HTTPTransport

/// Which answers are compressed, as options.
struct CompressionOptions: ParsableArguments {
    private static let defaults = HTTPCompression()

    @Option(help: "Bytes of content from which on it is compressed for clients that ask; 0 for never.")
    var gzipMinimum = CompressionOptions.defaults.minimumBytes

    @Option(help: "Bytes of content up to which it is compressed.")
    var gzipMaximum = CompressionOptions.defaults.maximumBytes

    @Option(help: "1 for fast to 9 for small.")
    var gzipLevel = CompressionOptions.defaults.level

    /// What was chosen.
    var compression: HTTPCompression {
        var compression = HTTPCompression()
        compression.minimumBytes = gzipMinimum
        compression.maximumBytes = gzipMaximum
        compression.level = gzipLevel
        return compression
    }
}

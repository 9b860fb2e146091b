import FlagCore
import Glibc

/// Instants as the clocks of this machine show them.
enum LocalTime {
    /// A time of RFC 3339 as it is, and as it is here: `2026-12-24T07:00:00.000Z (2026-12-24 08:00:00 +0100)`. What is
    /// no time stays as it is.
    static func both(_ text: String) -> String {
        guard let time = Timestamp(rfc3339: text), let here = here(time) else { return text }
        return "\(text) (\(here))"
    }

    private static func here(_ time: Timestamp) -> String? {
        var seconds = time_t(time.secondsSinceEpoch)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return nil }
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S %z", &parts)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}

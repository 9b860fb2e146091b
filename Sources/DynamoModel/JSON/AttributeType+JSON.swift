import Bytes
import JSON

extension AttributeType {
    /// The type of a code, given as bytes; nil for any other. Without making a string.
    package init?(code: UnsafeRawBufferPointer) {
        switch code.count {
        case 1:
            switch code[0] {
            case UInt8(ascii: "S"): self = .string
            case UInt8(ascii: "N"): self = .number
            case UInt8(ascii: "B"): self = .binary
            case UInt8(ascii: "L"): self = .list
            case UInt8(ascii: "M"): self = .map
            default: return nil
            }
        case 2:
            guard code[1] == UInt8(ascii: "S") else { return nil }
            switch code[0] {
            case UInt8(ascii: "S"): self = .stringSet
            case UInt8(ascii: "N"): self = .numberSet
            case UInt8(ascii: "B"): self = .binarySet
            default: return nil
            }
        default:
            if code.hasSameBytes(as: "BOOL") {
                self = .bool
            } else if code.hasSameBytes(as: "NULL") {
                self = .null
            } else {
                return nil
            }
        }
    }
}

extension JSONView {
    /// A truth value, also where it is spelled as a word that Java's parser takes for one.
    package var truth: Bool? {
        if let bool { return bool }
        switch string?.lowercased() {
        case "true", "1", "yes": return true
        case "false", "0", "no": return false
        default: return nil
        }
    }
}

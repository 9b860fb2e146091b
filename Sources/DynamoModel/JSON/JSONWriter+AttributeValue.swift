import Bytes
import JSON

extension JSONWriter {
    /// Writes typed values by name: an item, a key.
    package mutating func attributes(_ item: Item) {
        beginObject()
        for (name, value) in item {
            key(name.text)
            attributeValue(value)
        }
        endObject()
    }

    /// Writes one typed value.
    package mutating func attributeValue(_ value: AttributeValue) {
        beginObject()
        switch value {
        case .string(let text):
            key("S")
            string(text)
        case .number(let number):
            key("N")
            string(number.description)
        case .binary(let bytes):
            key("B")
            base64(bytes)
        case .bool(let truth):
            key("BOOL")
            bool(truth)
        case .null:
            key("NULL")
            bool(true)
        case .list(let values):
            key("L")
            array(values) { $0.attributeValue($1) }
        case .map(let members):
            key("M")
            attributes(members)
        case .stringSet(let set):
            key("SS")
            array(set.elements) { $0.string($1) }
        case .numberSet(let set):
            key("NS")
            array(set.elements) { $0.string($1.description) }
        case .binarySet(let set):
            key("BS")
            array(set.elements) { $0.base64($1) }
        }
        endObject()
    }

    /// Writes an array, each element by `write`.
    package mutating func array<Element>(_ elements: [Element], _ write: (inout JSONWriter, Element) -> Void) {
        beginArray()
        for element in elements { write(&self, element) }
        endArray()
    }

    /// Writes bytes as Base64.
    mutating func base64(_ bytes: [UInt8]) {
        BinaryText.encode(bytes).withUnsafeBytes { string($0) }
    }

    /// Writes a time, given in milliseconds since 1970, as DynamoDB does: seconds with their fraction.
    package mutating func instant(_ milliseconds: Int64) {
        double(Double(milliseconds) / 1000)
    }
}

import JSON

/// A value while a rule is evaluated: borrowed from the rule, the context or the evaluation's scratch memory, never
/// owned. Copying it is copying three words.
enum Operand {
    case null
    case bool(Bool)
    /// A whole number, exact.
    case integer(Int64)
    /// Any other number. Not-a-number stands for what JavaScript computes as `NaN`.
    case number(Double)
    /// UTF-8.
    case string(UnsafeRawBufferPointer)
    /// A computed list.
    case list(UnsafeBufferPointer<Operand>)
    /// An array as it stands in the rule or the context.
    case array(JSONView)
    /// An object as it stands there.
    case object(JSONView)
    /// A number that is kept as it is spelled there: a whole one beyond `Int64`, or a long spelling.
    case spelled(JSONView)
    /// All of the data that variables are looked up in, as `{"var": ""}` gives it: an object without a view.
    case data

    /// The value of a tape.
    @inline(__always)
    init(_ view: JSONView) {
        switch view.kind {
        case .null: self = .null
        case .false: self = .bool(false)
        case .true: self = .bool(true)
        case .string: self = .string(view.storedBytes)
        case .array: self = .array(view)
        case .object: self = .object(view)
        case .number: self = Operand(number: view)
        }
    }

    /// From so many bytes on a number is converted where its value is asked for, and that is counted.
    private static var longSpelling: Int { 40 }

    @inline(never)
    private init(number view: JSONView) {
        if view.storedBytes.count > Self.longSpelling {
            self = .spelled(view)
        } else if view.isIntegerSpelling {
            self = view.int64.map { .integer($0) } ?? .spelled(view)
        } else {
            self = .number(view.double ?? .nan)
        }
    }

    /// A text that lives as long as the program.
    init(_ text: StaticString) {
        self = .string(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Whether the value is `null`.
    @inline(__always)
    var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The UTF-8 of a string.
    @inline(__always)
    var stringBytes: UnsafeRawBufferPointer? {
        if case .string(let bytes) = self { bytes } else { nil }
    }

    /// Whether the value is an array.
    var isArray: Bool {
        switch self {
        case .list, .array: true
        default: false
        }
    }

    /// The elements of an array; of anything else none.
    var elements: OperandElements { OperandElements(self) }

    /// Whether the value counts as true: everything but `false`, `null`, 0, not-a-number, `""` and `[]`
    /// (jsonlogic.com/truthy.html). A number that is kept as it is spelled is the evaluator's.
    var isTrue: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .number(let value): value != 0 && !value.isNaN
        case .string(let bytes): bytes.count != 0
        case .list(let elements): elements.count != 0
        case .array(let view): view.count != 0
        case .object, .spelled, .data: true
        }
    }
}

/// The elements of an array, computed or borrowed.
struct OperandElements: Sequence, IteratorProtocol {
    private var list: UnsafeBufferPointer<Operand>.Iterator?
    private var view: JSONView.Elements?
    /// How many there are.
    let count: Int

    init(_ operand: Operand) {
        switch operand {
        case .list(let elements):
            list = elements.makeIterator()
            count = elements.count
        case .array(let array):
            view = array.elements
            count = array.count
        default:
            count = 0
        }
    }

    mutating func next() -> Operand? {
        if list != nil { return list?.next() }
        return view?.next().map { Operand($0) }
    }
}

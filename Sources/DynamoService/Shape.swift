import DynamoModel

/// What a member of a request is made of, as DynamoDB's service description has it.
///
/// A request is checked twice against its shape before anything of it is read: first every value must be of its type
/// (else `SerializationException`), then the values must meet the constraints (all that do not, up to ten, are told in
/// one `ValidationException`). Source: Amazon DynamoDB API reference, "Actions" and "Data types".
indirect enum Shape: Sendable {
    /// `true` or `false`.
    case boolean
    /// A number, of the type that DynamoDB reads it as, within bounds.
    case integer(NumberType, ClosedRange<Int64>?)
    /// A text.
    case text(TextRule)
    /// One typed value.
    case attributeValue
    /// Typed values by name; so are items and keys.
    case attributes
    /// Elements of one shape.
    case list(Shape, count: ClosedRange<Int>?)
    /// Values of one shape by name. The type's name is part of what DynamoDB says of another type.
    case map(Shape, of: StaticString, MapRule)
    /// Named members, each of its own shape; others are ignored.
    case structure(StaticString, [Member])

    /// The type that a number is read as.
    enum NumberType: String, Sendable {
        case integer = "Integer"
        case long = "Long"
        case double = "Double"
    }

    /// One member of a structure.
    struct Member: Sendable {
        let name: StaticString
        let shape: Shape
        /// Whether it must be there; that it is not is told with the other constraints.
        let isRequired: Bool

        init(_ name: StaticString, _ shape: Shape, required: Bool = false) {
            self.name = name
            self.shape = shape
            isRequired = required
        }
    }

    /// What a text must be.
    struct TextRule: Sendable {
        var length: ClosedRange<Int>?
        /// Whether it is one or more of `a-zA-Z0-9_.-`.
        var isName = false
        /// Whether it is the name or the ARN of a table, of which one thing that is wrong is told at a time.
        var isTable = false
        /// The texts that it may be, in the order that DynamoDB tells them.
        var choices: [StaticString] = []

        /// How DynamoDB spells what `isName` asks for.
        static let namePattern = "[a-zA-Z0-9_.-]+"
    }

    /// What a map must be.
    struct MapRule: Sendable {
        var count: ClosedRange<Int>?
        /// Whether the keys are names of tables.
        var hasTableNames = false
        /// How many elements the lists may have that are its values.
        var valueCount: ClosedRange<Int>?
        /// Whether the values are read by a parser of its own, which fails in its own words.
        var hasParameterizedValues = false
    }
}

extension Shape {
    /// Any text.
    static var text: Shape { .text(TextRule()) }

    /// One of some words.
    static func word(_ choices: StaticString...) -> Shape { .text(TextRule(choices: choices)) }

    /// The name of a table or an index: 3 to 255 of `a-zA-Z0-9_.-`.
    static var name: Shape { .text(TextRule(length: 3...255, isName: true)) }

    /// A table given by its name or its ARN.
    static var table: Member { Member("TableName", .text(TextRule(isTable: true)), required: true) }

    /// `ExpressionAttributeNames`.
    static var expressionNames: Member {
        Member("ExpressionAttributeNames", .map(.text, of: "java.lang.String", MapRule()))
    }

    /// `ExpressionAttributeValues`.
    static var expressionValues: Member { Member("ExpressionAttributeValues", .attributes) }

    /// `ReturnConsumedCapacity`.
    static var returnCapacity: Member { Member("ReturnConsumedCapacity", .word("INDEXES", "TOTAL", "NONE")) }

    /// `ReturnItemCollectionMetrics`.
    static var returnMetrics: Member { Member("ReturnItemCollectionMetrics", .word("SIZE", "NONE")) }

    /// `ReturnValuesOnConditionCheckFailure`.
    static var returnOnFailure: Member {
        Member("ReturnValuesOnConditionCheckFailure", .word("ALL_OLD", "NONE"))
    }
}

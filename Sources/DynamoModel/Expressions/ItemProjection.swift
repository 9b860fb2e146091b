/// The parts of items that are answered: those at some paths, in place, with nothing beside them.
package struct ItemProjection: Sendable, Equatable {
    /// The paths, none of which leads through or to another.
    package let paths: [DocumentPath]
    private let parts: [AttributeName: Part]

    /// What is taken of one value.
    private indirect enum Part: Sendable, Equatable {
        case all
        case members([AttributeName: Part])
        case elements([Int: Part])
    }

    /// The projection to these paths. A path through or to another adds nothing, and one that takes for a list what
    /// an earlier one takes for a map is ignored.
    package init(_ paths: [DocumentPath]) {
        self.paths = paths
        var parts: [AttributeName: Part] = [:]
        for path in paths { parts[path.attribute] = Self.adding(path.steps[...], to: parts[path.attribute]) }
        self.parts = parts
    }

    /// Parses a projection expression.
    ///
    /// - Parameters:
    ///   - text: the expression.
    ///   - context: the request's placeholders.
    /// - Throws: `validation` with DynamoDB's text.
    package init(parsing text: String, context: inout ExpressionContext) throws(TableError) {
        do throws(ExpressionError) {
            var parser = try ExpressionParser(text, .projection)
            let syntax = try parser.projection()
            for path in syntax {
                if let error = path.reservedWord { throw error }
            }
            var paths: [DocumentPath] = []
            for path in syntax { paths.append(try context.path(path)) }
            try paths.checkDistinct()
            self.init(paths)
        } catch {
            throw ExpressionParameter.projection.invalid(error)
        }
    }

    /// The parts of `item` at the paths. Where there is nothing at a path, nothing is answered, not even what is
    /// around it. Elements of lists keep their order and move together.
    package func apply(to item: Item) -> Item {
        var result: Item = [:]
        for (name, part) in parts {
            if let value = item[name], let taken = Self.take(part, of: value) { result[name] = taken }
        }
        return result
    }

    private static func adding(_ steps: ArraySlice<DocumentPath.Step>, to part: Part?) -> Part {
        switch (steps.first, part) {
        case (nil, _), (_, .all?): return .all
        case (.member(let name)?, .members(var members)?):
            members[name] = adding(steps.dropFirst(), to: members[name])
            return .members(members)
        case (.member(let name)?, nil): return .members([name: adding(steps.dropFirst(), to: nil)])
        case (.element(let index)?, .elements(var elements)?):
            elements[index] = adding(steps.dropFirst(), to: elements[index])
            return .elements(elements)
        case (.element(let index)?, nil): return .elements([index: adding(steps.dropFirst(), to: nil)])
        case (_, let part?): return part
        }
    }

    private static func take(_ part: Part, of value: AttributeValue) -> AttributeValue? {
        switch (part, value) {
        case (.all, _): return value
        case (.members(let parts), .map(let members)):
            var taken: Item = [:]
            for (name, part) in parts {
                if let member = members[name], let value = take(part, of: member) { taken[name] = value }
            }
            return taken.isEmpty ? nil : .map(taken)
        case (.elements(let parts), .list(let elements)):
            let taken = parts.sorted { $0.key < $1.key }.compactMap { index, part in
                elements.indices.contains(index) ? take(part, of: elements[index]) : nil
            }
            return taken.isEmpty ? nil : .list(taken)
        default: return nil
        }
    }
}

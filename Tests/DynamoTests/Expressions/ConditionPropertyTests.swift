import TestSupport
import Testing

@testable import DynamoModel
@testable import DynamoService
@testable import TableEngine

@Suite("Conditions at random")
struct ConditionPropertyTests {
    /// A truth about the attributes `a` to `e`, each there or not.
    private indirect enum Formula {
        case exists(String)
        case and(Formula, Formula)
        case or(Formula, Formula)
        case not(Formula)

        init(depth: Int, _ random: inout SeededGenerator) {
            switch depth == 0 ? 0 : Int.random(in: 0..<4, using: &random) {
            case 1: self = .and(Formula(depth: depth - 1, &random), Formula(depth: depth - 1, &random))
            case 2: self = .or(Formula(depth: depth - 1, &random), Formula(depth: depth - 1, &random))
            case 3: self = .not(Formula(depth: depth - 1, &random))
            default: self = .exists(["a", "b", "c", "d", "e"].randomElement(using: &random) ?? "a")
            }
        }

        func holds(for item: Item) -> Bool {
            switch self {
            case .exists(let name): item[name] != nil
            case .and(let left, let right): left.holds(for: item) && right.holds(for: item)
            case .or(let left, let right): left.holds(for: item) || right.holds(for: item)
            case .not(let formula): !formula.holds(for: item)
            }
        }

        private var binding: Int {
            switch self {
            case .or: 0
            case .and: 1
            case .not: 2
            case .exists: 3
            }
        }

        /// The formula as an expression, with parentheses where they are needed and at random elsewhere.
        func text(_ random: inout SeededGenerator, within outer: Int = 0) -> String {
            let text: String
            switch self {
            case .exists(let name): text = "attribute_exists(\(name))"
            case .and(let left, let right):
                text = "\(left.text(&random, within: 1)) AND \(right.text(&random, within: 1))"
            case .or(let left, let right):
                text = "\(left.text(&random, within: 0)) OR \(right.text(&random, within: 0))"
            case .not(let formula): text = "NOT \(formula.text(&random, within: 2))"
            }
            return binding < outer || Int.random(in: 0..<4, using: &random) == 0 ? "(\(text))" : text
        }
    }

    @Test("An expression means what its formula means", arguments: [1, 2, 3, 4] as [UInt64])
    func meaning(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let formula = Formula(depth: 5, &random)
            let text = formula.text(&random)
            var context = try ExpressionContext()
            let condition = try Condition(parsing: text, context: &context)
            for bits in 0..<32 {
                var item: Item = [:]
                for (bit, name) in ["a", "b", "c", "d", "e"].enumerated() where bits >> bit & 1 == 1 { item[name] = 1 }
                #expect(condition.holds(for: item) == formula.holds(for: item), "\(text)")
            }
        }
    }

    @Test("Whatever bytes an expression has, it is parsed or refused", arguments: [5, 6] as [UInt64])
    func noise(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let parts = [
            "a", "b.c", "#n", ":v", "(", ")", "[", "]", "0", "7", ",", ".", "=", "<", ">", "+", "-", " ", "AND", "OR",
            "NOT", "IN", "BETWEEN", "SET", "REMOVE", "ADD", "DELETE", "size(", "attribute_exists(", "list_append(", "é",
            "!",
        ]
        for _ in 0..<3_000 {
            let count = Int.random(in: 0...12, using: &random)
            let text = (0..<count).map { _ in (parts.randomElement(using: &random) ?? "") + " " }.joined()
            for parse: (inout ExpressionContext) throws -> Void in [
                { _ = try Condition(parsing: text, context: &$0) },
                { _ = try [UpdateAction](parsing: text, context: &$0) },
                { _ = try ItemProjection(parsing: text, context: &$0) },
                { _ = try KeyCondition(parsing: text, context: &$0).terms() },
            ] {
                var context = try ExpressionContext(names: ["#n": "n"], values: [":v": 1])
                #expect(refusal { try parse(&context) }?.hasPrefix("not a validation") != true, "\(text)")
            }
        }
    }
}

import FlagCore

/// Consecutive flags of a rule set as a list of all flags copies them: what is the same for everybody, from one flag
/// that is evaluated to the next, as one text.
///
/// Points into the flags, which it keeps: it says what they were when they were joined. It knows nothing of kill
/// switches and overrides: where there may be any, each flag is asked. Confined to one loop.
package final class JoinedFlags {
    /// A text, and the flag behind it.
    package struct Piece {
        /// Whole answers and parts of some, each with a comma before it.
        package let text: UnsafeRawBufferPointer
        /// The flag whose evaluation follows; nil: none. Not counted: valid as long as this.
        package let flag: Unmanaged<CompiledFlag>?
        /// Whether the text begins the flag's answer (`AnswerTexts.listOpening`) and that of the next piece ends it:
        /// only what the rule decides stands between. Otherwise the flag's whole answer does.
        package let isOpened: Bool
    }

    /// Longer texts are not copied in here: joining them would gain nothing, and cost their memory twice.
    private static let joinedBytesMaximum = 256

    /// What is written, in this order.
    package let pieces: UnsafeBufferPointer<Piece>
    /// How many answers stand in the texts as a whole, each `STATIC`.
    package let constants: UInt64
    private let text: UnsafeMutableRawPointer
    private let flags: [CompiledFlag]

    /// Joins flags.
    ///
    /// - Parameters:
    ///   - entries: the flags, compiled.
    ///   - clientSideOnly: leaves out what is not for keys in browsers and apps.
    init(_ entries: ArraySlice<RuleSet.Entry>, clientSideOnly: Bool) {
        var draft = Draft()
        flags = entries.lazy.filter { !clientSideOnly || $0.isClientSide }.compactMap(\.compiled)
        for flag in flags { draft.add(flag) }
        draft.endPiece()
        text = .allocate(byteCount: max(draft.text.count, 1), alignment: 1)
        let joined = UnsafeMutableRawBufferPointer(start: text, count: draft.text.count)
        joined.copyBytes(from: draft.text)
        let pieces = draft.pieces.map { piece in
            Piece(
                text: piece.elsewhere ?? UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(joined)[piece.range]),
                flag: piece.flag, isOpened: piece.isOpened)
        }
        let memory = UnsafeMutableBufferPointer<Piece>.allocate(capacity: pieces.count)
        _ = memory.initialize(from: pieces)
        self.pieces = UnsafeBufferPointer(memory)
        constants = draft.constants
    }

    deinit {
        text.deallocate()
        pieces.deallocate()
    }

    /// Pieces while they are put together.
    private struct Draft {
        private(set) var text: [UInt8] = []
        private(set) var constants: UInt64 = 0
        private(set) var pieces:
            [(range: Range<Int>, elsewhere: UnsafeRawBufferPointer?, flag: Unmanaged<CompiledFlag>?, isOpened: Bool)] =
                []
        private var start = 0

        mutating func add(_ flag: CompiledFlag) {
            let texts = flag.texts
            if let constant = texts.constant {
                constants += 1
                guard constant.count > JoinedFlags.joinedBytesMaximum else { return text += constant }
                endPiece()
                pieces.append((0..<0, constant, nil, false))
            } else if flag.isDecidedByRule, flag.expiresAt == nil,
                max(texts.listOpening.count, texts.closing.count) <= JoinedFlags.joinedBytesMaximum
            {
                text += texts.listOpening
                endPiece(flag, isOpened: true)
                text += texts.closing
            } else {
                text.append(UInt8(ascii: ","))
                endPiece(flag)
            }
        }

        /// Ends a piece with what has been added since the last one.
        mutating func endPiece(_ flag: CompiledFlag? = nil, isOpened: Bool = false) {
            guard start < text.count else { return }
            pieces.append((start..<text.count, nil, flag.map { .passUnretained($0) }, isOpened))
            start = text.count
        }
    }
}

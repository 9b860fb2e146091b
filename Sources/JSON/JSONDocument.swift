/// A parsed text that owns everything its views need. For values that live long and are read often.
package final class JSONDocument {
    private let text: UnsafeMutableRawBufferPointer
    private let tape: JSONTape

    /// Copies and parses `text`.
    package init(parsing text: [UInt8], options: JSONParseOptions = JSONParseOptions()) throws(JSONError) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(text.count, 1), alignment: 8)
        copy.copyBytes(from: text)
        self.text = copy
        tape = JSONTape(options: options)
        try tape.parse(UnsafeRawBufferPointer(rebasing: self.text.prefix(text.count)))
    }

    deinit { text.deallocate() }

    /// The value. Valid as long as this document lives.
    package var root: JSONView { tape.root }
}

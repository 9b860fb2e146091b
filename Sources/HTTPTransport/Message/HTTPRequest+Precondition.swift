import Bytes

/// What a conditional request comes to (RFC 9110 §13.2.2).
package enum PreconditionOutcome: Sendable, Equatable {
    /// The request is to be answered as if it were not conditional.
    case proceed
    /// 304: the client has what it asks for.
    case notModified
    /// 412: the method must not be performed.
    case failed
}

/// What identifies the current state of a resource.
package struct Validators {
    /// The strong or weak entity tag, quotes included (RFC 9110 §8.8.3); nil without one.
    package var entityTag: StaticString?
    /// When it was last changed; nil when nobody knows.
    package var lastModified: HTTPDate?
    /// Whether the target has a representation at all: what `*` asks for.
    package var exists: Bool

    /// A resource that exists, with what identifies its state.
    package init(entityTag: StaticString?, lastModified: HTTPDate?) {
        self.entityTag = entityTag
        self.lastModified = lastModified
        exists = true
    }

    private init() {
        exists = false
    }

    /// A resource that has no representation, such as one that only processes content.
    package static var none: Validators { Validators() }
}

extension HTTPRequest {
    /// Evaluates `If-Match`, `If-Unmodified-Since`, `If-None-Match` and `If-Modified-Since` in the order that RFC 9110
    /// §13.2.2 has. To be asked when the response would be a success otherwise, and not for methods that neither select
    /// nor change a representation, such as OPTIONS.
    ///
    /// - Parameters:
    ///   - validators: The state of the target.
    ///   - now: The current time.
    package func precondition(_ validators: Validators, now: HTTPDate) -> PreconditionOutcome {
        if field("if-match") != nil {
            if !matches("if-match", validators, isWeak: false) { return .failed }
        } else if let bound = date("if-unmodified-since", now), let last = validators.lastModified, last > bound {
            return .failed
        }
        let isReading = method == .get || method == .head
        if field("if-none-match") != nil {
            if matches("if-none-match", validators, isWeak: true) { return isReading ? .notModified : .failed }
        } else if isReading, let bound = date("if-modified-since", now), let last = validators.lastModified,
            last <= bound
        {
            return .notModified
        }
        return .proceed
    }

    /// The date in a field; nil when it is malformed or there is more than one (RFC 9110 §13.1.3).
    private func date(_ name: StaticString, _ now: HTTPDate) -> HTTPDate? {
        var count = 0
        var found: HTTPDate?
        forEachField(name) { value in
            count += 1
            found = HTTPDate(value, now: now)
        }
        return count == 1 ? found : nil
    }

    /// Whether a field is `*` or names the entity tag.
    private func matches(_ name: StaticString, _ validators: Validators, isWeak: Bool) -> Bool {
        guard validators.exists else { return false }
        var isFound = false
        forEachField(name) { value in
            if value.hasSameBytes(as: "*") { isFound = true }
            guard let own = validators.entityTag else { return }
            forEachEntityTag(in: value) { tag in
                if EntityTagComparison.areEqual(tag, own, isWeak: isWeak) { isFound = true }
            }
        }
        return isFound
    }
}

/// RFC 9110 §8.8.3.2.
private enum EntityTagComparison {
    static func areEqual(_ tag: UnsafeRawBufferPointer, _ own: StaticString, isWeak: Bool) -> Bool {
        let own = UnsafeRawBufferPointer(start: own.utf8Start, count: own.utf8CodeUnitCount)
        if !isWeak, isWeakTag(tag) || isWeakTag(own) { return false }
        return opaque(tag).elementsEqual(opaque(own))
    }

    private static func isWeakTag(_ tag: UnsafeRawBufferPointer) -> Bool { tag.first == 0x57 }

    private static func opaque(_ tag: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer> {
        isWeakTag(tag) ? tag.dropFirst(2) : tag[...]
    }
}

/// Calls `body` with each entity tag of a list, its quotes and `W/` included. Commas may stand within the quotes. Stops
/// where something else stands.
private func forEachEntityTag(in list: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    var position = 0
    while position < list.count {
        if [0x20, 0x09, 0x2C].contains(list[position]) {
            position += 1
            continue
        }
        var open = position
        if list[position] == 0x57, position + 1 < list.count, list[position + 1] == 0x2F { open += 2 }
        guard open < list.count, list[open] == 0x22, let close = list[(open + 1)...].firstIndex(of: 0x22) else {
            return
        }
        body(UnsafeRawBufferPointer(rebasing: list[position...close]))
        position = close + 1
    }
}

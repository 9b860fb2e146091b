import FlagCore
import JSON

/// Whether a key in a browser or an app may evaluate a flag, in flagd's format: that has no word for it, so it stands
/// in the flag's metadata.
///
/// An import takes it out of the definition. It would otherwise be there twice, and go on saying what is not true any
/// more once somebody changes the flag.
enum ClientSideMetadata {
    /// The member of metadata.
    static let name = "clientSide"

    /// A definition without the member; without metadata when nothing else is in there.
    static func removed(from definition: JSONValue) -> JSONValue {
        guard var object = definition.objectValue, var metadata = object["metadata"]?.objectValue,
            metadata[name] != nil
        else { return definition }
        metadata[name] = nil
        object["metadata"] = metadata.isEmpty ? nil : .object(metadata)
        return .object(object)
    }

    /// What a definition says; nil when it says nothing, or nothing that can be understood.
    static func value(in definition: JSONValue) -> Bool? { definition["metadata"]?[name]?.boolValue }

    /// What is wrong with the member in a definition or a whole file. What no metadata may have is found elsewhere.
    ///
    /// - Parameters:
    ///   - pointer: where the definition or the file lies.
    ///   - file: the file whose metadata all flags have, which is told of once.
    static func issues(
        in json: JSONValue, at pointer: JSONPointer, besides file: JSONValue? = nil
    ) -> [DefinitionIssue] {
        let value = json["metadata"]?[name]
        switch value {
        case .string, .number:
            guard value != file?["metadata"]?[name] else { return [] }
            let place = pointer.appending("metadata").appending(name)
            return [DefinitionIssue(pointer: place.description, message: "must be true or false")]
        default: return []
        }
    }
}

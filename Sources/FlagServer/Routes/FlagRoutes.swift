import FlagCore
import FlagStore
import HTTPTransport

/// Creating, reading, changing and deleting flags.
enum FlagRoutes {
    /// The routes.
    static let routes = [
        Route(
            .get, "/api/flags", in: .flags,
            Operation(
                id: "listFlags", summary: "Lists the flags of an environment, newest first.",
                detail: "With owner by key, with expiresBefore by expiresAt. Flags whose item is not valid stand under "
                    + "invalid.",
                query: [
                    .environment, .limit, .cursor,
                    .init(
                        name: "owner", meaning: "Only flags of this owner.",
                        schema: #"{"type":"string","minLength":1,"maxLength":\#(FlagLimits.ownerCharacters)}"#),
                    .init(
                        name: "tag", meaning: "Only flags with this tag.",
                        schema: #"{"type":"string","minLength":1,"maxLength":\#(FlagLimits.tagCharacters)}"#),
                    .init(
                        name: "expiresBefore", meaning: "Only flags whose expiresAt is before this time.",
                        schema: ##"{"$ref":"#/components/schemas/Time"}"##),
                ],
                answers: [.init(status: 200, meaning: "A page of flags.", schema: "FlagList")]),
            .onWorker(list)),
        Route(
            .post, "/api/flags", in: .flags,
            Operation(
                id: "createFlag", summary: "Creates a flag.",
                detail: "The environment is that of the query, else of the body, else of the server's profile.",
                query: [.environment],
                body: .init(schema: "NewFlag", example: example),
                answers: [
                    .init(
                        status: 201, meaning: "The flag as it is stored.", schema: "Flag",
                        header: [.entityTag, .init(name: "Location", meaning: "The flag's own path.")])
                ],
                problems: [.flagExists]),
            .onWorker(create)),
        Route(
            .get, "/api/flags/{flagKey}", in: .flags,
            Operation(
                id: "getFlag", summary: "Reads a flag.", query: [.environment],
                header: [.init(name: "If-None-Match", meaning: "Entity tags of versions that the client has.")],
                answers: [
                    .init(status: 200, meaning: "The flag.", schema: "Flag", header: [.entityTag]),
                    .init(status: 304, meaning: "The client has this version.", header: [.entityTag]),
                ],
                problems: [.flagNotFound, .invalidItem]),
            .onWorker(get)),
        Route(
            .get, "/api/flags/{flagKey}/history", in: .flags,
            Operation(
                id: "getFlagHistory", summary: "Lists what happened to a flag, the latest first.",
                detail: "Also of a flag that is gone. An entry follows its change within moments. Changes of many "
                    + "overrides at once are one entry.",
                query: [.environment],
                answers: [
                    .init(
                        status: 200, meaning: "The latest 100 entries, and the latest 100 of its overrides.",
                        schema: "History")
                ],
                problems: [.flagNotFound]),
            .onWorker(history)),
        replacement("/api/flags/{flagKey}", id: "replaceFlag"),
        replacement("/api/flags/by-key/{flagKey}", id: "replaceFlagByKey"),
        Route(
            .patch, "/api/flags/{flagKey}", in: .flags,
            Operation(
                id: "patchFlag", summary: "Changes some members of a flag; null removes one.",
                detail: Operation.Body.changeMeaning, query: [.environment], header: [.ifMatch],
                body: .init(
                    schema: "FlagPatch", example: #"{"defaultEnabled":true,"expiresAt":null}"#,
                    mediaTypes: Operation.Body.changeTypes),
                answers: [
                    .init(status: 200, meaning: "The flag as it is now.", schema: "Flag", header: [.entityTag]),
                    .versionMismatch,
                ],
                problems: [.flagNotFound, .conflict]),
            .onWorker(patch)),
        Route(
            .delete, "/api/flags/{flagKey}", in: .flags,
            Operation(
                id: "deleteFlag", summary: "Deletes a flag and its tenant overrides.",
                detail: "Refused as long as other flags require it.",
                query: [.environment], header: [.ifMatch],
                answers: [.init(status: 204, meaning: "It is gone."), .versionMismatch],
                problems: [.flagNotFound, .flagRequired, .conflict]),
            .onWorker(delete)),
        Route(
            .get, "/api/flags/{flagKey}/dependents", in: .flags,
            Operation(
                id: "listDependents", summary: "Lists the flags that require a flag.", query: [.environment],
                answers: [.init(status: 200, meaning: "Every flag that does, by key.", schema: "DependentList")],
                problems: [.flagNotFound]),
            .onWorker(dependents)),
    ]

    private static let example =
        #"{"flagKey":"new-checkout","description":"The new checkout","owner":"payments","defaultEnabled":false}"#

    /// `PUT` of a flag, which has two paths.
    private static func replacement(_ pattern: StaticString, id: String) -> Route {
        Route(
            .put, pattern, in: .flags,
            Operation(
                id: id, summary: "Replaces a flag; what a read answered may be edited and put back.",
                query: [.environment], header: [.ifMatch],
                body: .init(schema: "FlagBody", example: example),
                answers: [
                    .init(status: 200, meaning: "The flag as it is now.", schema: "Flag", header: [.entityTag]),
                    .versionMismatch,
                ],
                problems: [.flagNotFound, .conflict]),
            .onWorker(replace))
    }
}

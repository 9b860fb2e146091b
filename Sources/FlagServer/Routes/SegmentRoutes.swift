import FlagStore
import HTTPTransport

/// Creating, reading, changing and deleting segments, and the keys that they list.
enum SegmentRoutes {
    /// The routes.
    static let routes = [
        Route(
            .get, "/api/segments", in: .segments,
            Operation(
                id: "listSegments", summary: "Lists the segments of an environment, by name.",
                query: [.environment, .limit, .cursor],
                answers: [.init(status: 200, meaning: "A page of segments.", schema: "SegmentList")]),
            .onWorker(list)),
        Route(
            .post, "/api/segments", in: .segments,
            Operation(
                id: "createSegment", summary: "Creates a segment, without keys.",
                detail: "The environment is that of the query, else of the body, else of the server's profile.",
                query: [.environment],
                body: .init(schema: "NewSegment", example: newExample),
                answers: [
                    .init(
                        status: 201, meaning: "The segment as it is stored.", schema: "Segment",
                        header: [.entityTag, .init(name: "Location", meaning: "The segment's own path.")])
                ],
                problems: [.segmentExists]),
            .onWorker(create)),
        Route(
            .get, "/api/segments/{name}", in: .segments,
            Operation(
                id: "getSegment", summary: "Reads a segment.", query: [.environment],
                header: [.init(name: "If-None-Match", meaning: "Entity tags of versions that the client has.")],
                answers: [
                    .init(status: 200, meaning: "The segment.", schema: "Segment", header: [.entityTag]),
                    .init(status: 304, meaning: "The client has this version.", header: [.entityTag]),
                ],
                problems: [.segmentNotFound, .invalidItem]),
            .onWorker(get)),
        Route(
            .get, "/api/segments/{name}/history", in: .segments,
            Operation(
                id: "getSegmentHistory", summary: "Lists what happened to a segment, the latest first.",
                detail: "Also of a segment that is gone. An entry follows its change within moments. A call that "
                    + "changed the listed keys has their number, and the first of them.",
                query: [.environment],
                answers: [.init(status: 200, meaning: "The latest 100 entries.", schema: "History")],
                problems: [.segmentNotFound]),
            .onWorker(history)),
        Route(
            .put, "/api/segments/{name}", in: .segments,
            Operation(
                id: "replaceSegment", summary: "Replaces what a segment says; the listed keys stay.",
                query: [.environment], header: [.ifMatch], body: .init(schema: "SegmentBody", example: example),
                answers: changed, problems: [.segmentNotFound, .conflict]),
            .onWorker(replace)),
        Route(
            .patch, "/api/segments/{name}", in: .segments,
            Operation(
                id: "patchSegment", summary: "Changes some members of a segment; null removes one.",
                detail: Operation.Body.changeMeaning, query: [.environment], header: [.ifMatch],
                body: .init(
                    schema: "SegmentPatch", example: #"{"owner":"growth","condition":null}"#,
                    mediaTypes: Operation.Body.changeTypes),
                answers: changed, problems: [.segmentNotFound, .conflict]),
            .onWorker(patch)),
        Route(
            .delete, "/api/segments/{name}", in: .segments,
            Operation(
                id: "deleteSegment", summary: "Deletes a segment and its keys.",
                detail: "Refused as long as flags or other segments use it.",
                query: [.environment], header: [.ifMatch],
                answers: [.init(status: 204, meaning: "It is gone."), .versionMismatch],
                problems: [.segmentNotFound, .segmentUsed]),
            .onWorker(delete)),
        Route(
            .get, "/api/segments/{name}/uses", in: .segments,
            Operation(
                id: "listSegmentUses", summary: "Lists the flags and segments whose rules name a segment.",
                query: [.environment],
                answers: [.init(status: 200, meaning: "All of them.", schema: "SegmentUses")],
                problems: [.segmentNotFound]),
            .onWorker(uses)),
        Route(
            .get, "/api/segments/{name}/keys", in: .segments,
            Operation(
                id: "listSegmentKeys", summary: "Lists the keys of a segment, in the order of their bytes.",
                query: [.environment, .limit, .cursor],
                answers: [.init(status: 200, meaning: "A page of keys.", schema: "SegmentKeyPage")],
                problems: [.segmentNotFound]),
            .onWorker(keys)),
        Route(
            .post, "/api/segments/{name}/keys", in: .segments,
            Operation(
                id: "editSegmentKeys", summary: "Lists keys in a segment, or takes them out.",
                detail: "Of more than 98 keys each group of 98 is all or nothing; after a failure, the same again does "
                    + "the rest.",
                query: [.environment], header: [.ifMatch],
                body: .init(schema: "SegmentKeyEdit", example: #"{"add":["user-1","user-2"],"remove":["user-3"]}"#),
                answers: changed, problems: [.segmentNotFound, .conflict]),
            .onWorker(editKeys)),
        Route(
            .put, "/api/segments/{name}/keys", in: .segments,
            Operation(
                id: "replaceSegmentKeys", summary: "Has a segment list these keys and no others.",
                detail: "What does not fit into one body is listed with POST afterwards.",
                query: [.environment], header: [.ifMatch],
                body: .init(schema: "SegmentKeys", example: #"{"keys":["user-1","user-2"]}"#),
                answers: changed, problems: [.segmentNotFound, .conflict]),
            .onWorker(replaceKeys)),
    ]

    private static let changed: [Operation.Answer] = [
        .init(status: 200, meaning: "The segment as it is now.", schema: "Segment", header: [.entityTag]),
        .versionMismatch,
    ]

    private static let newExample =
        #"{"name":"beta-testers","#
        + #""description":"Who tries things first","owner":"growth"}"#

    private static let example =
        #"{"description":"Who tries things first","owner":"growth","#
        + #""condition":{"ends_with":[{"var":"email"},"@example.com"]}}"#
}

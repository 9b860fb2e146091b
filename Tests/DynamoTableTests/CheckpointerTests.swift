import Testing

@testable import DynamoTable

@Suite("When the write-ahead log is moved into the file")
struct CheckpointerTests {
    @Test(
        "It is moved when it has grown by a step since it was moved last, not at every commit from there on",
        arguments: [
            (walFrames: 0, framesMoved: 0, isDue: false),
            (999, 0, false), (1000, 0, true), (5000, 0, true),
            (1001, 1000, false), (1999, 1000, false), (2000, 1000, true),
            // It has begun anew meanwhile.
            (3, 1000, false), (999, 3500, false), (1200, 3500, true),
        ])
    func isDue(walFrames: Int, framesMoved: Int, isDue: Bool) {
        #expect(Checkpointer.isDue(walFrames: walFrames, framesMoved: framesMoved) == isDue)
    }
}

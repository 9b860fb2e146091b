import Testing

@testable import FlagServer

@Suite("Whole files")
struct FileBytesTests {
    @Test("A file is replaced as a whole, and nothing is left beside it")
    func replace() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("flags.json", "old and longer")
        try FileBytes.replace(path, with: Array("new".utf8))
        #expect(try FileBytes.read(path, atMost: 100) == Array("new".utf8))
    }

    @Test("What is missing is named: the file that is read, the directory that is written to")
    func missing() throws {
        let path = try TemporaryDirectory().path + "/none/flags.json"
        #expect(throws: FileError(path: path, reason: "does not exist")) { try FileBytes.read(path, atMost: 1) }
        #expect(throws: FileError(path: path, reason: "cannot be written: its directory does not exist")) {
            try FileBytes.replace(path, with: [])
        }
    }
}

import Foundation
import TestSupport
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

    @Test("What is replaced keeps its permissions; where a link is, what it leads to is replaced")
    func link() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("flags.json", "old")
        chmod(path, 0o640)
        let link = directory.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "flags.json")
        try FileBytes.replace(link, with: Array("new".utf8))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "flags.json")
        #expect(try FileBytes.read(path, atMost: 100) == Array("new".utf8))
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o640)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == ["flags.json", "link"])
    }

    @Test("What is no file is written into, and stays what it is")
    func pipe() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/pipe"
        mkfifo(path, 0o600)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try FileBytes.replace(path, with: Array("new".utf8))
        var buffer = [UInt8](repeating: 0, count: 10)
        #expect(read(reader, &buffer, buffer.count) == 3)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["pipe"])
    }
}

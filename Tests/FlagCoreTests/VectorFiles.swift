import Foundation
import JSON
import TestSupport

/// The public test vectors, which lie beside the repository and are not part of it.
enum VectorFiles {
    /// The parsed file of this name; nil, with a line that says so, when the vectors are not there.
    static func read(_ name: String) throws -> JSONValue? {
        let url = directory.appendingPathComponent(name)
        guard let data = try? Data(contentsOf: url) else {
            print("skipped: \(name) is not in \(directory.path)")
            return nil
        }
        return try JSONValue(parsing: [UInt8](data), options: JSONParseOptions(maximumDepth: 200))
    }

    private static let directory = URL(filePath: Repository.sharedVectors).standardized
}

/// Where things are that tests read beside their own files.
package enum Repository {
    /// The root of the repository, from where this file stands in it.
    package static let root: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/")
    }()

    /// Where the vectors are that several projects share, beside the repository; absent from a user's clone.
    package static let sharedVectors = root + "/../shared/vectors"
}

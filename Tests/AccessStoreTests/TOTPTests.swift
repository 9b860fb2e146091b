import FlagCore
import Foundation
import Testing

@testable import Access
@testable import AccessStore

@Suite("Codes of the second factor")
struct TOTPTests {
    private static let secret = Array("12345678901234567890".utf8)

    private func time(_ seconds: Int64) -> Timestamp { Timestamp(millisecondsSinceEpoch: seconds * 1000) }

    @Test(
        "They are those of RFC 6238, appendix B",
        arguments: [
            (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
        ] as [(Int64, String)])
    func vectors(seconds: Int64, code: String) {
        let step = TOTP.step(at: time(seconds))
        #expect(TOTP.code(Self.secret, step: step, digits: 8, SecondFactorSeal.mac) == code)
        #expect(TOTP.code(Self.secret, step: step, SecondFactorSeal.mac) == String(code.suffix(6)))
    }

    private static let oathtool = "/usr/bin/oathtool"

    @Test("They are those that oathtool computes", .enabled(if: FileManager.default.fileExists(atPath: oathtool)))
    func otherProgram() throws {
        for seconds in [0, 1_767_323_045, 4_102_444_800] as [Int64] {
            let secret = RandomBytes.make(TOTP.secretBytes)
            let program = Process()
            let output = Pipe()
            program.executableURL = URL(filePath: Self.oathtool)
            program.arguments = ["--totp", "-b", "--now", "@\(seconds)", TypableText.text(of: secret)]
            program.standardOutput = output
            try program.run()
            let told = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            program.waitUntilExit()
            let code = TOTP.code(secret, step: TOTP.step(at: time(seconds)), SecondFactorSeal.mac)
            #expect(told.trimmingCharacters(in: .newlines) == code)
        }
    }

    @Test("A code is taken in its own step alone, and no more once it or a later one was")
    func steps() {
        let code = TOTP.code(Self.secret, step: 10, SecondFactorSeal.mac)
        func accepted(at seconds: Int64, after last: Int64 = -1) -> Int64? {
            TOTP.accept(code, Self.secret, at: time(seconds), after: last, SecondFactorSeal.mac)
        }
        #expect(accepted(at: 300) == 10 && accepted(at: 329) == 10)
        #expect(accepted(at: 299) == nil && accepted(at: 330) == nil)
        #expect(accepted(at: 300, after: 9) == 10 && accepted(at: 300, after: 10) == nil)
        for other in ["", "12345", "\(code)0", " \(code)", "abcdef"] {
            #expect(TOTP.accept(other, Self.secret, at: time(300), after: -1, SecondFactorSeal.mac) == nil)
        }
    }

    @Test("An app is given what it needs")
    func uri() throws {
        #expect(
            TOTP.uri(try #require(UserName("ann")), Self.secret)
                == "otpauth://totp/flag-server:ann?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=flag-server"
                + "&algorithm=SHA1&digits=6&period=30")
    }

    @Test("A sealed secret opens for its own account and under its own key alone")
    func sealed() throws {
        let (ann, bob) = (try #require(UserName("ann")), try #require(UserName("bob")))
        let seal = SecondFactorSeal(SecretDigest(key: Array(repeating: 1, count: 32)))
        let sealed = try #require(seal.seal(Self.secret, of: ann))
        #expect(seal.open(sealed, of: ann) == Self.secret && seal.open(sealed, of: bob) == nil)
        #expect(SecondFactorSeal(SecretDigest(key: Array(repeating: 2, count: 32))).open(sealed, of: ann) == nil)
        for place in sealed.indices {
            var changed = sealed
            changed[place] ^= 1
            #expect(seal.open(changed, of: ann) == nil)
        }
        #expect(seal.open([], of: ann) == nil)
    }
}

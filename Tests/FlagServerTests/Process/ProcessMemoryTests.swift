import Glibc
import Testing

@testable import Platform

@Suite("Memory that is given back", .serialized)
struct ProcessMemoryTests {
    @Test("Of the mappings of a process only the code of files is given back")
    func mappings() throws {
        let code = try #require(CodeMapping("7f00a000-7f00c000 r-xp 00001000 fe:00 1234       /usr/lib/a b.so".utf8))
        #expect(Int(bitPattern: code.start) == 0x7f00_a000)
        #expect(code.count == 0x2000)
        let others = [
            "7f00a000-7f00c000 r--p 00001000 fe:00 1234       /usr/lib/libc.so.6",
            "7f00a000-7f00c000 rw-p 00001000 fe:00 1234       /usr/lib/libc.so.6",
            "7f00a000-7f00c000 rwxp 00001000 fe:00 1234       /usr/lib/libc.so.6",
            "7f00a000-7f00c000 r-xp 00000000 00:00 0          [vdso]", "7f00a000-7f00c000 r-xp 00000000 00:00 0",
            "ffffffffff600000-fffffffffe600000 r-xp 00000000 00:00 0 /x", "x-y r-xp 0 0 0 /x", "",
        ]
        for line in others { #expect(CodeMapping(line.utf8) == nil, "\(line)") }
    }

    @Test("Code that has run is not in the process's memory any more, and runs on")
    func code() {
        // What runs beside fetches some of it back at once: it has to be less only once.
        let isLess = (0..<20).contains { _ in
            let before = resident(where: { $0.contains(" r-xp ") && $0.contains(" /") })
            #expect(ProcessMemory.giveBackCode() > 1)
            return resident(where: { $0.contains(" r-xp ") && $0.contains(" /") }) < before
        }
        #expect(isLess)
    }

    /// A sanitizer's own keeps what was freed.
    private static let hasAllocatorOfSystem = dlsym(nil, "__asan_init") == nil && dlsym(nil, "__tsan_init") == nil

    @Test("Memory that was freed between what is still in use goes back", .enabled(if: hasAllocatorOfSystem))
    func freedMemory() {
        let isLess = (0..<5).contains { _ in
            // What lies between keeps the allocator from giving back anything by itself.
            var blocks = (0..<60_000).map { _ in calloc(1, 1000) }
            for (index, block) in blocks.enumerated() where index % 100 != 0 {
                memset(block!, 1, 1000)
                free(block)
                blocks[index] = nil
            }
            let before = resident(where: { !$0.contains(" /") })
            ProcessMemory.giveBack()
            let after = resident(where: { !$0.contains(" /") })
            for block in blocks { free(block) }
            return after + 20 << 10 < before
        }
        #expect(isLess)
    }

    /// How many KiB of the mappings are in memory whose line passes.
    private func resident(where passes: (String) -> Bool) -> Int {
        guard let file = fopen("/proc/self/smaps", "r") else { return 0 }
        defer { fclose(file) }
        var (sum, counts) = (0, false)
        var line: UnsafeMutablePointer<CChar>?
        var size = 0
        while getline(&line, &size, file) > 0, let start = line {
            let text = String(cString: start)
            // Lines of mappings begin with an address, all others with a capital and a name.
            if text.first?.isUppercase == false { counts = passes(text) }
            if counts, text.hasPrefix("Rss:") { sum += Int(text.filter(\.isNumber)) ?? 0 }
        }
        free(line)
        return sum
    }
}

import JSON

extension Rollout {
    /// How many regions or cohorts a rollout may name.
    static let namesMaximum = 1_000
    /// How many characters each may have.
    static let nameCharacters = 100
    /// The members of a rollout.
    private static let members = [
        "percentage", "startAt", "endAt", "startPercentage", "regions", "cohorts", "businessHours",
    ]

    /// Reads and checks a rollout.
    ///
    /// - Parameters:
    ///   - json: the rollout.
    ///   - pointer: where it stands in the document that the issues are to point into.
    ///   - isTimeZone: whether a time zone of this name is known.
    /// - Throws: everything that is wrong with it.
    package init(
        validating json: JSONValue, at pointer: JSONPointer, isTimeZone: (String) -> Bool
    ) throws(DefinitionIssues) {
        var reader = RolloutReader(pointer: pointer)
        guard let object = json.objectValue else {
            reader.report([], "must be an object with at least percentage")
            throw DefinitionIssues(issues: reader.issues)
        }
        reader.reportUnknown(object, [], known: Rollout.members)
        let end = reader.percentage(object, "percentage")
        if object["percentage"]?.isNull ?? true { reader.report(["percentage"], "is required: a number from 0 to 100") }
        let startAt = reader.time(object, "startAt")
        let endAt = reader.time(object, "endAt")
        let start = reader.percentage(object, "startPercentage")
        if object["startAt"]?.isNull ?? true {
            for name in ["endAt", "startPercentage"] where object[name]?.isNull == false {
                reader.report([name], "needs startAt: a ramp goes from startAt to endAt")
            }
        }
        if let startAt, let endAt, endAt <= startAt { reader.report(["endAt"], "must be after startAt") }
        if let startAt, let endAt, endAt.millisecondsSinceEpoch - startAt.millisecondsSinceEpoch > 3_155_760_000_000 {
            reader.report(["endAt"], "must be within a hundred years of startAt")
        }
        let regions = reader.names(object, "regions")
        let cohorts = reader.names(object, "cohorts")
        let hours = reader.businessHours(object["businessHours"], isTimeZone)
        guard reader.issues.isEmpty, let end else { throw DefinitionIssues(issues: reader.issues) }
        self.init(
            json: json, end: end, start: startAt == nil ? end : start ?? 0, startAt: startAt, endAt: endAt,
            regions: regions, cohorts: cohorts, businessHours: hours)
    }
}

/// Reads the members of a rollout and collects what is wrong with them.
private struct RolloutReader {
    let pointer: JSONPointer
    var issues: [DefinitionIssue] = []

    mutating func report(_ path: [String], _ message: String) {
        let place = path.reduce(pointer) { $0.appending($1) }
        issues.append(DefinitionIssue(pointer: place.description, message: message))
    }

    mutating func reportUnknown(_ object: JSONObject, _ path: [String], known: [String]) {
        for (name, _) in object.members where !known.contains(name) {
            report(path + [name], "is not a member that is known here; known are \(known.joined(separator: ", "))")
        }
    }

    /// A percentage in hundredths.
    mutating func percentage(_ object: JSONObject, _ name: String) -> Int64? {
        guard let value = object[name], !value.isNull else { return nil }
        if let number = value.numberValue?.double, (0...100).contains(number) {
            let hundredths = (number * 100).rounded()
            // Two decimals are no binary fraction: the nearest double counts as the number.
            if abs(number * 100 - hundredths) < 1e-9 { return Int64(hundredths) }
        }
        report([name], "must be a number from 0 to 100 with at most two decimals")
        return nil
    }

    mutating func time(_ object: JSONObject, _ name: String) -> Timestamp? {
        guard let value = object[name], !value.isNull else { return nil }
        if let time = value.stringValue.flatMap({ Timestamp(rfc3339: $0) }) { return time }
        report([name], "must be \(Timestamp.expectation)")
        return nil
    }

    mutating func names(_ object: JSONObject, _ name: String) -> [String]? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let array = value.arrayValue, (1...Rollout.namesMaximum).contains(array.count) else {
            report([name], "must be an array of 1 to \(Rollout.namesMaximum) strings, or be left out")
            return nil
        }
        for (index, element) in array.enumerated() {
            let length = element.stringValue?.unicodeScalars.count ?? 0
            if !(1...Rollout.nameCharacters).contains(length) {
                report([name, "\(index)"], "must be a string of 1 to \(Rollout.nameCharacters) characters")
            }
        }
        return array.compactMap(\.stringValue)
    }

    mutating func businessHours(_ value: JSONValue?, _ isTimeZone: (String) -> Bool) -> BusinessHours? {
        let name = "businessHours"
        guard let value, !value.isNull else { return nil }
        guard let object = value.objectValue else {
            report([name], "must be an object with timeZone, days, from, to")
            return nil
        }
        reportUnknown(object, [name], known: ["timeZone", "days", "from", "to"])
        let zone = object["timeZone"]?.stringValue
        if zone.map({ isTimeZone($0) }) != true {
            report([name, "timeZone"], "must be the name of a time zone that this machine knows, like Europe/Berlin")
        }
        let days = self.days(object["days"], [name, "days"])
        let from = timeOfDay(object["from"], [name, "from"], atMost: 86_340)
        let to = timeOfDay(object["to"], [name, "to"], atMost: 86_400)
        if let from, from == to { report([name, "to"], "must not be the same as from") }
        guard let zone, let days, let from, let to else { return nil }
        return BusinessHours(timeZone: zone, days: days, from: from, to: to)
    }

    /// A bit for each day; Monday to Friday when it is left out.
    private mutating func days(_ value: JSONValue?, _ path: [String]) -> UInt8? {
        guard let value, !value.isNull else { return 0b001_1111 }
        var days: UInt8 = 0
        for day in value.arrayValue ?? [] {
            let name = day.stringValue?.lowercased() ?? ""
            let index = BusinessHours.dayNames.firstIndex { $0 == name || $0.prefix(3) == name }
            guard let index else {
                days = 0
                break
            }
            days |= 1 << UInt8(index)
        }
        guard days != 0 else {
            report(path, "must be an array of days: monday to sunday, or mon to sun")
            return nil
        }
        return days
    }

    /// `HH:MM` in seconds from midnight.
    private mutating func timeOfDay(_ value: JSONValue?, _ path: [String], atMost maximum: Int64) -> Int64? {
        let text = Array((value?.stringValue ?? "").utf8)
        let digits = text.enumerated().allSatisfy { index, byte in
            index == 2 ? byte == UInt8(ascii: ":") : (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        if text.count == 5, digits {
            let numbers = text.map { Int64($0) - 48 }
            let minutes = numbers[3] * 10 + numbers[4]
            let second = (numbers[0] * 10 + numbers[1]) * 3_600 + minutes * 60
            if minutes < 60, second <= maximum { return second }
        }
        report(path, "must be a time of day from 00:00 to \(maximum == 86_400 ? "24:00" : "23:59")")
        return nil
    }
}

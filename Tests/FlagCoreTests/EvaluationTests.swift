import FlagCore
import JSON
import Testing

@Suite("The order of evaluation")
struct EvaluationTests {
    private static let now = Timestamp(millisecondsSinceEpoch: 1_790_000_000_000)
    private static let later = Timestamp(millisecondsSinceEpoch: 1_790_000_000_001)

    @Test("without targeting everybody gets the default, reason STATIC")
    func staticFlag() {
        #expect(evaluate(boolean()) == Evaluation(variant: 1, reason: .static))
        #expect(evaluate(boolean(["targeting": [:]])) == Evaluation(variant: 1, reason: .static))
        let on = CompiledFlag(key: "f", definition: .simple(defaultEnabled: true), fractional: .v3)
        #expect(evaluate(on) == Evaluation(variant: 0, reason: .static))
    }

    @Test(
        "without a default variant the caller's default applies, reason DEFAULT",
        arguments: [nil, .null, ""] as [JSONValue?])
    func noDefault(value: JSONValue?) {
        for targeting: JSONValue in [.null, [:], ["if": [false, "on"]]] {
            var flag: JSONObject = ["state": "ENABLED", "variants": ["on": true], "targeting": targeting]
            flag["defaultVariant"] = value
            #expect(evaluate(compiled(.object(flag))) == Evaluation(variant: nil, reason: .default))
        }
    }

    @Test(
        "what targeting comes to names a variant; null is the default",
        arguments: [
            (#""on""#, Evaluation(variant: 0, reason: .targetingMatch)),
            ("null", Evaluation(variant: 2, reason: .default)),
            ("true", Evaluation(variant: 1, reason: .targetingMatch)),
            ("1", Evaluation(variant: 3, reason: .targetingMatch)),
            ("1.0", Evaluation(variant: 3, reason: .targetingMatch)),
            ("[1]", Evaluation(variant: 4, reason: .targetingMatch)),
        ])
    func results(result: String, evaluation: Evaluation) throws {
        let flag = compiled([
            "state": "ENABLED", "variants": ["on": 1, "true": 2, "off": 3, "1": 4, "[1]": 5], "defaultVariant": "off",
            "targeting": ["var": "result"],
        ])
        #expect(try evaluate(flag, ["result": JSONValue(parsing: result)]) == evaluation)
    }

    @Test("what is not a number is the default, and no name")
    func notANumber() {
        let flag = boolean(["targeting": ["+": ["ten"]]])
        #expect(evaluate(flag) == Evaluation(variant: 1, reason: .default))
    }

    @Test("a flag that is not all true and false has no override that switches it on or off")
    func mixedOverride() {
        let flag = compiled([
            "state": "ENABLED", "variants": ["yes": true, "label": "text"], "defaultVariant": "label",
        ])
        let switched = evaluate(flag, override: TenantOverride(choice: .enabled(true)))
        #expect(switched == Evaluation(variant: 1, reason: .static))
        let named = evaluate(flag, override: TenantOverride(choice: .variant("yes")))
        #expect(named == Evaluation(variant: 0, reason: .tenantOverride))
    }

    @Test("the name of no variant is an error, not the default")
    func unknownVariant() {
        let evaluation = evaluate(boolean(["targeting": ["cat": ["o", "ther"]]]))
        #expect(evaluation.reason == .error)
        #expect(evaluation.error?.code == .general)
        #expect(evaluate(boolean(["targeting": ["==": [1, 1]]])).error?.code == .general)
    }

    @Test("a disabled flag answers no variant, and no error")
    func disabled() {
        let flag = boolean(["state": "DISABLED"])
        #expect(evaluate(flag) == Evaluation(variant: nil, reason: .disabled))
        let override = TenantOverride(choice: .enabled(true))
        #expect(evaluate(flag, override: override) == Evaluation(variant: nil, reason: .disabled))
    }

    @Test(
        "a kill switch beats everything: a boolean flag is false, another has no value",
        arguments: [KillSwitchKind.flag, .global])
    func killed(by killSwitch: KillSwitchKind) {
        let override = TenantOverride(choice: .enabled(true))
        let text = compiled(["state": "ENABLED", "variants": ["a": "x"], "defaultVariant": "a"])
        let alwaysOn = compiled(["state": "ENABLED", "variants": ["on": true], "defaultVariant": "on"])
        let cases: [(flag: CompiledFlag, variant: Int?, value: String?)] = [
            (boolean(), 1, "false"), (boolean(["state": "DISABLED"]), 1, "false"),
            // Off without a variant that says so: false all the same, not the caller's own default.
            (alwaysOn, nil, "false"), (text, nil, nil), (CompiledFlag(key: "f", invalid: "not JSON"), nil, nil),
        ]
        for (flag, variant, value) in cases {
            let evaluation = evaluate(flag, killSwitch: killSwitch, override: override)
            #expect(evaluation == Evaluation(variant: variant, reason: .killSwitch(killSwitch)))
            #expect(flag.valueJSON(of: evaluation).map { String(decoding: $0, as: UTF8.self) } == value)
            #expect(!flag.isEnabled(by: evaluation))
        }
    }

    @Test("the metadata of a killed flag names the kill switch, whatever the flag's own says")
    func killedMetadata() throws {
        let later = Timestamp(millisecondsSinceEpoch: Self.now.millisecondsSinceEpoch + 1)
        let text = #"{"state":"ENABLED","variants":{"a":1},"metadata":{"killSwitch":"mine","a":2.0}}"#
        let flag = CompiledFlag(
            key: "k", definition: FlagDefinition(keeping: try JSONValue(parsing: text)), fractional: .v3,
            expiresAt: later)
        let expected: [(now: Timestamp, killSwitch: KillSwitchKind?, json: String)] = [
            (Self.now, nil, #"{"killSwitch":"mine","a":2.0}"#), (Self.now, .flag, #"{"killSwitch":"flag","a":2.0}"#),
            (Self.now, .global, #"{"killSwitch":"global","a":2.0}"#),
            (later, .global, #"{"killSwitch":"global","a":2.0,"stale":true}"#),
            (Self.now, nil, #"{"killSwitch":"mine","a":2.0}"#),
        ]
        for (now, killSwitch, json) in expected + expected {
            #expect(shownMetadata(of: flag, at: now, killSwitch: killSwitch) == json)
        }
    }

    @Test(
        "a tenant's override beats targeting while it lasts; one that names no variant is ignored",
        arguments: [
            (TenantOverride(choice: .enabled(true)), 0), (TenantOverride(choice: .enabled(false)), 1),
            (TenantOverride(choice: .variant("on")), 0), (TenantOverride(choice: .variant("none")), nil),
            (TenantOverride(choice: .variant("on"), expiresAt: later), 0),
            (TenantOverride(choice: .variant("on"), expiresAt: now), nil),
        ] as [(TenantOverride, Int?)])
    func overrides(override: TenantOverride, variant: Int?) {
        let flag = boolean(["targeting": ["if": [true, "off"]]])
        let expected = variant.map { Evaluation(variant: $0, reason: .tenantOverride) }
        #expect(evaluate(flag, override: override) == expected ?? Evaluation(variant: 1, reason: .targetingMatch))
    }

    @Test("enabled means nothing on a flag that is not boolean")
    func enabledOnTextFlag() {
        let flag = compiled(["state": "ENABLED", "variants": ["true": "x"], "defaultVariant": "true"])
        #expect(evaluate(flag, override: TenantOverride(choice: .enabled(true))).reason == .static)
    }

    @Test("the targeting key and tenant given beside the attributes beat those among them")
    func overlays() {
        let flag = boolean([
            "targeting": ["if": [["==": [["var": ["targetingKey", "tenantId"]], "outer"]], "on", "off"]]
        ])
        let tenant = boolean(["targeting": ["if": [["==": [["var": "tenantId"], "outer"]], "on", "off"]]])
        let context: JSONValue = ["targetingKey": "inner", "tenantId": "inner"]
        #expect(evaluate(flag, context).variant == 1)
        #expect(evaluate(flag, context, overlay: "outer").variant == 0)
        #expect(evaluate(tenant, context, overlay: "outer").variant == 0)
        #expect(evaluate(tenant, overlay: "outer").variant == 0)
    }

    @Test("rules can read the flag's key and the time in seconds, which nothing in the context overrides")
    func flagdProperties() {
        let key = boolean(["targeting": ["if": [["==": [["var": "$flagd.flagKey"], "f"]], "on", "off"]]])
        let time = boolean(["targeting": ["if": [["==": [["var": "$flagd.timestamp"], 1_790_000_000]], "on", "off"]]])
        let context: JSONValue = ["$flagd": ["flagKey": "x", "timestamp": 0]]
        #expect(evaluate(key, context).variant == 0)
        #expect(evaluate(time, context).variant == 0)
        #expect(!key.readsTimestamp)
        #expect(time.readsTimestamp)
        #expect(!boolean().readsTimestamp)
        #expect(boolean(["targeting": ["var": ["var": "which"]]]).readsTimestamp)
    }

    @Test("a value is served as it is spelled, and names as JSON strings")
    func spelling() throws {
        let text = #"{"state":"ENABLED","variants":{"a\"b":2.0,"c":1E2},"metadata":{"x":1.50,"n":null}}"#
        let flag = CompiledFlag(
            key: "k\"ey", definition: FlagDefinition(keeping: try JSONValue(parsing: text)), fractional: .v3)
        #expect(flag.texts.variants.map { String(decoding: $0.value, as: UTF8.self) } == ["2.0", "1E2"])
        #expect(flag.texts.variants.map { String(decoding: $0.name, as: UTF8.self) } == [#""a\"b""#, #""c""#])
        #expect(String(decoding: flag.texts.key, as: UTF8.self) == #""k\"ey""#)
        #expect(shownMetadata(of: flag) == #"{"x":1.50}"#)
        #expect(shownMetadata(of: flag, killSwitch: .flag) == #"{"x":1.50,"killSwitch":"flag"}"#)
        #expect(!flag.isBoolean)
    }

    @Test("from its date on, a flag's metadata says that it is stale; its answers stay the same")
    func staleMetadata() throws {
        let later = Timestamp(millisecondsSinceEpoch: Self.now.millisecondsSinceEpoch + 1)
        for (metadata, before, after) in [
            (#"{}"#, "{}", #"{"stale":true}"#), (#"{"a":1.0}"#, #"{"a":1.0}"#, #"{"a":1.0,"stale":true}"#),
            (#"{"stale":"no"}"#, #"{"stale":"no"}"#, #"{"stale":true}"#),
        ] {
            let text = #"{"state":"ENABLED","variants":{"a":1},"defaultVariant":"a","metadata":\#(metadata)}"#
            let flag = CompiledFlag(
                key: "k", definition: FlagDefinition(keeping: try JSONValue(parsing: text)), fractional: .v3,
                expiresAt: later)
            #expect(shownMetadata(of: flag) == before)
            #expect(shownMetadata(of: flag, at: later) == after)
            let context = EvaluationContext(attributes: nil)
            #expect(flag.evaluate(context, killSwitch: nil, override: nil, now: later).variant == 0)
        }
    }

    @Test("every reason has its words for OFREP and for the API")
    func reasons() {
        let words: [(reason: Reason, openFeature: String, api: String)] = [
            (.static, "STATIC", "default"), (.default, "DEFAULT", "default"), (.split, "SPLIT", "rollout"),
            (.targetingMatch, "TARGETING_MATCH", "targeting"), (.disabled, "DISABLED", "disabled"),
            (.killSwitch(.flag), "STATIC", "kill_switch"), (.killSwitch(.global), "STATIC", "kill_switch"),
            (.tenantOverride, "TARGETING_MATCH", "tenant_override"),
            (.prerequisiteFailed, "DEFAULT", "prerequisite_failed"), (.error, "ERROR", "error"),
        ]
        for (reason, openFeature, api) in words {
            #expect(reason.openFeature(hasValue: true).description == openFeature)
            #expect(reason.api.description == api)
        }
        #expect(Reason.killSwitch(.flag).openFeature(hasValue: false).description == "DISABLED")
    }

    private func shownMetadata(
        of flag: CompiledFlag, at now: Timestamp = Self.now, killSwitch: KillSwitchKind? = nil
    ) -> String {
        String(
            decoding: flag.changedMetadataJSON(at: now, killSwitch: killSwitch) ?? Array(flag.texts.metadata),
            as: UTF8.self)
    }

    private func boolean(_ members: JSONObject = [:]) -> CompiledFlag {
        var flag: JSONObject = ["state": "ENABLED", "variants": ["on": true, "off": false], "defaultVariant": "off"]
        for (name, value) in members.members { flag[name] = value }
        return compiled(.object(flag))
    }

    private func compiled(_ definition: JSONValue) -> CompiledFlag {
        CompiledFlag(key: "f", definition: FlagDefinition(keeping: definition), fractional: .v3)
    }

    private func evaluate(
        _ flag: CompiledFlag, _ context: JSONValue = [:], overlay: String? = nil, killSwitch: KillSwitchKind? = nil,
        override: TenantOverride? = nil
    ) -> Evaluation {
        guard let document = try? JSONDocument(parsing: context.serializedBytes()) else {
            return Evaluation(error: EvaluationError(code: .invalidContext, details: "not JSON"))
        }
        return Array((overlay ?? "").utf8).withUnsafeBytes { bytes in
            let given = overlay == nil ? nil : bytes
            return flag.evaluate(
                EvaluationContext(attributes: document.root, targetingKey: given, tenantId: given),
                killSwitch: killSwitch, override: override, now: Self.now)
        }
    }
}

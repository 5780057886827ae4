import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { Event } from "./Events.ts"
import { files } from "./generate.ts"
import { defaultSessionConfig, SessionConfig } from "./Session.ts"
import { NOUNS, settles, STREAMS, streamOf, subjectOf } from "./Subjects.ts"

const SESSION = "01JD0000000000000000000000"
const config = defaultSessionConfig

describe("contract", () => {
  it("has generated files that are up to date (npm run contract)", () => {
    const made = files()
    for (const [name, text] of made) {
      const path = new URL(`generated/${name}`, import.meta.url)
      assert.isTrue(existsSync(path), `${name} is missing`)
      assert.strictEqual(readFileSync(path, "utf8"), text, `${name} has drifted`)
    }
    assert.strictEqual(
      readdirSync(new URL("generated/schemas/", import.meta.url)).length,
      made.size - 1,
      "a generated file belongs to no event"
    )
  })

  it("gives every event a noun of its stream", () => {
    for (const member of Event.members) {
      const tag = member.fields._tag.schema.literal
      const noun = tag.split(".")[0]
      const host = ["health.changed", "call.detected", "lag.changed", "tombstone.written"].includes(tag)
      assert.isTrue(host || NOUNS.some((known) => known === noun), tag)
    }
  })

  it("makes subjects that sort and identify", () => {
    const rejected = {
      _tag: "text.rejected",
      v: 1,
      mode: "call",
      session: SESSION,
      unit: 7,
      start: 0,
      end: 1,
      engine: "",
      model: "",
      modelSha256: "",
      computeMs: 0,
      threads: 0,
      reason: "silence",
      text: ""
    } as const
    assert.strictEqual(subjectOf(rejected), `text.rejected.call.${SESSION}.000007`)
    assert.strictEqual(settles(rejected), `text.*.call.${SESSION}.000007`)
    assert.strictEqual(streamOf(rejected), "CALLS")
    const drafted = {
      _tag: "reply.drafted",
      v: 1,
      mode: "assistant",
      session: SESSION,
      unit: 2,
      sentence: 3,
      text: "Hi.",
      generation: 0,
      config
    } as const
    assert.strictEqual(subjectOf(drafted), `reply.drafted.assistant.${SESSION}.000002.000003`)
    assert.strictEqual(settles(drafted), subjectOf(drafted))
    assert.strictEqual(streamOf(drafted), "ASSISTANT")
  })

  it("round-trips an event and refuses a wrong one", () => {
    const json = Schema.fromJsonString(Event)
    const event = { _tag: "session.closed", v: 1, mode: "call", session: SESSION, reason: "complete", captured: 1 } as const
    assert.deepStrictEqual(Schema.decodeUnknownSync(json)(Schema.encodeSync(json)(event)), event)
    for (const wrong of [
      { ...event, session: "x" },
      { ...event, v: 2 },
      { ...event, mode: "other" },
      { ...event, captured: -1 },
      { _tag: "nothing" }
    ]) {
      assert.throws(() => Schema.decodeUnknownSync(json)(JSON.stringify(wrong)))
    }
  })

  it("fills a session's configuration with the defaults", () => {
    assert.deepStrictEqual(Schema.decodeUnknownSync(SessionConfig)({ transcriber: { language: "de" } }).transcriber, {
      ...config.transcriber,
      language: "de"
    })
    assert.throws(() => Schema.decodeUnknownSync(SessionConfig)({ transcriber: { beamSize: 0 } }))
    assert.throws(() => Schema.decodeUnknownSync(SessionConfig)({ transcriber: { bestOf: 11 } }))
  })

  it("names no stream twice and lets no two streams share a subject", () => {
    const subjects = STREAMS.flatMap((stream) => stream.subjects)
    assert.strictEqual(new Set(subjects).size, subjects.length)
    assert.strictEqual(new Set(STREAMS.map((stream) => stream.name)).size, STREAMS.length)
  })
})

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Change, EventOf, Segment, SessionEvent, Transcript } from "../contract/Events.ts"
import { defaultSessionConfig } from "../contract/Session.ts"
import { Blobs } from "../kernel/Blobs.ts"
import { Bus } from "../kernel/Bus.ts"
import { encode } from "../kernel/Envelope.ts"
import { load, Settings } from "../kernel/Settings.ts"
import { testLayer } from "../kernel/testkit/Testkit.ts"
import { currentTranscript } from "../kernel/Transcripts.ts"
import { editTranscript, redoEdit, undoEdit } from "./Editing.ts"
import { eraseSession } from "./Erase.ts"
import { Library } from "./Library.ts"

const ONE = "01JDABCDEFGHJKMNPQRSTVWXYZ"
const TWO = "01JDBBCDEFGHJKMNPQRSTVWXYZ"
const at = (seconds: number) => seconds * 16_000

const segment = (text: string, start: number, speaker?: string): Segment => ({
  start: at(start),
  end: at(start + 2),
  text,
  words: [{ start: at(start), end: at(start + 1), word: text, probability: 1 }],
  avgLogprob: 0,
  noSpeechProbability: 0,
  compressionRatio: 1,
  temperature: 0,
  ...(speaker === undefined ? {} : { speaker })
})

/** Bus, blobs, and an index in a folder that goes with the test. */
const layer = Layer.unwrap(
  Effect.gen(function* () {
    const home = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "library-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    const settings = Layer.effect(Settings, load({ VOXBUS_HOME: home }))
    return Library.layer.pipe(Layer.provideMerge(Layer.mergeAll(testLayer, settings)))
  })
)

let sent = 0
const publish = Effect.fnUntraced(function* (event: SessionEvent) {
  const bus = yield* Bus
  yield* bus.publish(yield* encode(event, { actor: "test", cause: "", messageId: `test:${++sent}` }))
})

const opened = (session: string, title: string): EventOf<"session.opened"> => ({
  _tag: "session.opened",
  v: 1,
  mode: "call",
  session,
  title,
  ticket: "T-1",
  source: { kind: "file", name: "x.wav" },
  config: defaultSessionConfig,
  at: session === ONE ? "2026-11-20T10:00:00Z" : "2026-11-22T10:00:00Z"
})

const complete = Effect.fnUntraced(function* (session: string, segments: ReadonlyArray<Segment>) {
  const blobs = yield* Blobs
  const owner = { mode: "call", session } as const
  const transcript: Transcript = {
    session,
    version: 1,
    title: "T",
    startedAt: "2026-11-20T10:00:00Z",
    language: "en",
    samples: at(60),
    text: segments.map(({ text }) => text).join(" "),
    segments,
    coverage: { speechSamples: 1, transcribedSamples: 1, ratio: 1, gaps: [] },
    engine: "e",
    model: "m",
    modelSha256: ""
  }
  yield* publish({
    _tag: "transcript.completed",
    v: 1,
    ...owner,
    version: 1,
    transcript: yield* blobs.put(owner, new TextEncoder().encode(JSON.stringify(transcript)), "application/json"),
    language: "en",
    samples: at(60),
    segments: segments.length,
    words: 3,
    coverage: transcript.coverage
  })
  yield* publish({
    _tag: "bundle.ready",
    v: 1,
    ...owner,
    version: 1,
    folder: join(tmpdir(), "library-no-such-folder"),
    bundle: "x.vtb",
    files: [{ name: "x.vtb", bytes: 10, sha256: "a".repeat(64) }],
    seal: { head: "b".repeat(64), events: 1, publicKey: "", signature: "" }
  })
})

const chunk = (session: string, unit: number, segments: ReadonlyArray<Segment>): EventOf<"text.transcribed"> => ({
  _tag: "text.transcribed",
  v: 1,
  mode: "call",
  session,
  unit,
  start: 0,
  end: at(30),
  engine: "e",
  model: "m",
  modelSha256: "",
  computeMs: 0,
  threads: 1,
  text: "",
  segments,
  language: "en",
  languageProbability: 1,
  confidence: 1,
  config: defaultSessionConfig
})

const starts = Effect.fnUntraced(function* (query: string) {
  const library = yield* Library
  return (yield* library.search(query, 10)).map(({ session, start }) => `${session === ONE ? 1 : 2}@${start}`).toSorted()
})

const SAID = [
  segment("The café on the second", 1, "Ann"),
  segment("floor is closed.", 3, "Ann"),
  segment("Why? I wanted an espresso.", 8, "Bob")
]

describe("the library", () => {
  it.live("finds words while the call goes on, and those of the transcript afterwards", () =>
    Effect.gen(function* () {
      yield* publish(opened(ONE, "Coffee"))
      yield* publish(chunk(ONE, 1, [segment("Draft words.", 0)]))
      assert.deepStrictEqual(yield* starts("draft"), ["1@0"])
      yield* complete(ONE, SAID)
      assert.deepStrictEqual(yield* starts("draft"), [])
      assert.deepStrictEqual(yield* starts("CAFE"), ["1@1"])
      assert.deepStrictEqual(yield* starts('"second floor"'), ["1@1"], "a phrase across two segments")
      assert.deepStrictEqual(yield* starts("floor"), ["1@3"])
      assert.deepStrictEqual(yield* starts("espr* speaker:bob"), ["1@8"])
      assert.deepStrictEqual(yield* starts("espresso speaker:ann"), [])
      assert.deepStrictEqual(yield* starts("closed after:2026-11-21"), [])
      assert.deepStrictEqual(yield* starts("closed before:2026-11-21 ticket:t-1 title:coff"), ["1@3"])
      const library = yield* Library
      const [only] = yield* library.list({ limit: 5 })
      assert.deepInclude(only, { session: ONE, title: "Coffee", ticket: "T-1", state: "completed", coverage: 1, durationSeconds: 60 })
    }).pipe(Effect.provide(layer))
  )

  it.live("never lets what a person types break the search", () =>
    Effect.gen(function* () {
      yield* publish(opened(ONE, "Coffee"))
      yield* complete(ONE, SAID)
      const library = yield* Library
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom(..."\"*():^-+{}' ANDORNOTNEAR,\\%_;a") })),
            (text) => Effect.runPromise(Effect.asVoid(library.search(text, 3)))
          ),
          { numRuns: 400 }
        )
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("is made anew from the log, and pages with the session before", () =>
    Effect.gen(function* () {
      yield* publish(opened(ONE, "Coffee"))
      yield* complete(ONE, SAID)
      yield* publish(opened(TWO, "Tea"))
      const library = yield* Library
      const before = yield* library.list({ limit: 5 })
      assert.deepStrictEqual(
        before.map(({ session }) => session),
        [TWO, ONE]
      )
      assert.deepStrictEqual(yield* library.rebuild, { sessions: 2, segments: 3 })
      assert.deepStrictEqual(yield* library.list({ limit: 5 }), before)
      assert.deepStrictEqual((yield* library.list({ limit: 1, before: TWO })).length, 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("follows edits, their undo and redo, and leaves the original alone", () =>
    Effect.gen(function* () {
      yield* publish(opened(ONE, "Coffee"))
      yield* complete(ONE, SAID)
      const change = (made: { readonly change: Change }) => made.change
      assert.deepStrictEqual(change(yield* editTranscript(ONE, "eve", { segment: 2, text: " floor is  open. " }, 0)), {
        kind: "text",
        segment: 2,
        before: "floor is closed.",
        after: "floor is open."
      })
      assert.deepStrictEqual(yield* starts("closed"), [])
      assert.deepStrictEqual(yield* starts("open"), ["1@3"])
      yield* editTranscript(ONE, "eve", { rename: "Ann", to: "Anna" }, undefined)
      yield* editTranscript(ONE, "eve", { segment: 3, text: "" }, 2)
      const { transcript, original, edits } = yield* currentTranscript("call", ONE)
      assert.deepStrictEqual(
        transcript.segments.map(({ speaker, text, words }) => `${speaker}: ${text} ${words.length}`),
        ["Anna: The café on the second 1", "Anna: floor is open. 0"]
      )
      assert.strictEqual(transcript.text, "The café on the second floor is open.")
      assert.deepStrictEqual(original.segments, SAID)
      assert.deepStrictEqual(
        edits.map(({ revision, by }) => `${revision} ${by}`),
        ["1 eve", "2 eve", "3 eve"]
      )
      yield* undoEdit(ONE, "eve")
      assert.deepStrictEqual(change(yield* undoEdit(ONE, "eve")), { kind: "undo", revision: 2 })
      assert.deepStrictEqual(yield* starts("espresso speaker:bob"), ["1@8"])
      assert.deepStrictEqual(change(yield* redoEdit(ONE, "eve")), { kind: "redo", revision: 2 })
      assert.deepStrictEqual(yield* starts("open speaker:anna"), ["1@3"])
      yield* editTranscript(ONE, "eve", { segment: 1, speaker: "" }, undefined)
      const fails = [
        redoEdit(ONE, "eve"),
        editTranscript(ONE, "eve", { segment: 9, text: "x" }, undefined),
        editTranscript(ONE, "eve", { rename: "Nobody", to: "x" }, undefined)
      ]
      for (const failing of fails) assert.strictEqual((yield* Effect.flip(failing)).code, "input.invalid")
      assert.strictEqual((yield* Effect.flip(editTranscript(ONE, "eve", { segment: 1, text: "x" }, 1))).code, "edit.conflict")
    }).pipe(Effect.provide(layer))
  )

  it.live("forgets what is erased, and refuses what is worked on", () =>
    Effect.gen(function* () {
      yield* publish(opened(ONE, "Coffee"))
      yield* complete(ONE, SAID)
      yield* publish(opened(TWO, "Tea"))
      const options = { by: "eve", reason: "user", force: false } as const
      assert.strictEqual((yield* Effect.flip(eraseSession(TWO, options))).code, "session.busy")
      assert.deepInclude(yield* eraseSession(ONE, options), { session: ONE, events: 3, left: [] })
      assert.deepStrictEqual(yield* starts("floor"), [])
      assert.strictEqual((yield* Effect.flip(eraseSession(ONE, options))).code, "session.unknown")
      const bus = yield* Bus
      assert.strictEqual((yield* bus.count("CALLS", `*.*.call.${ONE}`)).size, 0)
      assert.strictEqual((yield* bus.count("BLOBS_CALLS", `blobs.call.${ONE}.>`)).size, 0)
      const [tombstone] = yield* bus.last("TOMBSTONES", [">"])
      assert.include(new TextDecoder().decode(tombstone?.data), '"by":"eve"')
      const library = yield* Library
      assert.deepStrictEqual(yield* library.rebuild, { sessions: 1, segments: 0 })
    }).pipe(Effect.provide(layer))
  )
})

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Event, EventOf, SessionEvent } from "../../contract/Events.ts"
import type { ActorContext, Logged } from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { Frames } from "../../kernel/Frames.ts"
import { load, Settings } from "../../kernel/Settings.ts"
import { makeBundler } from "./Bundler.ts"
import { captured, chunk, completed, logOf, opened, raised, rejected, segmentOf, SESSION, transcribed } from "./Specimen.ts"
import { verifyBundle } from "./Verify.ts"

/** Four seconds of a quiet tone, 8 kHz stereo, as a WAV file. */
const WAV = (() => {
  const [rate, channels, seconds] = [8000, 2, 4]
  const pcm = Buffer.alloc(rate * channels * 2 * seconds)
  for (let index = 0; index < rate * seconds; index++) {
    const value = Math.round(3000 * Math.sin((2 * Math.PI * 440 * index) / rate))
    for (let channel = 0; channel < channels; channel++) pcm.writeInt16LE(value, (index * channels + channel) * 2)
  }
  const head = Buffer.alloc(44)
  head.write("RIFF", 0)
  head.writeUInt32LE(36 + pcm.length, 4)
  head.write("WAVEfmt ", 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(channels, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(rate * channels * 2, 28)
  head.writeUInt16LE(channels * 2, 32)
  head.writeUInt16LE(16, 34)
  head.write("data", 36)
  head.writeUInt32LE(pcm.length, 40)
  return Buffer.concat([head, pcm])
})()
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
const wavRef = { sha256: sha256(WAV), bytes: WAV.length, mediaType: "application/octet-stream" }

/** A log and a store in memory, and the actor working on them as the runtime would. */
const world = Effect.gen(function* () {
  const home = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "bundler-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
  )
  const settings = yield* load({ VOXBUS_HOME: home })
  const store = new Map<string, Uint8Array>([[wavRef.sha256, WAV]])
  const get = (sha: string) =>
    Effect.fromNullishOr(store.get(sha)).pipe(Effect.mapError(() => new Terminal({ code: "blob.missing", message: "It is gone." })))
  const layer = Layer.mergeAll(
    Layer.succeed(Settings, Settings.of(settings)),
    Layer.succeed(
      Blobs,
      Blobs.of({
        put: (_owner, bytes, mediaType) =>
          Effect.sync(() => {
            store.set(sha256(bytes), bytes)
            return { sha256: sha256(bytes), bytes: bytes.length, mediaType }
          }),
        putFile: () => Effect.die("not used"),
        get: (_owner, ref) => get(ref.sha256),
        stream: (_owner, ref) => Stream.fromEffect(get(ref.sha256))
      })
    ),
    Layer.succeed(
      Frames,
      Frames.of({
        read: (_owner, range) => Stream.fromIterable(Array.from({ length: range.count }, () => WAV.subarray(44, 44 + 8000))),
        follow: () => Stream.die("not used"),
        saved: () => Stream.die("not used")
      })
    )
  )
  let log: ReadonlyArray<Logged> = []
  let reads = 0
  const append = (event: Event, cause = ""): Logged | undefined => {
    const [entry] = "session" in event ? logOf([event]) : []
    if (entry === undefined || log.some(({ subject }) => subject === entry.subject)) return undefined
    const stored = { ...entry, sequence: log.length + 1, cause }
    log = [...log, stored]
    return stored
  }
  const contextOf = (entry: Logged): ActorContext => ({
    stream: "CALLS",
    sequence: entry.sequence,
    time: entry.time,
    attempt: 1,
    ask: () => Effect.die(new Error("nobody is asked here")),
    everything: () => Effect.succeed([]),
    history: <T extends Event["_tag"]>(tags: ReadonlyArray<T>) =>
      Effect.sync(() => {
        reads += 1
        return log.filter((each): each is Logged<EventOf<T>> => tags.some((tag) => tag === each.event._tag))
      })
  })
  const actor = makeBundler()
  /** Publishes what the actor makes of an event, up to `stopAfter` outputs: then it "crashes". */
  const deliver = (entry: Logged, stopAfter = Infinity) =>
    actor.handle(entry.event as SessionEvent, contextOf(entry)).pipe(
      Stream.tap((event) => Effect.sync(() => append(event, `CALLS:${entry.sequence}`))),
      Stream.take(stopAfter),
      Stream.runCollect,
      Effect.provide(layer)
    )
  const send = (event: SessionEvent) => {
    const entry = append(event)
    return entry === undefined ? Effect.die("twice") : deliver(entry)
  }
  const seed = (...events: ReadonlyArray<SessionEvent>) => events.forEach((event) => append(event))
  const output = settings.outputFolder
  return { output, send, deliver, seed, log: () => log, reads: () => reads, folder: join(output, "20261122_182405_CASE-7") }
})

const chunks = [chunk(1, 0, 2, [[0.5, 1.5]]), chunk(2, 2, 4, [[2, 3.5]])]
const one = transcribed(1, [segmentOf("Good morning.", 0.5, 1.5)])
const two = transcribed(2, [segmentOf("Good bye.", 2, 3.5)])
const tags = (events: ReadonlyArray<Event>) => events.map(({ _tag }) => _tag)
const FILES = [
  "20261122_182405_CASE-7.vtb",
  "audio_16k.wav",
  "audio_raw.wav",
  "transcript.json",
  "transcript.srt",
  "transcript.txt",
  "transcript.vtt"
]

describe("bundler", () => {
  it.effect("waits for the last chunk, then publishes the transcript and writes the folder", () =>
    Effect.gen(function* () {
      const { send, seed, folder, output } = yield* world
      seed(opened, captured({ blob: wavRef }), ...chunks)
      assert.deepStrictEqual(yield* send(one), [])
      assert.deepStrictEqual(yield* send(completed(2, 4, 2.5)), [])
      const [transcript, ready, ...more] = yield* send(two)
      assert.deepStrictEqual(more, [])
      assert.strictEqual(transcript?._tag === "transcript.completed" ? transcript.words : 0, 4)
      if (ready?._tag !== "bundle.ready") return assert.fail("no bundle.ready")
      assert.strictEqual(ready.folder, folder)
      assert.strictEqual(ready.bundle, "20261122_182405_CASE-7.vtb")
      assert.deepStrictEqual((yield* Effect.promise(() => readdir(folder))).toSorted(), FILES)
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(output)), ["20261122_182405_CASE-7"])
      for (const { name, bytes, sha256: hash } of ready.files) {
        const content = yield* Effect.promise(() => readFile(join(folder, name)))
        assert.strictEqual(content.length, bytes)
        assert.strictEqual(sha256(content), hash)
      }
      assert.strictEqual(yield* Effect.promise(() => readFile(join(folder, "transcript.txt"), "utf8")), "Good morning. Good bye.\n")
      assert.isTrue((yield* Effect.promise(() => readFile(join(folder, "audio_raw.wav")))).equals(WAV))
      const wav = yield* Effect.promise(() => readFile(join(folder, "audio_16k.wav")))
      assert.strictEqual(wav.readUInt32LE(24), 16_000)
      assert.approximately((wav.length - 44) / 2, 64_000, 200)
      const checked = yield* verifyBundle(join(folder, "20261122_182405_CASE-7.vtb"), { expectKey: ready.seal.publicKey })
      assert.deepStrictEqual(checked.problems, [])
      assert.strictEqual(checked.seal?.events, 8)
    })
  )

  it.effect("is woken by any last event: the count, a rejection, or a chunk that was given up", () =>
    Effect.gen(function* () {
      const late = yield* world
      late.seed(opened, captured({ blob: wavRef }), ...chunks, one, rejected(2, 2, 4, "no_speech"))
      assert.deepStrictEqual(tags(yield* late.send(completed(2, 4, 2.5))), ["transcript.completed", "bundle.ready"])
      const dead = yield* world
      dead.seed(opened, captured({ blob: wavRef }), ...chunks, completed(2, 4, 2.5), one)
      assert.deepStrictEqual(yield* dead.send(raised("normalizer", 2)), [])
      const [transcript] = yield* dead.send(raised("transcriber", 2))
      assert.deepStrictEqual(transcript?._tag === "transcript.completed" ? transcript.coverage.gaps.map(({ reason }) => reason) : [], [
        "engine.failed"
      ])
    })
  )

  it.effect("completes a call without speech", () =>
    Effect.gen(function* () {
      const { send, seed, folder } = yield* world
      seed(opened, captured({ blob: wavRef }))
      const [transcript, ready] = yield* send(completed(0, 4, 0))
      assert.strictEqual(
        transcript?._tag === "transcript.completed" ? transcript.emptyReason : "",
        "No speech was detected in the recording."
      )
      assert.strictEqual(ready?._tag, "bundle.ready")
      assert.isTrue((yield* verifyBundle(join(folder, "20261122_182405_CASE-7.vtb"))).ok)
    })
  )

  it.effect("takes a recording from frames", () =>
    Effect.gen(function* () {
      const { send, seed, folder } = yield* world
      seed(opened, {
        ...captured({ frames: { first: 1, last: 4, count: 4 } }),
        codec: "pcm_s16le",
        sampleRate: 8000,
        channels: 2,
        samples: 8000
      })
      assert.deepStrictEqual(tags(yield* send(completed(0, 1, 0))), ["transcript.completed", "bundle.ready"])
      const wav = yield* Effect.promise(() => readFile(join(folder, "audio_raw.wav")))
      assert.strictEqual(wav.readUInt16LE(22), 2)
      assert.strictEqual(wav.length, 44 + 32_000)
    })
  )

  it.effect("finishes what a crash interrupted, and does nothing twice", () =>
    Effect.gen(function* () {
      const { deliver, seed, log, folder } = yield* world
      seed(opened, captured({ blob: wavRef }), ...chunks, one, completed(2, 4, 2.5), two)
      const last = log().at(-1) ?? assert.fail("empty log")
      assert.deepStrictEqual(tags(yield* deliver(last, 1)), ["transcript.completed"])
      // The transcript again as it is, so that the bundle is the second output of the event as it would have been.
      assert.deepStrictEqual(tags(yield* deliver(last)), ["transcript.completed", "bundle.ready"])
      const before = yield* Effect.promise(() => stat(join(folder, "20261122_182405_CASE-7.vtb")))
      assert.deepStrictEqual(yield* deliver(last), [])
      assert.deepStrictEqual((yield* Effect.promise(() => stat(join(folder, "20261122_182405_CASE-7.vtb")))).mtimeMs, before.mtimeMs)
    })
  )

  it.effect("keeps a whole folder when the crash came after it, and sweeps what was half written", () =>
    Effect.gen(function* () {
      const { deliver, seed, log, folder, output } = yield* world
      seed(opened, captured({ blob: wavRef }), ...chunks, one, completed(2, 4, 2.5), two)
      const last = log().at(-1) ?? assert.fail("empty log")
      yield* deliver(last, 1)
      // No process has this number.
      const left = join(output, `.voxbus-${SESSION}-99999999.partial`)
      yield* Effect.promise(() => mkdir(left, { recursive: true }))
      const [, first] = yield* deliver(last)
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(output)), ["20261122_182405_CASE-7"])
      // The log lost `bundle.ready` (the crash came before it was published): the same world, told again.
      const again = yield* world
      yield* Effect.promise(() => mkdir(again.output, { recursive: true }))
      yield* Effect.promise(() => cp(folder, again.folder, { recursive: true, preserveTimestamps: true }))
      again.seed(opened, captured({ blob: wavRef }), ...chunks, one, completed(2, 4, 2.5))
      const [, second] = yield* again.send(two)
      const facts = (event: Event | undefined) => (event?._tag === "bundle.ready" ? { files: event.files, seal: event.seal } : undefined)
      assert.isDefined(facts(first))
      assert.deepStrictEqual(facts(second), facts(first))
    })
  )

  it.effect("never touches a folder that is not its own", () =>
    Effect.gen(function* () {
      const { send, seed, folder } = yield* world
      yield* Effect.promise(() => mkdir(folder, { recursive: true }))
      yield* Effect.promise(() => writeFile(join(folder, "20261122_182405_CASE-7.vtb"), "of somebody else"))
      seed(opened, captured({ blob: wavRef }))
      const [, ready] = yield* send(completed(0, 4, 0))
      assert.strictEqual(ready?._tag === "bundle.ready" ? ready.folder : "", `${folder}_${SESSION}`)
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(folder)), ["20261122_182405_CASE-7.vtb"])
    })
  )

  it.effect("asks to be tried again when the folder cannot be written", () =>
    Effect.gen(function* () {
      const { send, seed, output } = yield* world
      yield* Effect.promise(() => writeFile(output, "a file where the folder should be"))
      seed(opened, captured({ blob: wavRef }))
      const failure = yield* Effect.flip(send(completed(0, 4, 0)))
      assert.strictEqual(failure._tag, "Retryable")
      assert.strictEqual(failure.code, "bundle.unwritable")
    })
  )

  it.effect("makes a repaired version beside the old when a chunk that was given up has words after all", () =>
    Effect.gen(function* () {
      const { send, seed, folder, log, deliver } = yield* world
      seed(opened, captured({ blob: wavRef }), ...chunks, completed(2, 4, 2.5), one)
      const first = yield* send(raised("transcriber", 2))
      assert.deepStrictEqual(tags(first), ["transcript.completed", "bundle.ready"])
      const repaired = yield* send(two)
      assert.deepStrictEqual(tags(repaired), ["transcript.requested", "transcript.completed", "bundle.ready"])
      const [request, transcript, ready] = repaired
      assert.deepInclude(request, { version: 2, reason: "repair", repairs: 1 })
      if (transcript?._tag !== "transcript.completed" || ready?._tag !== "bundle.ready") return assert.fail("no version 2")
      assert.deepInclude(transcript, { version: 2, words: 4 })
      assert.deepStrictEqual(transcript.coverage.gaps, [])
      assert.isUndefined(transcript.current)
      assert.strictEqual(ready.folder, join(folder, "v2"))
      assert.isTrue((yield* verifyBundle(join(folder, "20261122_182405_CASE-7.vtb"))).ok, "the first bundle is as it was")
      const second = yield* verifyBundle(join(folder, "v2", "20261122_182405_CASE-7.vtb"))
      assert.deepStrictEqual(second.problems, [])
      // Again after a crash: nothing new.
      const before = log().length
      yield* deliver(log().find((entry) => entry.event === two) ?? assert.fail("it is on the log"))
      assert.strictEqual(log().length, before)
    })
  )

  it.effect("settles a version of another model by its own chunks, and keeps words rather than nothing", () =>
    Effect.gen(function* () {
      const { send, seed, folder } = yield* world
      seed(opened, captured({ blob: wavRef }), ...chunks, completed(2, 4, 2.5), one)
      yield* send(two)
      const asked = (version: number): EventOf<"transcript.requested"> => ({
        _tag: "transcript.requested",
        v: 1,
        mode: "call",
        session: SESSION,
        version,
        reason: "model",
        config: { ...opened.config, transcriber: { ...opened.config.transcriber, model: "better" } }
      })
      seed(asked(2), asked(3))
      assert.deepStrictEqual(yield* send({ ...one, version: 2, model: "better" }), [])
      const other = transcribed(2, [segmentOf("Good night.", 2, 3.5)])
      const [transcript, ready] = yield* send({ ...other, version: 2, model: "better" })
      assert.deepInclude(transcript, { _tag: "transcript.completed", version: 2, words: 4 })
      if (ready?._tag !== "bundle.ready") return assert.fail("no bundle")
      assert.strictEqual(yield* Effect.promise(() => readFile(join(folder, "v2", "transcript.txt"), "utf8")), "Good morning. Good night.\n")
      assert.strictEqual(yield* Effect.promise(() => readFile(join(folder, "transcript.txt"), "utf8")), "Good morning. Good bye.\n")
      yield* send({ ...rejected(1, 0, 2, "no_speech"), version: 3 })
      const [empty] = yield* send({ ...rejected(2, 2, 4, "no_speech"), version: 3 })
      assert.deepInclude(empty, { _tag: "transcript.completed", version: 3, words: 0, current: 2 })
    })
  )

  it.effect("reads the log a few times, not once a chunk", () =>
    Effect.gen(function* () {
      const { send, seed, reads } = yield* world
      seed(
        opened,
        captured({ blob: wavRef }),
        ...Array.from({ length: 200 }, (_, index) => chunk(index + 1, index / 50, (index + 1) / 50, []))
      )
      yield* send(completed(200, 4, 0))
      for (let unit = 1; unit < 200; unit++) yield* send(rejected(unit, 0, 0.02, "silence"))
      const waiting = reads()
      assert.isBelow(waiting, 8)
      assert.deepStrictEqual(tags(yield* send(rejected(200, 0, 0.02, "silence"))), ["transcript.completed", "bundle.ready"])
    })
  )
})

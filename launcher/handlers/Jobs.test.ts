/** The commands on the queue, with the capture actor that starts its jobs, on a bus in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { captureActor, makeCapture } from "../../actors/capture/index.ts"
import { AddImport, AddJob, CancelJob, ListJobs, MoveJob, PauseJobs, RetryJob, ScanImport } from "../../contract/JobCommands.ts"
import { ERRORS } from "../../contract/Errors.ts"
import { call, serve } from "../../kernel/Commands.ts"
import { Models } from "../../kernel/Models.ts"
import { start } from "../../kernel/Runtime.ts"
import { Settings } from "../../kernel/Settings.ts"
import { random } from "../../kernel/testkit/BadAudio.ts"
import { testLayer } from "../../kernel/testkit/Testkit.ts"
import { importHandlers } from "./Import.ts"
import { jobHandlers } from "./Jobs.ts"
import { speakerHandlers } from "./Speakers.ts"

const SESSION = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

const services = Layer.fresh(
  testLayer.pipe(Layer.provideMerge(Models.layer), Layer.provideMerge(Settings.layer({ jobs: { concurrency: 1 } })))
)

/** A folder with files of these contents, and the commands served. */
const world = Effect.fnUntraced(function* (files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "voxbus-jobs-"))
  yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true, force: true })))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  yield* serve([...jobHandlers, ...importHandlers])
  return folder
})

const states = Effect.map(call(ListJobs, {}), ({ jobs }) => jobs.map(({ title, state }) => `${title} ${state}`))
const until = (wanted: string) =>
  states.pipe(Effect.repeat({ until: (now) => now.includes(wanted), schedule: Schedule.spaced("5 millis") }), Effect.timeout("5 seconds"))

const test = <E>(name: string, body: Effect.Effect<void, E, Layer.Success<typeof services> | Scope.Scope>) =>
  it.live(name, () => body.pipe(Effect.scoped, Effect.provide(services)))

describe("an import", () => {
  test(
    "takes the media files of a folder, once for each content",
    Effect.gen(function* () {
      const folder = yield* world({
        "b.wav": "two",
        "a.mp3": "one",
        "copy.wav": "one",
        "notes.txt": "x",
        ".hidden.wav": "h",
        "sub/c.wav": "three",
        "empty.wav": ""
      })
      const { files: flat } = yield* call(ScanImport, { paths: [folder] })
      assert.deepStrictEqual(
        flat,
        ["a.mp3", "b.wav", "copy.wav", "empty.wav"].map((name) => join(folder, name))
      )
      const first = yield* call(AddImport, { paths: [folder], recursive: true })
      assert.deepStrictEqual(
        first.files.map(({ path, status }) => `${path.slice(folder.length + 1)} ${status}`),
        ["a.mp3 queued", "b.wav queued", "copy.wav known", "empty.wav refused", "sub/c.wav queued"]
      )
      assert.strictEqual(first.files[2]?.session, first.files[0]?.session)
      assert.strictEqual(first.files[3]?.error?.code, "audio.empty")
      const second = yield* call(AddImport, { paths: [folder], recursive: true })
      assert.deepStrictEqual([...new Set(second.files.map(({ status }) => status))].toSorted(), ["known", "refused"])
      const again = yield* call(AddImport, { paths: [join(folder, "b.wav")], again: true })
      assert.strictEqual(again.files[0]?.status, "queued")
    })
  )

  test(
    "with a key is the same import whenever it is asked for, also with --again",
    Effect.gen(function* () {
      const folder = yield* world({ "a.wav": "one", "b.wav": "two" })
      const ask = call(AddImport, { paths: [folder], again: true, key: "night of 3 May" })
      const all = yield* Effect.all([ask, ask, ask], { concurrency: 3 })
      assert.strictEqual(new Set(all.flatMap(({ files }) => files.map(({ session }) => session))).size, 2)
      assert.strictEqual((yield* call(ListJobs, {})).jobs.length, 2)
    })
  )

  test(
    "of what failed or was cancelled is a new one",
    Effect.gen(function* () {
      const folder = yield* world({ "a.wav": "one" })
      const { files } = yield* call(AddImport, { paths: [folder] })
      yield* call(CancelJob, { session: files[0]?.session ?? "" })
      assert.strictEqual((yield* call(AddImport, { paths: [folder] })).files[0]?.status, "queued")
    })
  )

  test(
    "says what is not there",
    Effect.gen(function* () {
      const folder = yield* world({})
      const { files } = yield* call(AddImport, { paths: [join(folder, "nothing.wav"), "relative.wav"] })
      assert.deepStrictEqual(
        files.map(({ status, error }) => `${status} ${error?.code}`),
        ["refused input.missing", "refused input.invalid"]
      )
    })
  )
})

describe("the queue", () => {
  test(
    "works in order of priority, one at a time, and goes on after each end",
    Effect.gen(function* () {
      const folder = yield* world({ "a.wav": "one", "b.wav": "two", "c.wav": "three" })
      const add = (name: string, priority: number) =>
        Effect.map(call(AddJob, { path: join(folder, `${name}.wav`), priority }), ({ session }) => session)
      const [a, b, c] = [yield* add("a", 5), yield* add("b", 5), yield* add("c", 9)]
      yield* start(makeCapture(), { ackWaitMs: 2_500 })
      yield* until("c running")
      assert.deepStrictEqual(yield* states, ["c running", "a queued", "b queued"])
      const moved = yield* call(MoveJob, { session: b, before: a })
      assert.strictEqual(moved.position, 1)
      yield* call(PauseJobs, { session: a, paused: true })
      yield* call(CancelJob, { session: c })
      yield* until("b running")
      assert.deepStrictEqual(yield* states, ["b running", "a held", "c cancelled"])
      yield* call(CancelJob, { session: b })
      yield* call(PauseJobs, { paused: false })
      yield* until("a running")
      const retried = yield* call(RetryJob, { session: c })
      const jobs = (yield* call(ListJobs, { state: "queued" })).jobs
      assert.deepInclude(jobs[0], { session: retried.session, retryOf: c, title: "c", priority: 9 })
    })
  )

  test(
    "gives a file that vanished an end with its reason, and the next its turn",
    Effect.gen(function* () {
      const folder = yield* world({ "b.wav": "two" })
      yield* start(captureActor, { ackWaitMs: 2_500 })
      yield* call(AddJob, { path: join(folder, "gone.wav") })
      yield* call(AddJob, { path: join(folder, "b.wav") })
      yield* until("gone failed")
      yield* until("b running")
      const { jobs } = yield* call(ListJobs, { state: "failed" })
      assert.strictEqual(jobs[0]?.error?.code, "input.missing")
    })
  )

  test(
    "refuses what cannot be done, with a code",
    Effect.gen(function* () {
      const folder = yield* world({ "a.wav": "one" })
      const { session } = yield* call(AddJob, { path: join(folder, "a.wav"), key: "k" })
      assert.deepStrictEqual(yield* call(AddJob, { path: join(folder, "a.wav"), key: "k" }), { session, added: false })
      const code = <A, R>(effect: Effect.Effect<A, { readonly code: string }, R>) =>
        Effect.map(Effect.flip(effect), (failure) => failure.code)
      assert.strictEqual(yield* code(call(CancelJob, { session: SESSION })), "job.unknown")
      assert.strictEqual(yield* code(call(RetryJob, { session })), "input.invalid")
      assert.strictEqual(yield* code(call(AddJob, { path: "a.wav" })), "input.invalid")
      yield* call(CancelJob, { session })
      assert.strictEqual(yield* code(call(CancelJob, { session })), "job.finished")
      assert.strictEqual(yield* code(call(MoveJob, { session, priority: 1 })), "job.finished")
    })
  )

  test(
    "answers any request with a reply or a documented error",
    Effect.gen(function* () {
      yield* world({})
      const { below, pick } = random(5)
      const values: ReadonlyArray<unknown> = [
        null,
        true,
        0,
        -1,
        1e308,
        3.5,
        "",
        "x",
        SESSION,
        "\u0000",
        "/dev/null/x",
        "a".repeat(5_000),
        [],
        {},
        [SESSION],
        { session: SESSION },
        "../../etc/passwd"
      ]
      const names = [
        "session",
        "before",
        "priority",
        "paused",
        "paths",
        "path",
        "key",
        "state",
        "limit",
        "config",
        "again",
        "recursive",
        "speaker",
        "name"
      ]
      for (const handler of [...jobHandlers, ...importHandlers, ...speakerHandlers])
        for (let n = 0; n < 60; n += 1) {
          const request = Object.fromEntries(Array.from({ length: below(4) }, () => [pick(names, "session"), pick(values, null)]))
          const exit = yield* Effect.exit(handler.run(n % 10 === 0 ? pick(values, null) : request, { name: "fuzz" }))
          if (exit._tag === "Success") continue
          const [reason] = exit.cause.reasons
          assert.strictEqual(reason?._tag, "Fail", `${handler.spec.name} ${JSON.stringify(request)} ${String(exit.cause)}`)
          assert.isTrue(reason?._tag === "Fail" && reason.error.code in ERRORS && reason.error.code !== "internal", JSON.stringify(request))
        }
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Child from "./Child.ts"

/** A process that speaks the protocol: echoes, refuses, throws rubbish, or dies, as it is told. */
const SCRIPT = `
const { decoder, encode } = await import(${JSON.stringify(new URL("Frames.ts", import.meta.url).href)})
const take = decoder()
process.stdin.on("data", (bytes) => {
  for (const { header, body } of take(bytes)) {
    const send = (reply) => process.stdout.write(encode({ ...reply, id: header.id }))
    if (header.op === "echo") send({ text: body.toString(), pid: process.pid, key: process.env.OPENWEBUI_API_KEY ?? "" })
    if (header.op === "refuse") send({ error: "not this", input: true })
    if (header.op === "fail") send({ error: "not now", input: false })
    if (header.op === "die") process.kill(process.pid, "SIGKILL")
    if (header.op === "rubbish") process.stdout.write("Segmentation fault, perhaps")
  }
})
process.stdin.on("end", () => process.exit(0))
process.stdout.write(encode({ ready: true }))
`
const command = { file: process.execPath, args: ["--input-type=module", "-e", SCRIPT], env: {} }
const Echo = Schema.Struct({ text: Schema.String, pid: Schema.Int, key: Schema.String })
const echo = (child: Child.Child, text: string) => child.request(Echo, { op: "echo" }, Buffer.from(text))
const alive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
const gone = (pid: number) =>
  Effect.sync(() => alive(pid)).pipe(Effect.repeat({ until: (there) => !there, schedule: Schedule.spaced("10 millis") }))

describe("Child", () => {
  it.live("starts on the first request and answers many at once, each its own", () =>
    Effect.gen(function* () {
      const child = yield* Child.make("test", Effect.succeed(command))
      assert.isUndefined(child.pid())
      const replies = yield* Effect.forEach(["a", "b", "c"], (text) => echo(child, text), { concurrency: "unbounded" })
      assert.deepStrictEqual(
        replies.map((reply) => reply.text),
        ["a", "b", "c"]
      )
      assert.strictEqual(child.pid(), replies[0]?.pid)
    }).pipe(Effect.scoped)
  )

  it.live("keys in the environment do not reach it", () =>
    Effect.gen(function* () {
      process.env["OPENWEBUI_API_KEY"] = "secret"
      yield* Effect.addFinalizer(() => Effect.sync(() => delete process.env["OPENWEBUI_API_KEY"]))
      const child = yield* Child.make("test", Effect.succeed(command))
      assert.strictEqual((yield* echo(child, "a")).key, "")
    }).pipe(Effect.scoped)
  )

  it.live("a death fails what was in flight as retryable, and a new process answers the next request", () =>
    Effect.gen(function* () {
      const child = yield* Child.make("test", Effect.succeed(command))
      const before = yield* echo(child, "a")
      for (const op of ["die", "rubbish"]) {
        const failure = yield* Effect.flip(child.request(Echo, { op }))
        assert.strictEqual(failure._tag, "Retryable")
        assert.strictEqual(failure.code, "engine.failed")
      }
      const after = yield* echo(child, "b")
      assert.strictEqual(after.text, "b")
      assert.notStrictEqual(after.pid, before.pid)
    }).pipe(Effect.scoped)
  )

  it.live("bad input is terminal, other errors are retryable, and the process lives on", () =>
    Effect.gen(function* () {
      const child = yield* Child.make("test", Effect.succeed(command))
      const before = yield* echo(child, "a")
      assert.strictEqual((yield* Effect.flip(child.request(Echo, { op: "refuse" })))._tag, "Terminal")
      assert.strictEqual((yield* Effect.flip(child.request(Echo, { op: "fail" })))._tag, "Retryable")
      assert.strictEqual((yield* echo(child, "b")).pid, before.pid)
    }).pipe(Effect.scoped)
  )

  it.live("a process that cannot start says why", () =>
    Effect.gen(function* () {
      const script = `process.stderr.write("no module named whisper\\n"); process.exit(3)`
      const child = yield* Child.make("test", Effect.succeed({ ...command, args: ["-e", script] }))
      const failure = yield* Effect.flip(echo(child, "a"))
      assert.strictEqual(failure.code, "engine.unavailable")
      assert.match(failure.message, /exit code 3.*no module named whisper/)
    }).pipe(Effect.scoped)
  )

  it.live("the end of its scope ends the process and what was in flight", () =>
    Effect.gen(function* () {
      const { pid, waiting } = yield* Effect.gen(function* () {
        const child = yield* Child.make("test", Effect.succeed(command))
        const { pid } = yield* echo(child, "a")
        const waiting = yield* Effect.forkDetach(Effect.uninterruptible(Effect.flip(child.request(Echo, { op: "nothing" }))))
        yield* Effect.sleep(50)
        return { pid, waiting }
      }).pipe(Effect.scoped)
      yield* gone(pid)
      assert.strictEqual((yield* Fiber.join(waiting)).code, "engine.failed")
    })
  )
})

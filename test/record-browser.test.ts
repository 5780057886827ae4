/** A call recorded by a browser over the WebSocket: what arrives is what was sent, to the sample, whatever breaks. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { framesSubject } from "../contract/Subjects.ts"
import { Bus } from "../kernel/Bus.ts"
import { type Door, page } from "./support/browser.ts"
import { type BusOf, busOf, until } from "./support/bus.ts"
import { restartable, TEST_PROGRAM } from "./support/restart.ts"
import { tones } from "./support/tones.ts"

const RATE = 48_000

/** Two people who speak in turn, one on each channel. */
const call = (seconds: number): Int16Array => {
  const one = tones([[0.2, seconds - 0.5]])
  return Int16Array.from({ length: seconds * RATE * 2 }, (_, index) => {
    const at = index >> 1
    const second = Math.floor(at / RATE)
    return second % 2 === index % 2 ? (one[Math.floor(at / 3)] ?? 0) : (at * 7919) % 11
  })
}

/** The audio of a session as the log has it. */
const recorded = async (bus: BusOf, session: string): Promise<Int16Array> => {
  const frames = await Effect.runPromise(
    Effect.flatMap(Bus, (the) => Stream.runCollect(the.read("FRAMES_CALLS", { filters: [framesSubject("call", session)] }))).pipe(
      Effect.provide(bus.services)
    )
  )
  const bytes = Buffer.concat(frames.map(({ data }) => data))
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

const bundled = (bus: BusOf, session: string) => until(async () => (await bus.events(`bundle.ready.call.${session}.>`))[0]?.event)
const same = (a: Int16Array, b: Int16Array) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength))
const joined = (a: Int16Array, b: Int16Array) => {
  const both = new Int16Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
const run = <A>(work: (door: Door) => Effect.Effect<A, unknown, Scope.Scope>, door: Door) =>
  Effect.runPromise(Effect.scoped(work(door)) as Effect.Effect<A>)

describe("a call recorded by a browser", () => {
  it("is saved to the sample, pauses and reloads, and survives a kill of everything", async () => {
    const voxbus = await restartable(TEST_PROGRAM)
    try {
      let bus = await busOf(voxbus.running())
      const pcm = call(12)

      // From the first sample to the bundle, at many times the speed of speech.
      const first = await run(
        (door) =>
          Effect.gen(function* () {
            const tab = yield* page(door)
            const { session } = yield* tab.start({ sampleRate: RATE, channels: 2, title: "Printer", ticket: "T-42", idempotencyKey: "one" })
            yield* tab.send(pcm, 0, 12 * RATE)
            yield* tab.act("stop")
            const end = yield* tab.until(({ state }) => state === "ended")
            assert.strictEqual(end.samples, 12 * RATE)
            assert.isAbove(tab.client.all("record.level").length, 50)
            assert.deepStrictEqual(tab.client.all("error"), [])
            return session
          }),
        voxbus.door()
      )
      assert.isTrue(same(await recorded(bus, first), pcm))
      const { folder } = await bundled(bus, first)
      assert.include(folder, "T-42")
      const [opened] = await bus.events(`session.opened.call.${first}`)
      assert.deepInclude(opened?.event, { title: "Printer", ticket: "T-42" })

      // A pause is a gap of the timeline and what is said in it is nowhere.
      const paused = await run(
        (door) =>
          Effect.gen(function* () {
            const tab = yield* page(door)
            const { session } = yield* tab.start({ sampleRate: RATE, channels: 2 })
            yield* tab.send(pcm, 0, 2 * RATE)
            yield* tab.act("pause")
            yield* tab.send(pcm, 2 * RATE, 3 * RATE)
            const rest = yield* tab.until(({ state }) => state === "paused")
            assert.deepStrictEqual([rest.samples, rest.next], [2 * RATE, 2 * RATE])
            yield* tab.act("resume")
            const again = yield* tab.until(({ state }) => state === "recording")
            assert.strictEqual(again.next, 2 * RATE)
            yield* tab.send(pcm, 3 * RATE, 4 * RATE)
            yield* tab.act("stop")
            assert.strictEqual((yield* tab.until(({ state }) => state === "ended")).samples, 3 * RATE)
            return session
          }),
        voxbus.door()
      )
      assert.isTrue(same(await recorded(bus, paused), joined(pcm.subarray(0, 4 * RATE), pcm.subarray(6 * RATE, 8 * RATE))))
      const spans = await bus.events(`audio.captured.call.${paused}.>`)
      assert.deepStrictEqual(
        spans.map(({ event }) => event.samples),
        [2 * RATE, RATE]
      )
      assert.isAbove(spans[1]?.event.start, 2 * 16_000)

      // The connection breaks, another takes over; the old one is refused. Then everything is killed.
      const session = await run(
        (door) =>
          Effect.gen(function* () {
            const old = yield* page(door)
            const { session } = yield* old.start({ sampleRate: RATE, channels: 2 })
            yield* old.send(pcm, 0, 3 * RATE)
            yield* old.until(({ next }) => next === 3 * RATE)
            const tab = yield* page(door)
            assert.strictEqual((yield* tab.join(session)).next, 3 * RATE)
            // Whoever only watches takes nothing away.
            yield* old.send(pcm, 3 * RATE, 3.5 * RATE)
            yield* old.until((ack) => ack.next === 3.5 * RATE)
            // Whoever sends takes over, and is told where to go on.
            yield* tab.send(pcm, 0, 960)
            yield* tab.until(({ state }) => state === "waiting")
            const { next } = yield* tab.until(({ state }) => state === "recording")
            assert.strictEqual(next, 3.5 * RATE)
            yield* old.send(pcm, 0, 960)
            assert.strictEqual((yield* old.client.until("error")).code, "recording.state")
            yield* tab.send(pcm, next, 6 * RATE)
            // Half a frame is not taken, and harms nothing.
            yield* tab.client.sendRaw(new Uint8Array(6))
            assert.strictEqual((yield* tab.client.until("error")).code, "input.invalid")
            yield* tab.until(({ samples }) => samples > 4 * RATE)
            yield* Effect.promise(() => voxbus.kill())
            return session
          }),
        voxbus.door()
      )
      await bus.close()
      await voxbus.restart()
      bus = await busOf(voxbus.running())
      await run(
        (door) =>
          Effect.gen(function* () {
            const tab = yield* page(door)
            const { samples, next } = yield* tab.join(session)
            assert.isAbove(samples, 4 * RATE)
            assert.isAtMost(next, 6 * RATE)
            yield* tab.send(pcm, next, 9 * RATE)
            yield* tab.until((ack) => ack.next === 9 * RATE)
            // A page that was loaded anew has lost a second.
            const anew = yield* page(door)
            const fresh = yield* anew.join(session, true)
            assert.strictEqual(fresh.next, 9 * RATE)
            yield* anew.send(pcm, 10 * RATE, 12 * RATE)
            yield* anew.act("stop")
            assert.strictEqual((yield* anew.until(({ state }) => state === "ended")).samples, 11 * RATE)
          }),
        voxbus.door()
      )
      assert.isTrue(same(await recorded(bus, session), joined(pcm.subarray(0, 18 * RATE), pcm.subarray(20 * RATE))))
      await bundled(bus, session)
      assert.strictEqual((await bus.events(`session.recovering.call.${session}.>`)).length, 1)
      const captured = await bus.events(`audio.captured.call.${session}.>`)
      assert.deepStrictEqual(
        captured.map(({ event }) => event.samples).reduce((sum, samples) => sum + samples, 0),
        11 * RATE
      )

      // The key names its session for ever; that one is over.
      await run(
        (door) =>
          Effect.gen(function* () {
            const tab = yield* page(door)
            yield* tab.client.send({ type: "record.start", sampleRate: RATE, channels: 2, idempotencyKey: "one" })
            const error = yield* tab.client.until("error")
            assert.strictEqual(error.code, "session.unknown")
            assert.include(error.message, first)
          }),
        voxbus.door()
      )
      await bus.close()
    } finally {
      await voxbus.stop()
    }
  })
})

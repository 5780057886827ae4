/** The gateway over a real bus: a client talks to it, a scripted actor answers. */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { EventTag } from "../contract/Events.ts"
import { framesSubject } from "../contract/Subjects.ts"
import { GatewayAddress } from "../gateway/index.ts"
import { connect } from "../gateway/testkit/Client.ts"
import { HEARD, QUIET_SAMPLES, RATE, SENTENCES, tone } from "../gateway/testkit/ScriptedActor.ts"
import { Bus } from "../kernel/Bus.ts"
import { history } from "../kernel/History.ts"
import { scriptedGateway } from "./support/gateway.ts"

/** `count` frames of 40 ms at 16 kHz. */
const speech = (count: number) => Array.from({ length: count }, () => new Uint8Array(new Int16Array(640).fill(1_000).buffer))

const connected = Effect.flatMap(GatewayAddress, connect)

/** Waits until the log of a session holds an event of this kind. */
const logged = <T extends EventTag>(session: string, tag: T) =>
  history("assistant", session, [tag]).pipe(
    Effect.repeat({ until: (found) => found.length > 0, schedule: Schedule.spaced("20 millis") }),
    Effect.timeout("5 seconds")
  )

describe("gateway", () => {
  layer(scriptedGateway, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("takes an utterance and gives back transcript, reply and audio, in order", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.send({ type: "utterance.start", sampleRate: 16_000 })
        for (const frame of speech(25)) yield* client.sendRaw(frame)
        yield* client.send({ type: "utterance.end" })
        yield* client.until("speech.done")

        assert.deepStrictEqual(
          client.all("turn").map(({ turn, state }) => `${turn ?? "-"} ${state}`),
          ["- LISTENING", "1 TRANSCRIBING", "1 THINKING", "1 SPEAKING"]
        )
        assert.deepStrictEqual(client.all("transcript"), [{ type: "transcript", turn: 1, text: HEARD }])
        assert.deepStrictEqual(
          client.all("reply").map(({ sentence, text }) => [sentence, text]),
          SENTENCES.map((text, index) => [index + 1, text])
        )
        assert.strictEqual(client.all("reply.done")[0]?.text, SENTENCES.join(" "))
        // The actor hands in the second sentence first.
        const spoken = client.received.filter(({ message }) => message.type === "speech")
        assert.deepStrictEqual(
          spoken.map(({ message }) => (message.type === "speech" ? [message.sentence, message.sampleRate] : [])),
          [
            [1, RATE],
            [2, RATE]
          ]
        )
        for (const [index, { message, frames }] of spoken.entries()) {
          const expected = tone(index + 1, index === 0 ? 2 : 0.5)
          assert.strictEqual(message.type === "speech" ? message.bytes : 0, expected.length)
          assert.isTrue(frames.every(({ length }) => length <= 64 * 1024))
          assert.isTrue(Buffer.concat(frames).equals(expected))
        }
        assert.isAbove(spoken[0]?.frames.length ?? 0, 1)

        const session = client.all("ready").at(-1)?.session ?? ""
        const [captured] = yield* logged(session, "audio.captured")
        assert.strictEqual(captured?.event.samples, 25 * 640)
        const bus = yield* Bus
        const frames = yield* Stream.runCollect(bus.read("FRAMES_ASSISTANT", { filters: [framesSubject("assistant", session)] }))
        assert.strictEqual(
          frames.reduce((bytes, { data }) => bytes + data.length, 0),
          25 * 1_280
        )

        yield* client.send({ type: "played", turn: 1, generation: 0, samples: 55_125, sentences: 2, interrupted: false })
        yield* client.until("turn", ({ state }) => state === "IDLE")
        assert.strictEqual((yield* logged(session, "speech.heard"))[0]?.event.samples, 55_125)
        yield* client.close
        assert.strictEqual((yield* logged(session, "session.closed"))[0]?.event.captured, 1)
      })
    )

    it.effect("takes an utterance in one large message", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.send({ type: "utterance.start", sampleRate: 48_000, channels: 2 })
        yield* client.sendRaw(new Uint8Array(1_000_000))
        yield* client.send({ type: "utterance.end" })
        yield* client.until("transcript")
        const [captured] = yield* logged(client.all("ready").at(-1)?.session ?? "", "audio.captured")
        assert.strictEqual(captured?.event.samples, 250_000)
      })
    )

    it.effect("answers a typed question, and the next one in the same session", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.send({ type: "ask", text: "  Hello?  " })
        yield* client.until("speech.done")
        yield* client.send({ type: "ask", text: "And again?" })
        yield* client.until("speech.done", ({ turn }) => turn === 2)
        assert.deepStrictEqual(
          client.all("transcript").map(({ turn, text }) => [turn, text]),
          [
            [1, "Hello?"],
            [2, "And again?"]
          ]
        )
        assert.strictEqual(client.all("ready").length, 2)
      })
    )

    it.effect("says so when there were no words", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.send({ type: "utterance.start", sampleRate: 16_000 })
        yield* client.sendRaw(new Uint8Array(2 * QUIET_SAMPLES))
        yield* client.send({ type: "utterance.end" })
        const rejected = yield* client.until("rejected")
        assert.deepStrictEqual(rejected, { type: "rejected", turn: 1, reason: "no_speech", message: "I did not hear any words." })
        yield* client.until("turn", ({ state }) => state === "IDLE")
      })
    )

    it.effect("passes on what an actor could not do, with the fix", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.send({ type: "ask", text: "broken" })
        const error = yield* client.until("error")
        assert.deepStrictEqual([error.code, error.turn, error.message], ["engine.unavailable", 1, "There is no language model."])
        assert.include(error.fix, "voxbus doctor")
        yield* client.until("turn", ({ state }) => state === "IDLE")
      })
    )

    it.effect("gives up a turn that shows no sign of life", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.send({ type: "ask", text: "nothing" })
        const error = yield* client.until("error")
        assert.deepStrictEqual([error.code, error.turn], ["turn.stalled", 1])
      })
    )

    it.effect("sends nothing of a cancelled turn, and tells everybody", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.send({ type: "ask", text: "pause" })
        yield* client.until("speech")
        yield* client.send({ type: "played", turn: 1, generation: 0, samples: 100, sentences: 0, interrupted: true })
        yield* client.send({ type: "cancel", turn: 1 })
        yield* client.until("turn", ({ state }) => state === "IDLE")
        const session = client.all("ready").at(-1)?.session ?? ""
        const cancelled = yield* logged(session, "turn.cancelled")
        assert.deepStrictEqual(
          cancelled.map(({ event }) => [event.unit, event.generation, event.reason]),
          [[1, 0, "user"]]
        )
        assert.strictEqual((yield* logged(session, "speech.interrupted"))[0]?.event.samples, 100)
        // The second sentence is on the log, and did not reach the client.
        yield* logged(session, "reply.ready")
        yield* client.send({ type: "ask", text: "And now?" })
        yield* client.until("speech.done", ({ turn }) => turn === 2)
        assert.deepStrictEqual(
          client.all("speech").map(({ turn, sentence }) => `${turn}.${sentence}`),
          ["1.1", "2.1", "2.2"]
        )
        assert.isFalse(client.all("reply.done").some(({ turn }) => turn === 1))
      })
    )

    it.effect("keeps two conversations apart, and lets a second connection join one", () =>
      Effect.gen(function* () {
        const [one, two] = [yield* connected, yield* connected]
        yield* one.send({ type: "ask", text: "The first" })
        yield* two.send({ type: "ask", text: "The second" })
        yield* one.until("speech.done")
        yield* two.until("speech.done")
        assert.deepStrictEqual(
          [one, two].map((client) => client.all("transcript").map(({ text }) => text)),
          [["The first"], ["The second"]]
        )

        const session = one.all("ready").at(-1)?.session ?? ""
        assert.notStrictEqual(session, two.all("ready").at(-1)?.session)
        const guest = yield* connected
        yield* guest.send({ type: "hello", session })
        yield* guest.until("ready", (ready) => ready.session === session)
        yield* guest.send({ type: "ask", text: "From the guest" })
        for (const client of [one, guest]) yield* client.until("transcript", ({ turn, text }) => turn === 2 && text === "From the guest")
        assert.strictEqual(guest.all("transcript").length, 1)
      })
    )

    it.effect("answers what is malformed and stays open", () =>
      Effect.gen(function* () {
        const client = yield* connected
        const table: ReadonlyArray<readonly [string | Uint8Array<ArrayBuffer>, RegExp]> = [
          ["{", /not JSON/],
          ["[1]", /"type"/],
          ['{"type":"sing"}', /no message type "sing"/],
          ['{"type":"ask","text":"   "}', /"ask" are not valid/],
          ['{"type":"ask"}', /"ask" are not valid/],
          ['{"type":"utterance.start","sampleRate":"high"}', /sampleRate/],
          ['{"type":"utterance.start","sampleRate":4000}', /sampleRate/],
          ['{"type":"utterance.end"}', /No utterance is open/],
          ['{"type":"cancel","turn":1}', /no turn 1/],
          ['{"type":"played","turn":9,"generation":0,"samples":1,"sentences":1,"interrupted":false}', /no turn 9/],
          ['{"type":"subscribe","subjects":["frames.>"]}', /No event has a subject like frames.>/],
          ['{"type":"subscribe","subjects":["a b"]}', /"subscribe" are not valid/],
          [new Uint8Array(2), /without an utterance/],
          [new Uint8Array(1024 * 1024 + 2), /too large/],
          [`{"type":"ask","text":"${"x".repeat(1024 * 1024)}"}`, /too large/]
        ]
        for (const [index, [data, expected]] of table.entries()) {
          yield* client.sendRaw(data)
          yield* client.send({ type: "ping" })
          yield* Effect.sync(() => client.all("pong").length).pipe(
            Effect.repeat({ until: (count) => count > index, schedule: Schedule.spaced("2 millis") }),
            Effect.timeout("5 seconds")
          )
          const errors = client.all("error")
          assert.strictEqual(errors.length, index + 1, String(expected))
          assert.strictEqual(errors.at(-1)?.code, "input.invalid")
          assert.match(errors.at(-1)?.message ?? "", expected)
        }
        yield* client.send({ type: "hello", session: "01ARZ3NDEKTSV4RRFFQ69G5FAV" })
        yield* client.until("error", ({ code }) => code === "session.unknown")
        yield* client.send({ type: "utterance.start", sampleRate: 16_000 })
        yield* client.send({ type: "utterance.start", sampleRate: 16_000 })
        yield* client.until("error", ({ message }) => message.includes("open already"))
        yield* client.sendRaw(new Uint8Array(3))
        yield* client.until("error", ({ message }) => message.includes("3 bytes"))
        yield* client.send({ type: "utterance.end" })
        yield* client.until("error", ({ code }) => code === "audio.empty")
        // And it still works.
        yield* client.send({ type: "ask", text: "Hello?" })
        yield* client.until("speech.done")
        assert.isUndefined(client.closeCode())
      })
    )

    it.effect("refuses an utterance over ten minutes once, and drops it", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.send({ type: "utterance.start", sampleRate: 8_000 })
        for (let sent = 0; sent <= 10; sent += 1) yield* client.sendRaw(new Uint8Array(960_000))
        yield* client.send({ type: "utterance.end" })
        yield* client.until("error", ({ message }) => message.includes("dropped"))
        assert.deepStrictEqual(
          client.all("error").map(({ code }) => code),
          ["input.invalid", "input.invalid"]
        )
        assert.strictEqual(client.all("turn").at(-1)?.state, "IDLE")
      })
    )

    it.effect("pushes events of subscribed subjects from where the client wants them", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.send({
          type: "subscribe",
          subjects: ["text.>", "text.transcribed.>", "reply.ready.*.*.*"],
          from: { stream: "ASSISTANT", sequence: 1 }
        })
        yield* client.send({ type: "ask", text: "Is anybody there?" })
        yield* client.until("speech.done")
        const session = client.all("ready").at(-1)?.session ?? ""
        yield* client.until("event", ({ subject }) => subject === `reply.ready.assistant.${session}.000001`)
        const events = client.all("event")
        const mine = events.filter(({ subject }) => subject.includes(session))
        assert.deepStrictEqual(
          mine.map(({ subject }) => subject.split(".", 2).join(".")),
          ["text.transcribed", "reply.ready"]
        )
        assert.include(JSON.stringify(mine[0]?.event), "Is anybody there?")
        assert.isTrue(events.every(({ subject }) => /^(text|reply\.ready)\./.test(subject)))
        // Each once, in order.
        const sequences = events.map(({ sequence }) => sequence)
        assert.deepStrictEqual(
          sequences,
          [...new Set(sequences)].toSorted((a, b) => a - b)
        )
      })
    )
  })
})

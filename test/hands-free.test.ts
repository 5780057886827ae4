/** Taking turns by voice, through the real program with test-kit engines: hands-free, interruptions, stop, the log of it. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Client } from "../gateway/testkit/Client.ts"
import { connect } from "../gateway/testkit/Client.ts"
import { homeToken } from "../kernel/Tokens.ts"
import { type Running, startProgram } from "./support/program.ts"
import { heardTone, QUIET } from "./support/voice.ts"

const RATE = 16_000
let voxbus: Running

beforeAll(async () => {
  voxbus = await startProgram({
    VOXBUS_TRANSCRIBER_ENGINE: "testkit",
    VOXBUS_TRANSCRIBER_MODEL: "attentive",
    VOXBUS_REASONER_ENGINE: "testkit",
    VOXBUS_SPEAKER_ENGINE: "testkit"
  })
}, 60_000)
afterAll(async () => {
  await voxbus.stop()
})

const talk = <A>(body: (client: Client) => Effect.Effect<A>) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const client = yield* connect({ url: voxbus.gateway, token: yield* homeToken(voxbus.home) })
      return yield* body(client)
    }).pipe(Effect.scoped, Effect.orDie)
  )

/** Events of the conversation as they come, by kind; everything that the client has not been told of is not there. */
const watch = (client: Client) => client.send({ type: "subscribe", subjects: ["*.*.assistant.>"] })
const seen = (client: Client, ...tags: ReadonlyArray<string>): ReadonlyArray<any> =>
  client
    .all("event")
    .map(({ event }: { readonly event: any }) => event)
    .filter((event) => tags.includes(event._tag))

describe("hands-free", () => {
  it("finds questions by itself; what is understood is shown before they end", async () => {
    await talk((client) =>
      Effect.gen(function* () {
        yield* watch(client)
        yield* client.send({ type: "listen", sampleRate: RATE })
        for (const turn of [1, 2]) {
          yield* client.sendRaw(QUIET(800))
          yield* client.sendRaw(heardTone(turn, 900))
          yield* client.until("voice.started")
          yield* client.sendRaw(QUIET(250))
          yield* client.until("partial", (partial) => partial.turn === turn)
          assert.strictEqual(client.all("voice.ended").length, turn - 1)
          yield* client.sendRaw(QUIET(700))
          yield* client.until("voice.ended", (ended) => ended.turn === turn)
          const { text } = yield* client.until("transcript", (transcript) => transcript.turn === turn)
          // Nothing was said after the pause: the words are those of the preview.
          assert.strictEqual(client.all("partial").findLast((partial) => partial.turn === turn)?.text, text)
          const done = yield* client.until("speech.done", (speech) => speech.turn === turn)
          yield* client.send({ type: "played", turn, generation: done.generation, samples: 1, sentences: 1, interrupted: false })
          yield* client.until("turn", (state) => state.turn === turn && state.state === "IDLE")
        }
        yield* client.send({ type: "listen.end" })
        assert.deepStrictEqual(
          seen(client, "text.transcribed", "reply.ready").map(({ _tag, unit }) => `${_tag} ${unit}`),
          ["text.transcribed 1", "reply.ready 1", "text.transcribed 2", "reply.ready 2"]
        )
      })
    )
  })

  it("holds the answer at the first speech, ends it when there are words, and remembers what was heard", async () => {
    await talk((client) =>
      Effect.gen(function* () {
        yield* watch(client)
        yield* client.send({ type: "ask", text: "A first question" })
        yield* client.until("speech.done", ({ turn }) => turn === 1)
        yield* client.send({ type: "listen", sampleRate: RATE, echoCancellation: true })
        yield* client.sendRaw(QUIET(400))
        yield* client.sendRaw(heardTone(3, 300))
        yield* client.until("voice.started")
        assert.isEmpty(client.all("interrupted"), "not over yet")
        yield* client.sendRaw(QUIET(300))
        const { turn, generation } = yield* client.until("interrupted")
        assert.deepStrictEqual([turn, generation], [1, 0])
        yield* client.send({ type: "played", turn, generation, samples: 800, sentences: 0, interrupted: true })
        yield* client.sendRaw(QUIET(700))
        yield* client.until("speech.done", (speech) => speech.turn === 2)
        assert.strictEqual(client.all("speech.done").find((speech) => speech.turn === 2)?.generation, 1)
        const order = seen(client, "speech.interrupted", "turn.cancelled", "audio.captured")
        assert.sameMembers(
          order.slice(0, 2).map(({ _tag }) => _tag),
          ["turn.cancelled", "speech.interrupted"]
        )
        assert.strictEqual(order[2]._tag, "audio.captured", "the next turn knows what was heard")
        assert.strictEqual(order.find(({ _tag }) => _tag === "turn.cancelled").reason, "barge_in")
      })
    )
  })

  it("goes on after a noise, and does not listen to its own answer without echo cancellation", () =>
    talk((client) =>
      Effect.gen(function* () {
        yield* client.send({ type: "ask", text: "A question" })
        yield* client.until("speech.done")
        yield* client.send({ type: "listen", sampleRate: RATE, echoCancellation: true })
        // Less than is needed to be speech.
        yield* client.sendRaw(QUIET(640))
        yield* client.sendRaw(heardTone(1, 64))
        yield* client.sendRaw(QUIET(800))
        yield* client.until("voice.dropped")
        yield* client.send({ type: "listen.end" })
        yield* client.send({ type: "listen", sampleRate: RATE })
        yield* client.sendRaw(heardTone(1, 1_000))
        yield* client.sendRaw(QUIET(800))
        yield* client.send({ type: "ping" })
        yield* client.until("pong")
        assert.deepStrictEqual([client.all("voice.started").length, client.all("interrupted").length], [1, 0])
        // The player is done: it listens again.
        yield* client.send({ type: "played", turn: 1, generation: 0, samples: 1, sentences: 1, interrupted: false })
        yield* client.sendRaw(heardTone(1, 1_000))
        yield* client.sendRaw(QUIET(800))
        yield* client.until("voice.ended", ({ turn }) => turn === 2)
      })
    ))

  it("stops whatever is going on, and also when nothing is", () =>
    talk((client) =>
      Effect.gen(function* () {
        yield* client.send({ type: "stop" })
        yield* client.until("turn", ({ state }) => state === "IDLE")
        yield* client.send({ type: "utterance.start", sampleRate: RATE })
        yield* client.sendRaw(heardTone(1, 500))
        yield* client.send({ type: "stop" })
        yield* client.send({ type: "utterance.end" })
        assert.strictEqual((yield* client.until("error")).code, "input.invalid")
        yield* client.send({ type: "ask", text: "A question" })
        yield* client.until("turn", ({ turn }) => turn === 1)
        yield* client.send({ type: "stop" })
        yield* client.until("interrupted", ({ turn }) => turn === 1)
        yield* client.send({ type: "ask", text: "Another question" })
        yield* client.until("speech.done", ({ turn }) => turn === 2)
      })
    ))

  it("one microphone at a time, and whole samples", () =>
    talk((client) =>
      Effect.gen(function* () {
        yield* client.send({ type: "listen", sampleRate: RATE })
        yield* client.send({ type: "utterance.start", sampleRate: RATE })
        yield* client.until("error", ({ message }) => message.includes("listen.end"))
        yield* client.sendRaw(new Uint8Array(3))
        yield* client.until("error", ({ message }) => message.includes("whole samples"))
        yield* client.send({ type: "listen.end" })
        yield* client.send({ type: "utterance.start", sampleRate: RATE })
        yield* client.until("turn", ({ state }) => state === "LISTENING")
      })
    ))
})

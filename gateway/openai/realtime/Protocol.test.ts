import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "fast-check"
import { openAiBody, Parameter } from "../Problem.ts"
import { eventIdOf, parse } from "./Protocol.ts"

const TYPES = ["session.update", "input_audio_buffer.append", "conversation.item.create", "response.create", "response.cancel", "x"]

describe("events of a realtime client", () => {
  it.effect("are taken when they are whole", () =>
    Effect.gen(function* () {
      const event = yield* parse(
        JSON.stringify({
          type: "session.update",
          event_id: "e1",
          session: { type: "realtime", tools: [], audio: { input: { turn_detection: null, format: { type: "audio/pcm", rate: 24_000 } } } }
        })
      )
      assert.strictEqual(event.type, "session.update")
      assert.strictEqual(eventIdOf('{"type":"x","event_id":"e1"}'), "e1")
      assert.strictEqual(eventIdOf("{}"), null)
    })
  )

  it.effect("are refused with the name of what is wrong", () =>
    Effect.gen(function* () {
      const refused = (value: unknown) => Effect.flip(parse(typeof value === "string" ? value : JSON.stringify(value)))
      assert.strictEqual((yield* refused("{")).code, "input.invalid")
      const unknown = yield* refused({ type: "conversation.item.delete", item_id: "x" })
      assert.isTrue(unknown instanceof Parameter && unknown.param === "type")
      const audio = yield* refused({ type: "input_audio_buffer.append" })
      assert.strictEqual(openAiBody(audio).error.param, "audio")
      const law = { type: "session.update", session: { audio: { input: { format: { type: "audio/pcmu" } } } } }
      assert.strictEqual(openAiBody(yield* refused(law)).error.type, "invalid_request_error")
    })
  )

  it("never break the parser, whatever they are", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(
        FastCheck.oneof(
          FastCheck.string(),
          FastCheck.json(),
          FastCheck.record({ type: FastCheck.constantFrom(...TYPES), session: FastCheck.anything(), item: FastCheck.anything() }).map(
            (value) => JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each))
          )
        ),
        async (text) => {
          const exit = await Effect.runPromiseExit(parse(text))
          if (exit._tag === "Failure") assert.isFalse(exit.cause.reasons.some((reason) => reason._tag === "Die"))
        }
      ),
      { numRuns: 500, seed: 20_261_125 }
    ))
})

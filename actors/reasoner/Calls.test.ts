import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Event, EventOf, SessionEvent } from "../../contract/Events.ts"
import { defaultSessionConfig, type SessionConfig } from "../../contract/Session.ts"
import { RecordingStop } from "../../contract/RecordingCommands.ts"
import { SetTimer } from "../../contract/TimerCommands.ts"
import { type Handler, handler, serve } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import type { Options } from "../../kernel/testkit/ProviderServer.ts"
import { served } from "../../kernel/testkit/ProviderTest.ts"
import { testkit, testLayer } from "../../kernel/testkit/Testkit.ts"
import { typedText } from "../../kernel/TypedText.ts"
import { Engines } from "./Engines.ts"
import { openaiCompatible } from "./engines/openaiCompatible.ts"
import { reasonerActor } from "./Reasoner.ts"
import { Speculation } from "./Speculation.ts"
import { Toolbox } from "./Toolbox.ts"

const base = { v: 1, mode: "assistant", session: "01ARZ3NDEKTSV4RRFFQ69G5FAV", unit: 1 } as const
const config: SessionConfig = {
  ...defaultSessionConfig,
  reasoner: { ...defaultSessionConfig.reasoner, tools: ["time", "timer", "recording"] }
}
const asked = { ...typedText({ ...base, config }, 1, "Wake me in a minute."), language: "en" }
const called = (name: string, text: string, call = 1): EventOf<"tool.called"> => ({
  _tag: "tool.called",
  ...base,
  call,
  round: 1,
  id: `call_${name}_${call - 1}`,
  name,
  arguments: text,
  generation: 0
})
const finished = (name: string, result: string, call = 1): EventOf<"tool.finished"> => ({
  _tag: "tool.finished",
  ...base,
  call,
  id: `call_${name}_${call - 1}`,
  name,
  ok: true,
  result,
  computeMs: 1,
  generation: 0
})

const TIMER = { name: "set_timer", arguments: '{"seconds":60,"label":"tea"}' }
const DUE = "2026-01-01T00:01:00.000Z"

/** A reasoner with a chat server that calls tools; `timers` are the ids it was asked to set. */
const withServer = <A, E>(
  options: Options,
  test: (the: {
    readonly send: (event: SessionEvent) => Effect.Effect<ReadonlyArray<Event>, unknown>
    readonly seed: (...events: ReadonlyArray<SessionEvent>) => Effect.Effect<void, unknown>
    readonly asked: ReadonlyArray<{ readonly json: any }>
    readonly next: (fault: { readonly status: number; readonly body?: unknown }) => void
    readonly timers: ReadonlyArray<string>
  }) => Effect.Effect<A, E>,
  more: ReadonlyArray<Handler> = []
) =>
  Effect.gen(function* () {
    const server = yield* served(options)
    const timers: Array<string> = []
    yield* serve([handler(SetTimer, ({ id }) => Effect.sync(() => (timers.push(id), { due: DUE }))), ...more])
    const engine = openaiCompatible({
      endpoint: { label: "The chat endpoint", url: `${server.url}/v1`, keyName: "chat", key: undefined },
      model: "llama3"
    })
    const layer = Layer.mergeAll(
      Layer.provideMerge(Toolbox.layer, Settings.layer()),
      Speculation.layer,
      Layer.succeed(Engines, Engines.of({ pick: () => engine }))
    )
    const services = yield* Layer.build(layer)
    const kit = yield* testkit(reasonerActor).pipe(Effect.provide(services))
    return yield* test({
      send: (event) => Effect.map(kit.send(event), ({ events }) => events),
      seed: (...events) => Effect.forEach(events, kit.seed, { discard: true }),
      asked: server.asked,
      next: (fault) => server.next(fault),
      timers
    })
  }).pipe(Effect.scoped, Effect.provide(testLayer))

const outline = (events: ReadonlyArray<Event>) =>
  events.map((event) =>
    event._tag === "tool.finished" ? `${event.call} ${event.ok} ${event.result}` : event._tag === "reply.drafted" ? event.text : event._tag
  )

describe("tools", () => {
  it.live("a call is on the log, then made, then its result; the model goes on with it", () =>
    withServer({ calls: [TIMER, { name: "current_time", arguments: "" }] }, ({ send, asked: requests, timers }) =>
      Effect.gen(function* () {
        const events = yield* send(asked)
        assert.deepStrictEqual(events.map(({ _tag }) => _tag).slice(0, 5), [
          "tool.called",
          "tool.finished",
          "tool.called",
          "tool.finished",
          "reply.drafted"
        ])
        assert.deepInclude(events[0], { name: "set_timer", arguments: TIMER.arguments, round: 1, call: 1, id: "call_set_timer_0" })
        assert.deepInclude(events[1], { call: 1, ok: true, result: `The timer is set; it is over at ${DUE}.` })
        assert.deepInclude(events[3], { call: 2, ok: true })
        assert.deepStrictEqual(timers, [`${base.session}-1-1`])
        const [first, second] = requests.map(({ json }) => json)
        assert.deepStrictEqual(
          first.tools.map((tool: any) => tool.function.name),
          ["current_time", "set_timer", "start_recording", "stop_recording"]
        )
        assert.deepInclude(first.tools[1].function.parameters, { type: "object", required: ["seconds"] })
        const [call, one, two] = second.messages.slice(-3)
        assert.deepStrictEqual(
          call.tool_calls.map((each: any) => [each.id, each.type, each.function.arguments]),
          [
            ["call_set_timer_0", "function", TIMER.arguments],
            ["call_current_time_1", "function", ""]
          ]
        )
        assert.deepInclude(one, { role: "tool", tool_call_id: "call_set_timer_0" })
        assert.match(two.content, /\d{4}.*T.*Z/)
        const ready = events.at(-1)
        assert(ready?._tag === "reply.ready")
        assert.match(ready.text, /^The tool says: /)
        // Tokens of both answers.
        assert.strictEqual(ready.usage.promptTokens, 18)
      })
    )
  )

  it.live("killed between a call and its result: it is made again under the same key, and has one result", () =>
    withServer({ calls: [TIMER] }, ({ send, seed, asked: requests, timers }) =>
      Effect.gen(function* () {
        yield* seed(called("set_timer", TIMER.arguments))
        const events = yield* send(asked)
        assert.strictEqual(outline(events)[0], `1 true The timer is set; it is over at ${DUE}.`)
        assert.deepStrictEqual(
          events.slice(1).filter(({ _tag }) => _tag.startsWith("tool.")),
          []
        )
        assert.deepStrictEqual(timers, [`${base.session}-1-1`])
        // The model is not asked what it wants once more.
        assert.strictEqual(requests.length, 1)
        assert.strictEqual(requests[0]?.json.messages.at(-1).role, "tool")
      })
    )
  )

  it.live("killed after a result: the call is not made again", () =>
    withServer({ calls: [TIMER] }, ({ send, seed, asked: requests, timers }) =>
      Effect.gen(function* () {
        yield* seed(called("set_timer", TIMER.arguments), finished("set_timer", "It was set."))
        const events = yield* send(asked)
        assert.deepStrictEqual(outline(events), ["The tool says: It was set.", "reply.ready"])
        assert.deepStrictEqual(timers, [])
        assert.strictEqual(requests.length, 1)
      })
    )
  )

  it.live("killed while something was done that must not be done twice: nobody pretends to know", () => {
    let stops = 0
    const stop = handler(RecordingStop, () =>
      Effect.suspend(() => {
        stops += 1
        return Effect.fail(new Terminal({ code: "recording.state", message: "There is no recording." }))
      })
    )
    return withServer(
      {},
      ({ send, seed }) =>
        Effect.gen(function* () {
          yield* seed(called("stop_recording", "{}"))
          const [result] = yield* send(asked)
          assert.deepInclude(result, { _tag: "tool.finished", ok: false })
          assert.match(result?._tag === "tool.finished" ? result.result : "", /not known whether/)
          assert.strictEqual(stops, 0)
        }),
      [stop]
    )
  })

  it.live("what cannot be done is told to the model: no such tool, no JSON, not valid, refused", () =>
    withServer(
      {
        calls: [
          { name: "launch", arguments: "{}" },
          { name: "set_timer", arguments: '{"seconds":' },
          { name: "set_timer", arguments: '{"seconds":-1}' },
          { name: "stop_recording", arguments: "{}" }
        ]
      },
      ({ send }) =>
        Effect.gen(function* () {
          const events = yield* send(asked)
          const results = events.filter((event) => event._tag === "tool.finished")
          assert.deepStrictEqual(
            results.map(({ ok }) => ok),
            [false, false, false, false]
          )
          assert.strictEqual(results[0]?.result, "There is no tool launch.")
          assert.strictEqual(results[1]?.result, "The arguments are not JSON.")
          assert.match(results[2]?.result ?? "", /seconds/)
          assert.strictEqual(results[3]?.result, "There is no recording.")
          assert.strictEqual(events.at(-1)?._tag, "reply.ready")
        }),
      [handler(RecordingStop, () => Effect.fail(new Terminal({ code: "recording.state", message: "There is no recording." })))]
    )
  )

  it.live("the turn is cut short while a tool works: its result is kept, and the next question knows of it", () => {
    let seedLater: (event: SessionEvent) => Effect.Effect<void, unknown> = () => Effect.void
    // The user interrupts while the command works.
    const slow = handler(RecordingStop, () =>
      seedLater({ _tag: "turn.cancelled", ...base, generation: 0, reason: "barge_in" }).pipe(
        Effect.orDie,
        Effect.andThen(Effect.fail(new Terminal({ code: "recording.state", message: "There is no recording." })))
      )
    )
    return withServer(
      { calls: [{ name: "stop_recording", arguments: "{}" }] },
      ({ send, seed, asked: requests }) =>
        Effect.gen(function* () {
          seedLater = (event) => seed(event)
          const events = yield* send(asked)
          assert.deepStrictEqual(outline(events), ["tool.called", "1 false There is no recording.", "reply.ready"])
          assert.deepInclude(events.at(-1), { finish: "stop", sentences: 0 })
          assert.strictEqual(requests.length, 1)
          yield* send({ ...asked, unit: 2, config: { ...config, reasoner: { ...config.reasoner, tools: [] } } })
          assert.deepStrictEqual(
            requests[1]?.json.messages.map((message: any) => message.role),
            ["system", "user", "assistant", "tool", "user"]
          )
          assert.strictEqual(requests[1]?.json.messages[3].content, "There is no recording.")
        }),
      [slow]
    )
  })

  it.live("a model without tools is asked without them", () =>
    withServer({}, ({ send, asked: requests, next }) =>
      Effect.gen(function* () {
        next({ status: 400, body: { error: { message: "llama3 does not support tools" } } })
        const events = yield* send(asked)
        assert.strictEqual(events.at(-1)?._tag, "reply.ready")
        assert.deepStrictEqual(
          requests.map(({ json }) => json.tools !== undefined),
          [true, false]
        )
      })
    )
  )

  it.live("a model that never stops asking has to answer in the end", () =>
    withServer({ calls: [TIMER] }, ({ send, seed, asked: requests }) =>
      Effect.gen(function* () {
        yield* seed(called("set_timer", "{}"), finished("set_timer", "It was set."))
        yield* seed({ ...called("set_timer", "{}", 2), round: 5 }, finished("set_timer", "It was set.", 2))
        const events = yield* send(asked)
        assert.strictEqual(events.at(-1)?._tag, "reply.ready")
        assert.isUndefined(requests[0]?.json.tools)
      })
    )
  )
})

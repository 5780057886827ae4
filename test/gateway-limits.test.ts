/** What one client may take: sockets, conversations, bytes of a body, time to read. Others are not touched by it. */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { request } from "node:http"
import type { Socket } from "node:net"
import { GatewayAddress, gatewayWith } from "../gateway/index.ts"
import { connect } from "../gateway/testkit/Client.ts"
import { Bus } from "../kernel/Bus.ts"
import { Settings } from "../kernel/Settings.ts"
import { issueToken } from "../kernel/Tokens.ts"
import { scriptedBus, settingsWith } from "./support/gateway.ts"

const gateway = gatewayWith({ patienceMs: 2_000 }).pipe(
  Layer.provideMerge(settingsWith(0, { limits: { socketsPerClient: 2, conversationsPerHour: 1 } })),
  Layer.provideMerge(scriptedBus)
)

const events = (url: string, token: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const stop = new AbortController()
      const answer = await fetch(`${url}/api/events`, { headers: { authorization: `Bearer ${token}` }, signal: stop.signal })
      return { answer, stop }
    }),
    ({ stop }) => Effect.sync(() => stop.abort())
  )

/** A WebSocket by hand, because a client's library reads whether one wants it or not. */
const slowClient = (url: string, token: string) =>
  Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const headers = {
        authorization: `Bearer ${token}`,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": Buffer.alloc(16).toString("base64")
      }
      const asked = request(`${url}/ws`, { headers })
      asked.on("upgrade", (_, socket) => resume(Effect.succeed(socket as Socket)))
      asked.on("error", (cause) => resume(Effect.die(cause)))
      asked.end()
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** A text frame of up to 125 bytes, masked with zeros as a client's must be. */
const frame = (message: object) => {
  const body = Buffer.from(JSON.stringify(message))
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body])
}

const SESSION = "01JD0000000000000000000000"
const subjectOf = (unit: number) => `text.transcribed.call.${SESSION}.${String(unit).padStart(6, "0")}`

describe("limits of a client", () => {
  layer(gateway, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("two sockets, streams of events among them; free again when they are closed", () =>
      Effect.gen(function* () {
        const { url, token } = yield* GatewayAddress
        const { home } = yield* Settings
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* connect({ url, token })
            assert.strictEqual((yield* events(url, token)).answer.status, 200)
            const third = (yield* events(url, token)).answer
            assert.strictEqual(third.status, 429)
            assert.deepInclude(yield* Effect.promise(() => third.json()), { error: "request.limited" })
            const other = yield* issueToken(home, "other", ["read"])
            assert.strictEqual((yield* events(url, other)).answer.status, 200)
          })
        )
        const status = Effect.scoped(Effect.map(events(url, token), ({ answer }) => answer.status))
        yield* status.pipe(
          Effect.repeat({ until: (code) => code === 200, schedule: Schedule.spaced("20 millis") }),
          Effect.timeout("5 seconds")
        )
      })
    )

    it.effect("one conversation in an hour", () =>
      Effect.gen(function* () {
        const client = yield* Effect.flatMap(GatewayAddress, connect)
        yield* client.send({ type: "ask", text: "Hello?" })
        yield* client.until("reply.done")
        yield* client.close
        const again = yield* Effect.flatMap(GatewayAddress, connect)
        yield* again.send({ type: "ask", text: "Hello?" })
        assert.strictEqual((yield* again.until("error")).code, "request.limited")
      })
    )

    it.effect("a body that says nothing of its length is stopped at the limit", () =>
      Effect.gen(function* () {
        const { url, token } = yield* GatewayAddress
        const status = yield* Effect.callback<number>((resume) => {
          const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
          const sent = request(`${url}/api/sessions/pin`, { method: "POST", headers }, (answer) => {
            answer.resume()
            resume(Effect.succeed(answer.statusCode ?? 0))
            sent.destroy()
          })
          sent.on("error", (cause) => resume(Effect.die(cause)))
          for (let n = 0; n < 20; n += 1) sent.write(" ".repeat(100_000))
        })
        assert.strictEqual(status, 413)
      })
    )

    it.effect("one that does not read is let go; another misses nothing, and neither does it when it comes back", () =>
      Effect.gen(function* () {
        const bus = yield* Bus
        const { url, token } = yield* GatewayAddress
        const publish = (unit: number, length: number) =>
          bus.publish({ subject: subjectOf(unit), data: new TextEncoder().encode(JSON.stringify({ text: "x".repeat(length) })) })
        const { sequence: first } = yield* publish(1, 1)
        const from = { stream: "CALLS", sequence: first } as const
        const subscription = { type: "subscribe", subjects: ["text.>"], from } as const

        const other = yield* connect({ url, token })
        yield* other.send(subscription)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const slow = yield* slowClient(url, token)
            let ended = false
            slow.on("error", () => undefined)
            slow.on("close", () => (ended = true))
            slow.write(frame(subscription))
            slow.pause()
            // What the two ends of the socket keep by themselves, the four megabytes that may wait, and some more.
            yield* Effect.forEach(
              Array.from({ length: 80 }, (_, index) => index + 2),
              (unit) => publish(unit, 400_000)
            )
            yield* other.until("event", ({ subject }) => subject === subjectOf(81))
            yield* Effect.sleep("1500 millis")
            // Whoever reads now finds what was on its way, and then the end.
            slow.resume()
            yield* Effect.sync(() => ended).pipe(
              Effect.repeat({ until: (over) => over, schedule: Schedule.spaced("20 millis") }),
              Effect.timeout("5 seconds")
            )
          })
        )
        yield* publish(82, 1)
        yield* other.until("event", ({ subject }) => subject === subjectOf(82))
        const back = yield* connect({ url, token })
        yield* back.send(subscription)
        yield* back.until("event", ({ subject }) => subject === subjectOf(82))
        for (const client of [other, back])
          assert.deepStrictEqual(
            client.all("event").map(({ subject }) => subject),
            Array.from({ length: 82 }, (_, index) => subjectOf(index + 1))
          )
      })
    )
  })
})

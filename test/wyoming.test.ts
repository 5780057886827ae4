/** The Wyoming server, as Home Assistant uses it (the unmodified Python package), and as nobody should. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { type AddressInfo, createConnection, createServer } from "node:net"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { encodeFrame, makeParser } from "../gateway/wyoming/Frames.ts"
import { type BusOf, busOf, until } from "./support/bus.ts"
import { ATTENTIVE_ENGINES, type Running, startProgram } from "./support/program.ts"
import { pythonWith } from "./support/python.ts"

const CLIENT = fileURLToPath(new URL("wyoming_client.py", import.meta.url))
const REQUIREMENTS = fileURLToPath(new URL("python-wyoming-requirements.txt", import.meta.url))

let voxbus: Running
let bus: BusOf
let port: number

const freePort = () =>
  new Promise<number>((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port: free } = probe.address() as AddressInfo
      probe.close(() => done(free))
    })
  })

beforeAll(async () => {
  port = await freePort()
  voxbus = await startProgram(ATTENTIVE_ENGINES, { gateway: { wyoming: { port } } })
  bus = await busOf(voxbus)
}, 60_000)

afterAll(async () => {
  await bus.close()
  await voxbus.stop()
})

/** Sends bytes and collects what comes back until the other side ends the connection. */
const exchange = (...parts: ReadonlyArray<Uint8Array>) =>
  new Promise<ReadonlyArray<{ readonly type: string; readonly data: Record<string, unknown> }>>((done, fail) => {
    const parse = makeParser()
    const frames: Array<any> = []
    const socket = createConnection(port, "127.0.0.1")
    socket.setTimeout(30_000, () => fail(new Error("the connection stays open")))
    socket.on("data", (chunk) => frames.push(...parse(chunk)))
    socket.once("error", fail)
    socket.once("close", () => done(frames))
    for (const part of parts) socket.write(part)
  })

describe("the Wyoming server", () => {
  it("does for Home Assistant what it does for itself", { timeout: 240_000 }, async () => {
    const { python, environment } = pythonWith(REQUIREMENTS)
    const { stdout } = await promisify(execFile)(python, [CLIENT, `tcp://127.0.0.1:${port}`], {
      env: { ...process.env, ...environment },
      timeout: 120_000
    })
    const { asr, voices, streams, handle, pong, speech, silence, nothing, spoken, streamed, answers } = JSON.parse(stdout)
    assert.isTrue(asr[0].installed)
    assert.includeMembers(asr[0].languages, ["en", "de"])
    assert.isNotEmpty(voices)
    assert.isTrue(streams)
    assert.include(handle, "en")
    assert.strictEqual(pong, "there?")

    assert.isNotEmpty(speech.text)
    assert.strictEqual(speech.language, "en")
    assert.deepStrictEqual(speech.order, ["info", "transcript"])
    assert.strictEqual(silence.text, "")
    assert.strictEqual(nothing.text, "")

    for (const each of [spoken, streamed]) {
      assert.isEmpty(each.errors)
      assert.deepStrictEqual([each.starts, each.stops, each.rates.length], [1, 1, 1])
      assert.isAtMost(each.largest, 1_024)
      assert.isAbove(each.samples, 1_000)
    }
    assert.strictEqual(streamed.samples, spoken.samples, "the text was spoken once")

    for (const { type, text, context } of answers) {
      assert.strictEqual(type, "handled")
      assert.isNotEmpty(text)
      assert.deepStrictEqual(context, { conversation_id: "kitchen" })
    }
    assert.notStrictEqual(answers[0].text, answers[1].text)
  })

  it("does no more than was asked: dictation is not answered, an answer not spoken", async () => {
    const opened = await bus.events("session.opened.assistant.>")
    const titled = (title: string) => opened.filter(({ event }) => event.title === title).map(({ event }) => event.session)
    const drafted = (await bus.events("reply.drafted.assistant.>")).map(({ event }) => event.session)
    const spoken = (await bus.events("speech.synthesized.assistant.>"))
      .filter(({ event }) => event.samples > 0)
      .map(({ event }) => event.session)
    assert.lengthOf(titled("Dictation"), 3)
    assert.lengthOf(titled("Conversation"), 1)
    for (const session of titled("Dictation")) assert.notInclude(drafted, session)
    for (const session of titled("Conversation")) assert.notInclude(spoken, session)
    assert.lengthOf(await bus.events(`text.transcribed.assistant.${titled("Conversation")[0]}.>`), 2)
    // Sessions end with their connections.
    const closed = await until(async () => {
      const found = (await bus.events("session.closed.assistant.>")).map(({ event }) => event.session)
      return titled("Dictation").every((session) => found.includes(session)) ? found : undefined
    })
    assert.notInclude(closed, titled("Conversation")[0])
  })

  it("ends a connection that does not speak Wyoming, with the reason, and goes on", async () => {
    const text = (line: string) => Buffer.from(`${line}\n`)
    for (const bytes of [
      text("GET / HTTP/1.1\r"),
      Buffer.alloc(80_000, 120),
      text('{"type":"audio-chunk","payload_length":99999999999}'),
      text('{"type":"audio-chunk","data_length":-4}'),
      encodeFrame("audio-start", { rate: 16_000, width: 4, channels: 1 }),
      encodeFrame("audio-start", { rate: "fast", width: 2, channels: 1 }),
      encodeFrame("synthesize", { text: 7 }),
      encodeFrame("transcript", {})
    ]) {
      const frames = await exchange(bytes)
      assert.deepStrictEqual(
        frames.map(({ type }) => type),
        ["error"],
        bytes.subarray(0, 40).toString()
      )
      assert.strictEqual(frames[0]?.data["code"], "input.invalid")
    }
    // Half a frame, and gone.
    await new Promise<void>((done) => {
      const socket = createConnection(port, "127.0.0.1", () => socket.end(text('{"type":"synthesize","data_length":500}')))
      socket.resume().once("close", () => done())
    })
    const [answer] = await exchange(encodeFrame("unheard-of"), encodeFrame("describe"), encodeFrame("audio-start", { rate: 1 }))
    assert.strictEqual(answer?.type, "info")
    assert.notInclude(voxbus.log(), "level=ERROR")
  })
})

/**
 * `/v1/realtime` with the official `openai` client over TLS (it takes no other), with the engines of the test kit: turns that
 * the client ends, turns that the detector finds, interruptions, text, and what is refused.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import OpenAI from "openai"
import { OpenAIRealtimeWS } from "openai/realtime/ws"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { ATTENTIVE_ENGINES, type Running, startProgram } from "./support/program.ts"
import { type Certificate, selfSigned } from "./support/tls.ts"

const RATE = 24_000

/** Base64 of a tone (speech to the test kit's detector) or of silence. */
const tone = (ms: number, loudness = 8_000, pitch = 200) =>
  Buffer.from(
    Int16Array.from({ length: (RATE * ms) / 1000 }, (_, n) => Math.round(loudness * Math.sin((2 * Math.PI * pitch * n) / RATE))).buffer
  ).toString("base64")
const silence = (ms: number) => tone(ms, 0)

let tls: Certificate
let voxbus: Running

/** A connection that keeps every event, and waits for those to come. */
const connect = async (model = "gpt-realtime") => {
  const client = new OpenAI({ apiKey: readFileSync(join(voxbus.home, "token"), "utf8").trim(), baseURL: `${voxbus.gateway}/v1` })
  const realtime = new OpenAIRealtimeWS({ model, options: { ca: readFileSync(tls.certificate) } }, client)
  const events: Array<any> = []
  realtime.on("event", (event) => void events.push(event))
  // Errors are events too; without a listener the client would throw.
  realtime.on("error", () => undefined)
  let read = 0
  /** The next event of this type that was not waited for yet. */
  const until = async (type: string): Promise<any> => {
    for (let n = 0; n < 3_000; n += 1) {
      const at = events.findIndex((event, index) => index >= read && event.type === type)
      if (at >= 0) {
        read = at + 1
        return events[at]
      }
      await sleep(10)
    }
    throw new Error(`no ${type} after ${events.slice(-12).map((event) => JSON.stringify(event).slice(0, 200))}`)
  }
  const created = await until("session.created")
  const types = () => events.map(({ type }) => type)
  return { realtime, events, types, until, created, send: realtime.send.bind(realtime), close: () => realtime.close() }
}

describe("OpenAI's Realtime API", () => {
  beforeAll(async () => {
    tls = selfSigned()
    voxbus = await startProgram(ATTENTIVE_ENGINES, { gateway: { tls: { certificate: tls.certificate, key: tls.key } } })
  })
  afterAll(async () => {
    await voxbus.stop()
    tls.remove()
  })

  it("hears what the client commits, and answers in text and audio", async () => {
    const { send, until, events, created, close } = await connect()
    assert.deepInclude(created.session, { type: "realtime", model: "gpt-realtime", object: "realtime.session" })
    assert.strictEqual(created.session.audio.input.turn_detection.type, "server_vad")
    send({ type: "session.update", session: { type: "realtime", instructions: "Be kind.", audio: { input: { turn_detection: null } } } })
    assert.deepInclude((await until("session.updated")).session, { instructions: "Be kind." })
    for (let n = 0; n < 10; n += 1) send({ type: "input_audio_buffer.append", audio: tone(100, 8_000, 230) })
    send({ type: "input_audio_buffer.commit" })
    send({ type: "response.create" })
    const { item_id } = await until("input_audio_buffer.committed")
    assert.deepInclude((await until("conversation.item.added")).item, { id: item_id, role: "user" })
    const { response } = await until("response.done")
    const heard = events.find(({ type }) => type === "conversation.item.input_audio_transcription.completed")
    assert.strictEqual(heard.item_id, item_id)
    assert.match(heard.transcript, /^[0-9a-f]{4}/)
    assert.strictEqual(response.status, "completed")
    const said = (type: string) => events.filter((event) => event.type === type).map(({ delta }) => delta)
    const transcript = said("response.output_audio_transcript.delta").join("")
    assert.match(transcript, /^Sentence 1 of /)
    assert.strictEqual(response.output[0].content[0].transcript, transcript)
    // The test kit's voice: 5 ms a letter, at most a second a sentence; resampling may keep some samples back.
    const samples = said("response.output_audio.delta").reduce((sum, delta) => sum + Buffer.from(delta, "base64").length / 2, 0)
    const wanted = said("response.output_audio_transcript.delta").reduce((sum, text) => sum + Math.min(1, text.trim().length * 0.005), 0)
    assert.closeTo(samples / RATE, wanted, 0.02)
    const order = events.map(({ type }) => type).filter((type) => /^response\./.test(type) && !/delta$/.test(type))
    assert.deepStrictEqual(order, [
      "response.created",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_audio.done",
      "response.output_audio_transcript.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.done"
    ])
    assert.isAbove(response.usage.total_tokens, 0)
    close()
  })

  it("finds turns by itself, and an interruption ends the answer", async () => {
    const { send, until, events, types, close } = await connect()
    const speech = tone(100, 8_000, 310)
    const say = async (ms: number) => {
      send({ type: "input_audio_buffer.append", audio: silence(400) })
      for (let at = 0; at < ms; at += 100) send({ type: "input_audio_buffer.append", audio: speech })
    }
    await say(800)
    const started = await until("input_audio_buffer.speech_started")
    // 300 ms of padding, and the windows it took to notice.
    assert.closeTo(started.audio_start_ms, 0, 110)
    assert.notInclude(types(), "input_audio_buffer.speech_stopped")
    for (let n = 0; n < 6; n += 1) send({ type: "input_audio_buffer.append", audio: silence(100) })
    const stopped = await until("input_audio_buffer.speech_stopped")
    assert.strictEqual(stopped.item_id, started.item_id)
    assert.closeTo(stopped.audio_end_ms, 1_700, 150)
    assert.strictEqual((await until("input_audio_buffer.committed")).item_id, started.item_id)
    const first = (await until("response.created")).response.id
    await say(300)
    await until("input_audio_buffer.speech_started")
    const done = events.find(({ type, response }) => type === "response.done" && response.id === first)
    // Whoever was first: the answer was whole already, or the interruption ended it before speech_started was sent.
    assert.isDefined(done)
    if (done.response.status !== "completed")
      assert.deepInclude(done.response.status_details, { type: "cancelled", reason: "turn_detected" })
    send({ type: "input_audio_buffer.clear" })
    await until("input_audio_buffer.cleared")
    close()
  })

  it("takes text, cancels, truncates, and says what it cannot do", async () => {
    const { send, until, events, close } = await connect()
    send({ type: "session.update", session: { type: "realtime", output_modalities: ["text"] } })
    await until("session.updated")
    const item = (role: "user" | "assistant" | "system", text: string) =>
      ({
        type: "conversation.item.create",
        item: { type: "message", role, content: [{ type: role === "assistant" ? "output_text" : "input_text", text }] }
      }) as any
    send(item("system", "You know the way."))
    send(item("assistant", "Hello."))
    send(item("user", "Where is the station?"))
    send({ type: "response.create" })
    const { response } = await until("response.done")
    assert.strictEqual(response.status, "completed")
    assert.strictEqual(response.output[0].content[0].type, "output_text")
    assert.isFalse(events.some(({ type }) => type === "response.output_audio.delta"))
    // The answer is made of the question alone: the same text without anything before it.
    const text = events
      .filter(({ type }) => type === "response.output_text.delta")
      .map(({ delta }) => delta)
      .join("")
    const alone = await connect()
    alone.send({
      type: "conversation.item.create",
      item: { type: "message", role: "user", content: [{ type: "input_text", text: "Where is the station?" }] }
    })
    alone.send({ type: "response.create", response: { output_modalities: ["text"] } })
    assert.strictEqual((await alone.until("response.output_text.done")).text, text)
    alone.close()

    send({ type: "response.cancel", event_id: "mine" })
    assert.deepInclude((await until("error")).error, { code: "input.invalid", event_id: "mine" })
    send({ type: "response.create" })
    send({ type: "response.create" })
    assert.match((await until("error")).error.message, /being made already/)
    await until("response.done")
    send({ type: "session.update", session: { type: "realtime", tools: [{ type: "function", name: "f" }] } })
    assert.strictEqual((await until("error")).error.type, "invalid_request_error")
    send({ type: "input_audio_buffer.commit" })
    assert.strictEqual((await until("error")).error.code, "audio.empty")
    send({ type: "conversation.item.delete", item_id: "x" })
    assert.match((await until("error")).error.message, /not supported/)
    send({ type: "session.update", session: { type: "realtime", output_modalities: ["audio"] } })
    send(item("user", "And the airport?"))
    send({ type: "response.create" })
    const spoken = await until("response.done")
    send({ type: "conversation.item.truncate", item_id: spoken.response.output[0].id, content_index: 0, audio_end_ms: 30 })
    assert.strictEqual((await until("conversation.item.truncated")).audio_end_ms, 30)
    close()
  })

  it("wants a token", async () => {
    const client = new OpenAI({ apiKey: "vox_wrong", baseURL: `${voxbus.gateway}/v1` })
    const realtime = new OpenAIRealtimeWS({ model: "x", options: { ca: readFileSync(tls.certificate) } }, client)
    const message = await new Promise<string>((resolve) => realtime.on("error", (error) => resolve(error.message)))
    assert.include(message, "401")
  })
})

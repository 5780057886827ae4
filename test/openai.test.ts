/**
 * The official `openai` client, as it comes, against the real program: one happy path of each endpoint with the real engines,
 * everything else with the engines of the test kit.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import OpenAI, { APIError, toFile } from "openai"
import { execFile } from "node:child_process"
import { createReadStream, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import { decodeToTimeline, joined } from "../kernel/Media.ts"
import * as Stream from "effect/Stream"
import { issueToken } from "../kernel/Tokens.ts"
import { type Running, startProgram, TESTKIT_ENGINES } from "./support/program.ts"
import { pythonWith } from "./support/python.ts"
import { convertedFile, silenceFile, speechFile } from "./support/speech.ts"
import { toneFile } from "./support/tones.ts"

const SENTENCE = "The printer on the second floor is out of paper."

const tokenOf = ({ home }: Running) => readFileSync(join(home, "token"), "utf8").trim()
const clientOf = (program: Running, apiKey = tokenOf(program)) =>
  new OpenAI({ apiKey, baseURL: `${program.gateway}/v1`, maxRetries: 2, timeout: 60_000 })

/** Seconds and loudest sample of audio in any format. */
const listen = (bytes: Uint8Array) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { samples } = yield* decodeToTimeline({ kind: "bytes", chunks: Stream.make(bytes) })
        const pcm = joined(yield* Stream.runCollect(samples))
        return { seconds: pcm.length / 16_000, peak: pcm.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0) }
      })
    )
  )

const failureOf = async (work: PromiseLike<unknown>): Promise<APIError> => {
  try {
    await work
  } catch (error) {
    if (error instanceof APIError) return error
    throw error
  }
  throw new Error("it succeeded")
}

/** Until it is so; the program forgets a session seconds after its answer. */
const eventually = async (check: () => Promise<boolean>, seconds: number) => {
  for (let n = 0; n < seconds * 4; n += 1) {
    if (await check()) return
    await new Promise((wake) => setTimeout(wake, 250))
  }
  throw new Error(`not within ${seconds} s`)
}

describe("OpenAI's API with real engines", () => {
  let voxbus: Running
  let openai: OpenAI
  beforeAll(async () => {
    voxbus = await startProgram()
    openai = clientOf(voxbus)
  })
  afterAll(() => voxbus.stop())

  it("hears, speaks and answers", async () => {
    const path = await convertedFile(await speechFile([SENTENCE]), "mp3", {
      container: "mp3",
      encoder: "libmp3lame",
      bitsPerSecond: 48_000
    })
    const heard = await openai.audio.transcriptions.create({
      // The name says nothing: the content does.
      file: await toFile(createReadStream(path), "notes.txt"),
      model: "whisper-1",
      language: "en",
      response_format: "verbose_json",
      timestamp_granularities: ["word", "segment"]
    })
    assert.match(heard.text, /printer on the second floor is out of paper/i)
    assert.strictEqual(heard.language, "english")
    const word = heard.words?.find((each) => /floor/i.test(each.word))
    assert.isTrue(word !== undefined && word.start > 0.5 && word.end > word.start && word.end < Number(heard.duration))

    const speech = await openai.audio.speech.create({ model: "tts-1", voice: "alloy", input: `${SENTENCE} Please bring some.` })
    assert.strictEqual(speech.headers.get("content-type"), "audio/mpeg")
    const mp3 = new Uint8Array(await speech.arrayBuffer())
    const { seconds, peak } = await listen(mp3)
    assert.isTrue(seconds > 2.5 && seconds < 8 && peak > 2_000, `${seconds} s, peak ${peak}`)
    const again = await openai.audio.transcriptions.create({ file: await toFile(mp3, "x"), model: "voxbus", language: "en" })
    assert.match(again.text, /printer on the second floor/i)

    const answer = await openai.chat.completions.create({
      model: "voxbus",
      messages: [{ role: "user", content: "What is the capital of France?" }]
    })
    assert.match(answer.choices[0]?.message.content ?? "", /Paris/)
    assert.isTrue((answer.usage?.prompt_tokens ?? 0) > 0 && (answer.usage?.completion_tokens ?? 0) > 0)
    assert.match(answer.system_fingerprint ?? "", /llama-local/)
  })
})

describe("OpenAI's API", () => {
  let voxbus: Running
  let openai: OpenAI
  let speech: string
  beforeAll(async () => {
    speech = await speechFile([SENTENCE])
    voxbus = await startProgram(TESTKIT_ENGINES, {
      gateway: { uploadMegabytes: 8, limits: { requestsPerMinute: 80 } },
      session: { transcriber: { model: "attentive" } }
    })
    openai = clientOf(voxbus)
  })
  afterAll(() => voxbus.stop())

  const api = async (path: string): Promise<any> =>
    (await fetch(`${voxbus.gateway}/api${path}`, { headers: { authorization: `Bearer ${tokenOf(voxbus)}` } })).json()

  it("lists models, and says so of one that is not there", async () => {
    const names = (await openai.models.list()).data.map(({ id }) => id)
    assert.includeMembers(names, ["voxbus", "whisper-base", "piper-en-us-joe", "smollm2-135m", "whisper-1", "tts-1"])
    assert.strictEqual((await openai.models.retrieve("whisper-base")).owned_by, "voxbus")
    const missing = await failureOf(openai.models.retrieve("gpt-9"))
    assert.strictEqual(missing.status, 404)
    assert.strictEqual(missing.code, "model.missing")
  })

  it("writes every format of a transcript", async () => {
    const file = () => toFile(readFileSync(speech), "speech")
    const { text, usage } = await openai.audio.transcriptions.create({ file: await file(), model: "whisper-1" })
    assert.match(text, /^[0-9a-f]{4}/)
    assert.deepInclude(usage, { type: "duration", seconds: Math.ceil((statSync(speech).size - 44) / 32_000) })
    const as = async (response_format: "text" | "srt" | "vtt") =>
      String(await openai.audio.transcriptions.create({ file: await file(), model: "whisper-1", response_format }))
    assert.strictEqual((await as("text")).trim(), text)
    assert.match(await as("srt"), /^1\n00:00:00,\d{3} --> 00:00:0/)
    assert.match(await as("vtt"), /^WEBVTT\n\n00:00:00\.\d{3} --> /)
    const verbose = await openai.audio.transcriptions.create({ file: await file(), model: "whisper-1", response_format: "verbose_json" })
    assert.strictEqual(verbose.words, undefined)
    assert.isAbove(verbose.segments?.length ?? 0, 0)
    const translated: any = await openai.audio.translations.create({
      file: await file(),
      model: "whisper-1",
      response_format: "verbose_json"
    })
    assert.strictEqual(translated.task, "translate")
    const parts: Array<any> = []
    for await (const event of await openai.audio.transcriptions.create({ file: await file(), model: "whisper-1", stream: true }))
      parts.push(event)
    assert.deepStrictEqual(
      parts.map(({ type }) => type),
      ["transcript.text.delta", "transcript.text.done"]
    )
    assert.strictEqual(parts.at(-1).text, text)
    const silence = await openai.audio.transcriptions.create({
      file: await toFile(readFileSync(await silenceFile(2)), "s"),
      model: "whisper-1"
    })
    assert.strictEqual(silence.text, "")
  })

  it("transcribes what is longer than a minute as a call, chunk by chunk, and erases it", async () => {
    const wav = toneFile(Array.from({ length: 12 }, (_, n) => [n * 8, n * 8 + 6 + n / 8]))
    const parts: Array<any> = []
    for await (const event of await openai.audio.transcriptions.create({
      file: await toFile(readFileSync(wav), "long.wav"),
      model: "whisper-1",
      stream: true
    }))
      parts.push(event)
    const deltas = parts.filter(({ type }) => type === "transcript.text.delta")
    assert.isAbove(deltas.length, 1)
    const said = (text: string) => text.split(/\s+/).filter((word) => word !== "")
    assert.sameMembers(said(deltas.map(({ delta }) => delta).join("")), said(parts.at(-1).text))
    await eventually(async () => (await api("/sessions/list")).sessions.length === 0, 60)
    await eventually(async () => readdirSync(join(voxbus.home, "v1", "pending")).length === 0, 10)
  })

  it("refuses uploads by what they are", async () => {
    const transcribe = (bytes: Uint8Array, more: object = {}) =>
      failureOf(toFile(bytes, "voice.mp3").then((file) => openai.audio.transcriptions.create({ file, model: "whisper-1", ...more })))
    const text = await transcribe(new TextEncoder().encode("This is no audio at all. ".repeat(50)))
    assert.deepInclude(text, { status: 400, code: "audio.unreadable", type: "invalid_request_error" })
    assert.deepInclude(await transcribe(new Uint8Array(9_000_000)), { status: 413, code: "request.too_large" })
    assert.deepInclude(await transcribe(new Uint8Array(0)), { status: 400, code: "audio.empty" })
    assert.deepInclude(await transcribe(readFileSync(speech), { response_format: "docx" }), { status: 400, param: "response_format" })
    assert.deepInclude(await transcribe(readFileSync(speech), { language: "klingon" }), { status: 400, param: "language" })
    const raw = await fetch(`${voxbus.gateway}/v1/audio/transcriptions`, {
      method: "POST",
      headers: { authorization: `Bearer ${tokenOf(voxbus)}` },
      body: "none"
    })
    assert.strictEqual(raw.status, 400)
  })

  it("speaks in every format, each decodable and as long as the others", async () => {
    const say = (more: Record<string, unknown>) =>
      openai.audio.speech.create({ model: "tts-1", voice: "nova", input: `${SENTENCE} ${SENTENCE} ${SENTENCE}`, ...more })
    const pcm = new Uint8Array(await (await say({ response_format: "pcm" })).arrayBuffer())
    const wanted = pcm.length / 2 / 24_000
    for (const response_format of ["wav", "mp3", "opus", "aac", "flac"] as const) {
      const bytes = new Uint8Array(await (await say({ response_format })).arrayBuffer())
      const { seconds, peak } = await listen(bytes)
      assert.closeTo(seconds, wanted, 0.15, response_format)
      assert.isTrue(peak > 1_500 && peak < 5_000, `${response_format}: ${peak}`)
    }
    const fast = new Uint8Array(await (await say({ response_format: "pcm", speed: 2 })).arrayBuffer())
    assert.closeTo(fast.length / pcm.length, 0.5, 0.05)
    const sse = await (await say({ response_format: "pcm", stream_format: "sse" })).text()
    const sent = sse.split("\n\n").flatMap((each) => (each.startsWith("data: ") ? [JSON.parse(each.slice(6))] : []))
    assert.strictEqual(sent.at(-1).type, "speech.audio.done")
    const audio = Buffer.concat(sent.flatMap(({ audio: part }) => (part === undefined ? [] : [Buffer.from(part, "base64")])))
    assert.strictEqual(Buffer.compare(audio, pcm), 0)
    assert.deepInclude(await failureOf(say({ voice: "nobody" })), { status: 400, param: "voice" })
    assert.deepInclude(await failureOf(say({ input: "***" })), { status: 400, param: "input" })
    assert.deepInclude(await failureOf(say({ speed: 9 })), { status: 400, param: "speed" })
  })

  it("answers a chat with its history, whole and streamed, and refuses what it cannot do", async () => {
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "assistant", content: "Hello." },
      { role: "user", content: "First?" },
      { role: "assistant", content: "One." },
      { role: "user", content: [{ type: "text", text: "Second?" }] }
    ] as const satisfies OpenAI.ChatCompletionMessageParam[]
    const whole = await openai.chat.completions.create({ model: "voxbus", messages: [...messages] })
    const content = whole.choices[0]?.message.content ?? ""
    assert.match(content, /^Sentence 1 of /)
    assert.strictEqual(whole.choices[0]?.finish_reason, "stop")
    // The test kit counts messages: system, question of nothing, greeting, question, answer, question.
    assert.isAtLeast(whole.usage?.prompt_tokens ?? 0, 5)
    const stream = await openai.chat.completions.create({
      model: "voxbus",
      messages: [...messages],
      stream: true,
      stream_options: { include_usage: true }
    })
    let streamed = ""
    let usage: OpenAI.CompletionUsage | null | undefined
    for await (const chunk of stream) {
      streamed += chunk.choices[0]?.delta.content ?? ""
      usage = chunk.usage ?? usage
    }
    assert.strictEqual(streamed, content)
    assert.deepStrictEqual(usage, whole.usage)
    const ask = (more: object) => failureOf(openai.chat.completions.create({ model: "voxbus", messages: [...messages], ...more }))
    const tool = { type: "function", function: { name: "f", parameters: {} } }
    assert.deepInclude(await ask({ tools: [tool] }), { status: 400, param: "tools", code: "input.invalid" })
    assert.deepInclude(await ask({ messages: [{ role: "assistant", content: "x" }] }), { status: 400, param: "messages" })
    const picture = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }
    assert.deepInclude(await ask({ messages: [{ role: "user", content: [picture] }] }), { status: 400, param: "messages" })
  })

  it("drops the rest when the client goes away", async () => {
    const watched = new AbortController()
    const events = await fetch(`${voxbus.gateway}/api/events?subjects=turn.cancelled.assistant.>,speech.synthesized.assistant.>`, {
      headers: { authorization: `Bearer ${tokenOf(voxbus)}` },
      signal: watched.signal
    })
    const reader = events.body?.getReader()
    const next = async () => new TextDecoder().decode((await reader?.read())?.value)
    assert.include(await next(), "connected")
    const leaving = new AbortController()
    const input = Array.from({ length: 300 }, (_, n) => `This is sentence number ${n} of a very long text.`).join(" ")
    const long = await openai.audio.speech.create(
      { model: "tts-1", voice: "alloy", input, response_format: "pcm" },
      { signal: leaving.signal }
    )
    await long.body?.getReader().read()
    leaving.abort()
    let seen = ""
    while (!seen.includes("turn.cancelled")) seen += await next()
    watched.abort()
    assert.isBelow(seen.split('"_tag":"speech.synthesized"').length, 250)
  })

  it("says what an engine could not do", async () => {
    const path = join(voxbus.home, "config.json")
    const before = readFileSync(path, "utf8")
    // The test kit's engine is broken while the file that its model names is there.
    writeFileSync(path, JSON.stringify({ ...JSON.parse(before), session: { transcriber: { model: path } } }))
    const file = await toFile(readFileSync(speech), "speech")
    const client = openai.withOptions({ maxRetries: 0 })
    const failed = await failureOf(client.audio.transcriptions.create({ file, model: "whisper-1" }))
    assert.deepInclude(failed, { status: 500, code: "engine.failed", type: "server_error" })
    const streamed = await failureOf(client.audio.transcriptions.create({ file, model: "whisper-1", stream: true }))
    assert.deepInclude(streamed, { status: 500, code: "engine.failed" })
    writeFileSync(path, before)
    assert.match((await client.audio.transcriptions.create({ file, model: "whisper-1" })).text, /^[0-9a-f]{4}/)
  })

  it("answers the official client of Python", async () => {
    const at = (name: string) => fileURLToPath(new URL(name, import.meta.url))
    const { python, environment } = pythonWith(at("python-openai-requirements.txt"))
    const { stdout } = await promisify(execFile)(python, [at("openai_client.py"), speech], {
      env: { ...process.env, ...environment, OPENAI_BASE_URL: `${voxbus.gateway}/v1`, OPENAI_API_KEY: tokenOf(voxbus) },
      timeout: 120_000
    })
    const result = JSON.parse(stdout)
    assert.include(result.models, "whisper-base")
    assert.match(result.text, /^[0-9a-f]{4}/)
    assert.strictEqual(result.streamed, result.text)
    assert.strictEqual(result.words.join(" "), result.text)
    assert.match(result.vtt, /^WEBVTT/)
    assert.strictEqual(result.wav.riff, "RIFF")
    // 5 ms a letter at 24 kHz, two bytes a sample.
    assert.closeTo(result.wav.bytes, 44 + ("One sentence.".length + "And a second one.".length) * 240, 200)
    assert.match(result.answer, /^Sentence 1 of /)
    assert.strictEqual(result.chunks, result.answer)
    assert.deepStrictEqual(result.refused, { param: "voice", code: "input.invalid" })
    assert.match(result.realtime.heard, /^[0-9a-f]{4}/)
    assert.match(result.realtime.answer, /^Sentence 1 of /)
    assert.isAbove(result.realtime.audio, 2_000)
    assert.strictEqual(result.realtime.types.at(-1), "response.done")
  })

  it("keeps nothing of a request", async () => {
    const { id } = await openai.chat.completions.create({
      model: "voxbus",
      messages: [{ role: "user", content: "Where is the golden key hidden?" }]
    })
    const session = id.replace("chatcmpl-", "")
    const events = async () => (await api(`/sessions/${session}/events`)).events ?? []
    assert.isTrue((await events()).some(({ event }: any) => event.text === "Where is the golden key hidden?"))
    await eventually(async () => (await events()).length === 0, 30)
    assert.notInclude(voxbus.log(), "golden key")
  })

  it("wants a token with the right scope, and counts", async () => {
    assert.deepInclude(await failureOf(clientOf(voxbus, "vox_wrong").models.list()), { status: 401, code: "access.denied" })
    const token = await Effect.runPromise(issueToken(voxbus.home, "reader", ["read"]))
    const reader = clientOf(voxbus, token).withOptions({ maxRetries: 0 })
    assert.isAbove((await reader.models.list()).data.length, 0)
    const ask = () => reader.chat.completions.create({ model: "voxbus", messages: [{ role: "user", content: "x" }] })
    assert.deepInclude(await failureOf(ask()), { status: 403, code: "access.forbidden" })
    const failures = await Promise.all(Array.from({ length: 100 }, () => failureOf(ask())))
    const limited = failures.find(({ status }) => status === 429)
    assert.strictEqual(limited?.code, "request.limited")
    assert.isAbove(Number(limited?.headers?.get("retry-after")), 0)
    assert.deepInclude(await failureOf(openai.get("/nothing")), { status: 404, code: "route.unknown" })
  })
})

/** The real program seen by a program: files in, files out, metrics, and one trace through all actors of a turn. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { createServer, request, type Server } from "node:http"
import { join } from "node:path"
import { connect } from "../gateway/testkit/Client.ts"
import { until } from "./support/bus.ts"
import { ATTENTIVE_ENGINES, type Running, startProgram } from "./support/program.ts"
import { toneFile } from "./support/tones.ts"

interface Span {
  readonly traceId: string
  readonly name: string
  readonly process: string
}

let voxbus: Running
let token: string
let receiver: Server
/** A secret in each place that the settings have for one. */
const PLANTED = "planted-4711"
const spans: Array<Span> = []
let exported = ""
const spoken = toneFile([
  [0.5, 4],
  [6, 9]
])

beforeAll(async () => {
  receiver = createServer((incoming, answer) => {
    let text = ""
    incoming.setEncoding("utf8").on("data", (part: string) => (text += part))
    incoming.on("end", () => {
      exported += text
      for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
        const process = resource.attributes.find(({ key }: any) => key === "voxbus.process").value.stringValue
        for (const { spans: found } of scopeSpans) for (const { traceId, name } of found) spans.push({ traceId, name, process })
      }
      answer.setHeader("content-type", "application/json").end("{}")
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve))
  const address = receiver.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  voxbus = await startProgram(
    { ...ATTENTIVE_ENGINES, ELEVENLABS_API_KEY: PLANTED },
    {
      telemetry: { otlpUrl: `http://127.0.0.1:${port}` },
      gateway: { uploadMegabytes: 2 },
      provider: { openwebui: { url: `http://someone:${PLANTED}@127.0.0.1:9` }, probeSeconds: 0 },
      reasoner: { mcp: [{ name: "tools", command: "true", args: ["--token", PLANTED] }] }
    }
  )
  token = (await voxbus.run("token")).stdout.trim()
}, 120_000)

afterAll(async () => {
  await voxbus.stop()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})

const ask = (path: string, options: RequestInit = {}) =>
  fetch(`${voxbus.gateway}${path}`, { ...options, headers: { authorization: `Bearer ${token}`, ...options.headers } })

const finished = (session: string) =>
  until(async () => {
    const answer: any = await (await ask(`/api/sessions/get?session=${session}`)).json()
    return answer.state === "completed" ? answer : undefined
  })

const uploads = () => (existsSync(join(voxbus.home, "uploads")) ? readdirSync(join(voxbus.home, "uploads")) : [])

describe("a program", () => {
  let session = ""

  it("sends a recording as a form, once however often it sends it, and nothing of it stays but the call", async () => {
    const send = () => {
      const form = new FormData()
      form.set("title", "Printer\u0000 call")
      form.set("ticket", "T-42")
      form.set("file", new Blob([readFileSync(spoken)]), "../../etc/pass wd.mp3")
      return ask("/api/calls", { method: "POST", body: form, headers: { "idempotency-key": "once" } })
    }
    const first = await send()
    const answer: any = await first.json()
    assert.strictEqual(first.status, 202, JSON.stringify(answer))
    assert.deepInclude(answer, { added: true, bytes: readFileSync(spoken).length, media_type: "audio/wav" })
    session = answer.session
    const again = await send()
    assert.strictEqual(again.status, 200)
    assert.deepInclude(await again.json(), { session, added: false })
    const call = await finished(session)
    assert.deepInclude(call, { title: "Printer call", ticket: "T-42", state: "completed" })
    await until(async () => (uploads().length === 0 ? true : undefined))
  }, 60_000)

  it("gets audio with ranges, bundle and exports of it", async () => {
    const whole = Buffer.from(await (await ask(`/api/sessions/${session}/audio`)).arrayBuffer())
    const sent = readFileSync(spoken)
    assert.strictEqual(whole.length, sent.length)
    assert.isTrue(whole.equals(sent), "a 16 kHz mono file is its own timeline")
    const part = await ask(`/api/sessions/${session}/audio`, { headers: { range: "bytes=40-100043" } })
    assert.strictEqual(part.status, 206)
    assert.strictEqual(part.headers.get("content-range"), `bytes 40-100043/${sent.length}`)
    assert.isTrue(Buffer.from(await part.arrayBuffer()).equals(sent.subarray(40, 100_044)))
    const tail = await ask(`/api/sessions/${session}/audio`, { headers: { range: "bytes=-10" } })
    assert.isTrue(Buffer.from(await tail.arrayBuffer()).equals(sent.subarray(-10)))
    const beyond = await ask(`/api/sessions/${session}/audio`, { headers: { range: "bytes=99999999-" } })
    assert.strictEqual(beyond.status, 416)
    const original = await ask(`/api/sessions/${session}/audio?original=true`, { headers: { range: "bytes=100-199" } })
    assert.strictEqual(original.headers.get("content-type"), "application/octet-stream")
    assert.isTrue(Buffer.from(await original.arrayBuffer()).equals(sent.subarray(100, 200)))
    const same = await ask(`/api/sessions/${session}/audio`, { headers: { "if-none-match": part.headers.get("etag") ?? "" } })
    assert.strictEqual(same.status, 304)
    const bundle = await ask(`/api/sessions/${session}/bundle`)
    assert.match(bundle.headers.get("content-disposition") ?? "", /^attachment; filename=\S+T-42\.vtb$/)
    assert.strictEqual(
      Buffer.from(await bundle.arrayBuffer())
        .subarray(0, 2)
        .toString("latin1"),
      "PK"
    )
    const srt = await ask(`/api/sessions/${session}/exports/srt`)
    assert.match(await srt.text(), /^1\r?\n00:00:00/)
    for (const [path, status] of [
      [`/api/sessions/${session}/exports/nonsense`, 400],
      ["/api/sessions/01JDABCDEFGHJKMNPQRSTVWXYZ/audio", 404],
      ["/api/sessions/..%2F..%2Fetc/audio", 404]
    ] as const) {
      const refused = await ask(path)
      assert.strictEqual(refused.status, status, path)
      assert.isString(((await refused.json()) as any).error)
    }
  })

  it("is refused what is no audio, what is too large, and what carries a bad ticket, and nothing stays on the disk", async () => {
    const post = (body: BodyInit, query = "", headers: Record<string, string> = {}) =>
      ask(`/api/calls${query}`, { method: "POST", body, headers: { "content-type": "application/octet-stream", ...headers } })
    const text = await post("this is not audio\n".repeat(50), "?name=call.wav")
    assert.strictEqual(text.status, 422)
    assert.deepInclude(await text.json(), { error: "audio.unreadable" })
    const wav = readFileSync(spoken)
    const ticket = await post(wav, "?ticket=../x")
    assert.deepInclude(await ticket.json(), { error: "input.invalid" })
    assert.deepInclude(await (await post("")).json(), { error: "audio.empty" })
    assert.deepInclude(await (await post(Buffer.alloc(6_000_000))).json(), { error: "request.too_large" })
    // Without a length: it must be stopped while it comes.
    const status = await new Promise<number>((resolve, reject) => {
      const sent = request(`${voxbus.gateway}/api/calls`, { method: "POST", headers: { authorization: `Bearer ${token}` } }, (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
        sent.destroy()
      })
      // The server hangs up while we send; what it answered before counts.
      sent.on("error", reject)
      const block = Buffer.concat([wav.subarray(0, 44), Buffer.alloc(65_536)])
      const more = () => {
        while (!sent.destroyed && sent.write(block));
        sent.once("drain", more)
      }
      more()
    })
    assert.strictEqual(status, 413)
    await until(async () => (uploads().length === 0 ? true : undefined))
  }, 60_000)

  it("is told what the installation can do", async () => {
    const known: any = await (await ask("/api/capabilities")).json()
    const transcriber = known.actors.find(({ actor }: any) => actor === "transcriber")
    assert.deepInclude(transcriber, { health: "ready", apart: true })
    assert.includeMembers(transcriber.publishes, ["text.transcribed", "text.rejected"])
    const engines = known.engines.find(({ actor }: any) => actor === "transcriber")
    assert.deepInclude(engines, { default: "testkit", chain: [] })
    assert.includeMembers(engines.engines, ["ctranslate2", "whisper.cpp", "openai"])
    assert.includeMembers(known.exports, ["srt", "pdf"])
    assert.deepInclude(known.limits, { uploadBytes: 2_000_000, socketsPerClient: 32 })
    const page = await (await ask("/api/reference")).text()
    for (const address of ["POST /api/calls", "GET /api/capabilities", "GET /metrics"]) assert.include(page, address)
    assert.notInclude(page, "<script")
  })

  it("has one trace through the gateway and all actors of a turn, without content", async () => {
    const pcm = readFileSync(spoken).subarray(44)
    const turn = await Effect.runPromise(
      Effect.gen(function* () {
        const client = yield* connect({ url: voxbus.gateway, token })
        yield* client.send({ type: "utterance.start", sampleRate: 16_000 })
        for (let at = 0; at < 128_000; at += 8_000) yield* client.sendRaw(new Uint8Array(pcm.subarray(at, at + 8_000)))
        yield* client.send({ type: "utterance.end" })
        yield* client.until("speech.done")
        return (yield* client.until("ready", (message) => message.session !== undefined)).session
      }).pipe(Effect.scoped)
    )
    assert.isString(turn)
    const wanted = [
      "gateway utterance",
      "normalizer audio.captured",
      "transcriber audio.normalized",
      "reasoner text.transcribed",
      "speaker reply.drafted"
    ]
    const trace = await until(async () => {
      const root = spans.find(({ name }) => name === "gateway utterance")?.traceId
      const own = spans.filter(({ traceId }) => traceId === root)
      return wanted.every((name) => own.some((span) => span.name === name)) ? own : undefined
    })
    assert.includeMembers([...new Set(trace.map(({ process }) => process))], ["launcher", "transcriber", "reasoner", "speaker"])
    // The test-kit's engine says hexadecimal words of its own; none of them, no path and no query leaves.
    const words: any = await (await ask(`/api/transcripts/get?session=${session}`)).json()
    for (const { text } of words.segments ?? [])
      for (const word of String(text).trim().split(/\s+/)) assert.notInclude(exported, `"${word}"`)
    assert.notInclude(exported, "/api/")
    assert.notInclude(exported, token)
  }, 60_000)

  it("reads in /metrics what every actor did, in whichever process", async () => {
    assert.strictEqual((await fetch(`${voxbus.gateway}/metrics`)).status, 401)
    const text = await until(async () => {
      const now = await (await ask("/metrics")).text()
      return ["normalizer", "transcriber", "reasoner", "speaker", "bundler"].every((actor) =>
        new RegExp(`^voxbus_handled_total\\{actor="${actor}"\\} [1-9]`, "m").test(now)
      )
        ? now
        : undefined
    })
    for (const line of [
      /^voxbus_calls_total\{outcome="completed"\} 1$/m,
      /^voxbus_coverage_ratio_count 1$/m,
      /^voxbus_turn_seconds_count 1$/m,
      /^voxbus_jobs\{state="done"\} 1$/m,
      /^voxbus_actor_up\{actor="transcriber"\} 1$/m,
      /^voxbus_lag_events\{actor="transcriber"\} 0$/m,
      /^voxbus_stage_seconds_count\{.*event="text\.transcribed".*\} [1-9]/m,
      /^voxbus_engine_seconds_count\{.*engine="testkit".*\} [1-9]/m
    ])
      assert.match(text, line)
    const shown = JSON.parse(readFileSync(new URL("../ops/grafana/voxbus.json", import.meta.url), "utf8"))
    const queries: ReadonlyArray<string> = shown.panels.flatMap(({ targets }: any) => targets.map(({ expr }: any) => expr))
    assert.isAbove(queries.length, 20)
    // A retry, a rejection and a dead letter did not happen here: what shows them begins with the first.
    const rare = ["voxbus_dead_letters", "voxbus_rejected_total", "voxbus_errors_total"]
    for (const query of queries)
      for (const [name] of query.matchAll(/voxbus_\w+/g))
        if (!rare.includes(name)) assert.match(text, new RegExp(`^${name}[{ ]`, "m"), `${name} of the dashboard is in /metrics`)
    // Every sample belongs to a family that says its type.
    const families = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name))
    for (const [, name = ""] of text.matchAll(/^(voxbus_\w+)[{ ]/gm))
      assert.isTrue(families.has(name) || families.has(name.replace(/_(bucket|sum|count)$/, "")), name)
  }, 60_000)

  it("looks for a fault on the debug pages: what goes on, what went wrong, and no secret", async () => {
    const page = async (name: string): Promise<any> => {
      const answer = await ask(`/api/debug/${name}`)
      const text = await answer.text()
      assert.strictEqual(answer.status, 200, text)
      assert.notInclude(text, PLANTED, name)
      assert.notInclude(text, token, name)
      return JSON.parse(text)
    }
    const job = async (path: string) => {
      const headers = { "content-type": "application/json" }
      return (await (await ask("/api/jobs/add", { method: "POST", headers, body: JSON.stringify({ path, title: "Lost" }) })).json()) as any
    }
    const { session: lost } = await job("/nowhere/lost.wav")
    const { errors } = await until(async () => {
      const now = await page("errors?limit=5")
      return now.errors.some(({ session }: any) => session === lost) ? now : undefined
    })
    assert.deepInclude(errors[0], { session: lost, mode: "call", event: "job.failed" })
    assert.isString(errors[0].code)
    assert.isNotEmpty(errors[0].message)
    const state = await page("state")
    assert.deepInclude(state, { pid: voxbus.child.pid, offline: false, node: process.version })
    assert.deepInclude(state.call, { state: "IDLE" })
    assert.include(["IDLE", "LISTENING", "SPEAKING"], state.assistant.state)
    assert.deepInclude(
      state.actors.find(({ actor }: any) => actor === "transcriber"),
      { health: "ready", level: "ok" }
    )
    const queue = await page("queue")
    assert.deepInclude(queue.counts, { done: 1, failed: 1, running: 0 })
    assert.deepStrictEqual(queue.jobs, [])
    const { sessions } = await page("sessions")
    for (const { state } of sessions) assert.include(["queued", "open", "transcribing", "bundling"], state)
    const memory = await page("memory")
    const launcher = memory.processes.find(({ pid }: any) => pid === voxbus.child.pid)
    assert.strictEqual(launcher.name, "launcher")
    assert.isAbove(launcher.rssMB, 30)
    if (process.platform === "linux")
      assert.includeMembers(
        memory.processes.map(({ name }: any) => name),
        ["nats-server", "transcriber", "reasoner", "speaker"]
      )
    const { value } = await page("config")
    assert.strictEqual(value.gateway.uploadMegabytes, 2)
    assert.strictEqual(value.provider.openwebui.url, "http://***@127.0.0.1:9")
    assert.deepStrictEqual(value.reasoner.mcp[0].args, ["***", "***"])
    const writer = (await voxbus.run("token", "create", "writer", "--scope", "read,write")).stdout.trim()
    const paths = Object.entries<any>(((await (await ask("/api/openapi.json")).json()) as any).paths)
    const debug = paths.filter(([path]) => path.startsWith("/api/debug/"))
    assert.lengthOf(debug, 6)
    for (const [path, { get }] of debug) {
      assert.strictEqual(get["x-scope"], "admin", path)
      const refused = await ask(path, { headers: { authorization: `Bearer ${writer}` } })
      assert.strictEqual(refused.status, 403, path)
      assert.deepInclude(await refused.json(), { error: "access.forbidden" })
    }
  }, 60_000)
})

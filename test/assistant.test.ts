/**
 * The assistant as programs and people at a terminal use it: commands over HTTP, `voxbus chat`, tools that act through
 * the bus with the rights of the reasoner. A local server is the language model.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { homeToken } from "../kernel/Tokens.ts"
import { ANSWER, type ProviderServer, providerServer } from "../kernel/testkit/ProviderServer.ts"
import { MAIN, type Running, startProgram } from "./support/program.ts"
import { speechFile } from "./support/speech.ts"

let plain: ProviderServer
let calling: ProviderServer
let voxbus: Running
let token = ""

const ask = async (method: "GET" | "POST", path: string, body?: object): Promise<any> => {
  const response = await fetch(`${voxbus.gateway}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  return { status: response.status, ...((await response.json()) as object) }
}
/** The requests that the language model got; it is looked at once a minute besides. */
const chats = () => plain.asked.filter(({ path }) => path.endsWith("/chat/completions")).map(({ json }) => json)
const post = (path: string, body: object) => ask("POST", path, body)
const get = (path: string) => ask("GET", path)

const until = async (holds: () => boolean | Promise<boolean>) => {
  for (let i = 0; i < 100 && !(await holds()); i++) await sleep(50)
}

/** `voxbus chat` with these lines on its standard input. */
const chat = (text: string, ...flags: ReadonlyArray<string>) =>
  new Promise<{ code: number; out: string }>((resolve) => {
    const child = spawn(process.execPath, [MAIN, "chat", ...flags], { env: voxbus.environment, stdio: ["pipe", "pipe", "ignore"] })
    let out = ""
    child.stdout.setEncoding("utf8").on("data", (more: string) => (out += more))
    child.once("close", (code) => resolve({ code: code ?? 1, out }))
    child.stdin.end(text)
  })

beforeAll(async () => {
  plain = await providerServer()
  calling = await providerServer({
    calls: [
      { name: "set_timer", arguments: '{"seconds":1,"label":"tea"}' },
      { name: "search_calls", arguments: '{"query":"printer"}' },
      { name: "stop_recording", arguments: "{}" }
    ]
  })
  voxbus = await startProgram(
    {
      VOXBUS_TRANSCRIBER_ENGINE: "testkit",
      VOXBUS_TRANSCRIBER_MODEL: "attentive",
      VOXBUS_SPEAKER_ENGINE: "testkit",
      VOXBUS_CHAT_MODEL: "llama3"
    },
    {
      provider: { chat: { url: `${plain.url}/v1` } },
      session: { reasoner: { tools: ["time", "timer", "calls", "recording"] } }
    }
  )
  token = await Effect.runPromise(homeToken(voxbus.home))
}, 120_000)

afterAll(async () => {
  await voxbus.stop()
  await Promise.all([plain.close(), calling.close()])
})

describe("the assistant's commands", () => {
  it("a typed question: answered, kept, stopped, forgotten", async () => {
    assert.deepStrictEqual(await get("/conversation/state"), { status: 200, state: "IDLE", turn: 0 })
    assert.strictEqual((await post("/conversation/stop", {})).error, "session.unknown")
    const turn = await post("/conversation/send", { text: "What is the capital of France?", waitSeconds: 9 })
    assert.deepInclude(turn, { status: 200, turn: 1, question: "What is the capital of France?", reply: ANSWER, spoken: 2, done: true })
    const { session } = turn
    assert.deepInclude(await get("/conversation/state"), { session, state: "SPEAKING", turn: 1 })
    const sentence = await get(`/conversation/speech?session=${session}&turn=1&sentence=2`)
    assert.strictEqual(sentence.text, ANSWER[1])
    assert.strictEqual(Buffer.from(sentence.audio, "base64").subarray(0, 4).toString(), "OggS")

    assert.strictEqual((await post("/conversation/played", { session, turn: 1, sentences: 1, samples: 0, interrupted: true })).status, 200)
    assert.deepInclude(await get("/conversation/state"), { state: "IDLE", turn: 1 })
    const { messages } = await get("/conversation/messages")
    assert.deepStrictEqual(
      messages.map(({ role, content, known }: any) => [role, content, known]),
      [
        ["user", "What is the capital of France?", true],
        ["assistant", ANSWER[0], true]
      ]
    )

    // The next question goes into the same conversation, which knows what was heard.
    plain.always("silent")
    assert.deepInclude(await post("/conversation/send", { text: "And of Spain?" }), { session, turn: 2, done: false, reply: [] })
    await until(() => chats().length === 2)
    assert.deepInclude(await get("/conversation/state"), { state: "THINKING", turn: 2 })
    assert.deepInclude(await post("/conversation/stop", {}), { session, turn: 2, stopped: true })
    assert.deepInclude(await post("/conversation/stop", {}), { turn: 2, stopped: false })
    assert.deepInclude(await get("/conversation/state"), { state: "IDLE", turn: 2 })
    plain.always()
    assert.deepStrictEqual(
      plain.asked
        .at(-1)
        ?.json.messages.slice(1)
        .map((message: any) => message.content),
      ["What is the capital of France?", ANSWER[0], "And of Spain?"]
    )

    assert.deepInclude(await post("/conversation/clear", {}), { session, through: 2 })
    assert.isTrue((await get("/conversation/messages")).messages.every(({ known }: any) => !known))
    assert.deepInclude(await post("/conversation/send", { text: "What did I ask?", waitSeconds: 9 }), { session, turn: 3, done: true })
    assert.deepStrictEqual(
      plain.asked
        .at(-1)
        ?.json.messages.slice(1)
        .map((message: any) => message.content),
      ["What did I ask?"]
    )
  })

  it("a conversation is not what a client of /v1 has under way", async () => {
    const { session } = await get("/conversation/state")
    const before = chats().length
    plain.always("silent")
    const leaving = new AbortController()
    const held = fetch(`${voxbus.gateway}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "voxbus", messages: [{ role: "user", content: "A private question?" }] }),
      signal: leaving.signal
    }).catch(() => undefined)
    await until(() => chats().length > before)
    assert.strictEqual((await get("/conversation/state")).session, session)
    assert.strictEqual((await post("/conversation/send", { text: "Hello?" })).session, session)
    leaving.abort()
    await held
    await post("/conversation/stop", {})
    plain.always()
  })

  it("audio: asked and answered, only transcribed, and text only spoken", async () => {
    const audio = readFileSync(await speechFile(["What is the capital city of France?", "And how many people live there?"])).toString(
      "base64"
    )
    const turn = await post("/conversation/ask", { audio, fresh: true, waitSeconds: 9 })
    assert.isUndefined(turn.rejected)
    assert.deepInclude(turn, { status: 200, turn: 1, reply: ANSWER, spoken: 2, done: true })
    assert.isAbove(turn.question.length, 0)
    const before = chats().length
    const words = await post("/conversation/transcribe", { audio, waitSeconds: 9 })
    assert.deepInclude(words, { status: 200, question: turn.question, reply: [], done: true })
    const spoken = await post("/conversation/speak", { text: "One thing. Another thing, which is longer.", waitSeconds: 9 })
    assert.deepInclude(spoken, { status: 200, reply: ["One thing.", "Another thing, which is longer."], spoken: 2, done: true })
    assert.strictEqual(chats().length, before, "a model was asked")
    // Neither is the conversation that goes on.
    assert.strictEqual((await get("/conversation/state")).session, turn.session)
    const broken = await post("/conversation/ask", { audio: Buffer.from("no audio").toString("base64"), waitSeconds: 9 })
    assert.deepInclude(broken.problem, { stage: "question", code: "audio.unreadable" })
  })

  it("chat: sentences as they come, one conversation, forgetting", async () => {
    const { code, out } = await chat("What is the capital of France?\nAgain?\n/clear\nOnce more?\n", "--json")
    assert.strictEqual(code, 0)
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.deepStrictEqual(
      lines.filter(({ text }) => text !== undefined).map(({ turn, text }) => [turn, text]),
      [1, 2, 3].flatMap((turn) => ANSWER.map((text) => [turn, text]))
    )
    const [, second, third] = chats()
      .slice(-3)
      .map(({ messages }) => messages.length)
    assert.deepStrictEqual([second, third], [4, 2])
    plain.always({ status: 404 })
    const failed = await chat("Hello?\n")
    plain.always()
    assert.deepStrictEqual([failed.code, failed.out], [6, ""])
  })

  it("tools act over the bus with the reasoner's rights, and a timer speaks up by itself", async () => {
    await post("/config/set", { path: "provider.chat.url", value: `${calling.url}/v1` })
    const { session, reply, done } = await post("/conversation/send", { text: "Set a timer.", fresh: true, waitSeconds: 9 })
    assert.isTrue(done)
    assert.strictEqual(reply.at(0), "The tool says: Nothing is being recorded.")
    const { events } = await get(`/sessions/${session}/events`)
    const json = events.filter(({ subject }: any) => subject.startsWith(`tool.finished.assistant.${session}.000001.`))
    assert.deepStrictEqual(
      json.map(({ event }: any) => [event.name, event.ok]),
      [
        ["set_timer", true],
        ["search_calls", true],
        ["stop_recording", false]
      ]
    )
    assert.strictEqual(json[1].event.result, "Nothing was found.")
    await post("/config/set", { path: "provider.chat.url", value: `${plain.url}/v1` })
    await until(async () => (await get("/conversation/state")).turn === 2)
    const { messages } = await get(`/conversation/messages?session=${session}`)
    assert.include(messages.find(({ turn, role }: any) => turn === 2 && role === "user")?.content, "tea")
    const audit = (await get("/audit")).records
      .filter(({ who }: any) => who === "reasoner")
      .map(({ command, outcome }: any) => [command, outcome])
    assert.sameDeepMembers(audit, [
      ["timers.set", "done"],
      ["recording.stop", "session.unknown"]
    ])
  })
})

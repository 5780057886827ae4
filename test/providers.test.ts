/**
 * The real program with providers that come and go: who answers, what is left when one is taken away in the middle of a
 * turn, what a person reads then, and that no key is ever written anywhere.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { ANSWER, HEARD, type ProviderServer, providerServer } from "../kernel/testkit/ProviderServer.ts"
import { descendants, MAIN, type Ran, type Running, startProgram } from "./support/program.ts"
import { silenceFile, speechFile } from "./support/speech.ts"

const KEYS = {
  openai: "sk-planted-openai-0123456789abcdef",
  openwebui: "planted-openwebui-0123456789abcdef",
  elevenlabs: "planted-elevenlabs-0123456789abcdef",
  chat: "planted-chat-0123456789abcdef"
}
const PLANTED = /planted-\w+-0123456789/

let openai: ProviderServer
let openwebui: ProviderServer
let eleven: ProviderServer
let voxbus: Running
const printed: Array<string> = []

const run = async (...args: ReadonlyArray<string>): Promise<Ran> => {
  const ran = await voxbus.run(...args)
  printed.push(ran.stdout, ran.stderr)
  return ran
}
/** `keys set` reads from standard input. */
const setKey = (name: string, key: string) =>
  new Promise<number>((resolve) => {
    const child = spawn(process.execPath, [MAIN, "keys", "set", name, "--stdin"], { env: voxbus.environment, stdio: "pipe" })
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => printed.push(text))
    child.once("close", (code) => resolve(code ?? 1))
    child.stdin.end(`${key}\n`)
  })
const set = async (path: string, value: unknown) => {
  const { code, stderr } = await run("config", "set", path, JSON.stringify(value))
  assert.strictEqual(code, 0, stderr)
}
const ask = async (...args: ReadonlyArray<string>) => {
  const { code, json, stderr } = await run("ask", ...args, "--json")
  return { code, stderr, turn: json[0] }
}
/** Engine of the newest event of a kind. */
const engineOf = async (session: string, tag: string): Promise<string> => {
  const { json } = await run("events", "--subject", `${tag}.assistant.${session}.>`, "--json")
  return json.at(-1)?.event.engine
}
const health = async (actor: string): Promise<{ status: string; detail: string } | undefined> => {
  const { actors }: any = await (await fetch(`${voxbus.gateway}/health`)).json()
  return actors.find((each: any) => each.actor === actor)
}
const healthy = async (actor: string, status: string) => {
  for (let i = 0; i < 40; i++) {
    const state = await health(actor)
    if (state?.status === status) return state
    await sleep(250)
  }
  throw new Error(`${actor} did not become ${status}: ${JSON.stringify(await health(actor))}`)
}

beforeAll(async () => {
  openai = await providerServer({ key: KEYS.openai })
  openwebui = await providerServer({ key: KEYS.openwebui })
  eleven = await providerServer({ key: KEYS.elevenlabs })
  voxbus = await startProgram(
    {
      VOXBUS_LOG_LEVEL: "debug",
      VOXBUS_KEYRING: "off",
      VOXBUS_TRANSCRIBER_MODEL: "whisper-tiny.en",
      OPENAI_BASE_URL: `${openai.url}/v1`,
      OPENWEBUI_BASE_URL: openwebui.url,
      OPENWEBUI_KNOWLEDGE_COLLECTION_ID: "docs",
      ELEVENLABS_BASE_URL: eleven.url,
      VOXBUS_CHAT_API_KEY: KEYS.chat
    },
    {
      provider: {
        circuit: { openSeconds: 1 },
        probeSeconds: 1,
        transcriber: { chain: ["openai", "ctranslate2"] },
        reasoner: { chain: ["openwebui", "llama-local"] }
      }
    }
  )
}, 120_000)

afterAll(async () => {
  await voxbus.stop()
  await Promise.all([openai.close(), openwebui.close(), eleven.close()])
})

describe("providers", () => {
  it("keeps a key only when the provider accepts it", async () => {
    assert.strictEqual(await setKey("openai", "sk-planted-openai-0123456789wrong"), 6)
    const { json } = await run("keys", "list", "--json")
    assert.isFalse(json[0].keys.find((each: any) => each.name === "openai").set)
    for (const name of ["openai", "openwebui", "elevenlabs"] as const) assert.strictEqual(await setKey(name, KEYS[name]), 0, name)
    const listed = (await run("keys", "list", "--json")).json[0].keys
    assert.deepStrictEqual(
      listed.map((each: any) => [each.name, each.place]),
      [
        ["chat", "environment"],
        ["openwebui", "file"],
        ["openai", "file"],
        ["elevenlabs", "file"]
      ]
    )
    assert.strictEqual((await run("keys", "test", "elevenlabs")).code, 0)
  })

  it("uses what the settings say from the next turn on", async () => {
    await set("provider.speaker.chain", ["elevenlabs", "piper-local"])
    await set("provider.openwebui.model", "llama3")
    const wrong = await run("config", "set", "provider.speaker.chain", '["elevenlab"]')
    assert.strictEqual(wrong.code, 2)
    assert.include(wrong.stderr, "provider.speaker.chain")
    assert.strictEqual(statSync(join(voxbus.home, "config.json")).mode & 0o777, 0o600)
    const { code, turn, stderr } = await ask(await speechFile(["What is the capital city of France?"]))
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(turn.transcript, HEARD)
    assert.strictEqual(turn.reply, ANSWER.join(" "))
    assert.strictEqual(await engineOf(turn.session, "text.transcribed"), "openai")
    assert.strictEqual(await engineOf(turn.session, "reply.ready"), "openwebui")
    assert.strictEqual(await engineOf(turn.session, "speech.synthesized"), "elevenlabs")
    const chat = openwebui.asked.findLast(({ path }) => path === "/api/chat/completions")
    assert.deepStrictEqual(chat?.json.files, [{ type: "collection", id: "docs" }])
    assert.strictEqual((await healthy("provider-openwebui", "ready")).status, "ready")
  })

  it("falls back while a provider is away, says so, and returns by itself", async () => {
    eleven.always({ status: 401, body: { detail: { status: "quota_exceeded", message: "You have no credits left." } } })
    for (let i = 0; i < 2; i++) {
      const { code, turn } = await ask("--text", "Hello?")
      assert.strictEqual(code, 0)
      assert.isUndefined(turn.problem)
      assert.strictEqual(await engineOf(turn.session, "speech.synthesized"), "piper-local")
    }
    const { detail } = await healthy("speaker", "degraded")
    assert.include(detail, "piper-local stands in for elevenlabs")
    assert.include(detail, "quota")
    await healthy("provider-elevenlabs", "degraded")
    eleven.always()
    await healthy("provider-elevenlabs", "ready")
    await sleep(1_200)
    const { turn } = await ask("--text", "Hello?")
    assert.strictEqual(await engineOf(turn.session, "speech.synthesized"), "elevenlabs")
    await healthy("speaker", "ready")
  })

  it("the model goes away in the middle of an answer: another goes on after its words", async () => {
    openwebui.next({ status: 200, body: { data: [{ id: "llama3" }] } })
    openwebui.always("cut")
    const { code, turn, stderr } = await ask("--text", "What is the capital of France?")
    openwebui.always()
    assert.strictEqual(code, 0, stderr)
    assert.match(turn.reply, /^The capital is Paris\./)
    await sleep(1_200)
  })

  it("speech recognition fails: says what is wrong, and that one can type", async () => {
    await set("provider.transcriber.chain", ["openai"])
    openai.always({ status: 429, headers: { "retry-after": "0" } })
    const { code, stderr } = await ask(await speechFile(["What is the capital city of France?"]))
    openai.always()
    assert.strictEqual(code, 6)
    assert.include(stderr, "provider.rate_limited")
    assert.include(stderr, "Too many requests")
    assert.include(stderr, "--text")
  })

  it("the model fails: shows what was understood, and what is wrong", async () => {
    await set("provider.reasoner.chain", ["openwebui"])
    openwebui.always({ status: 404, body: { detail: "Model not found" } })
    const { code, turn } = await ask(await speechFile(["What is the capital city of France?"]))
    openwebui.always()
    assert.strictEqual(code, 6)
    assert.strictEqual(turn.transcript, HEARD)
    assert.strictEqual(turn.reply, "")
    assert.deepInclude(turn.problem, { stage: "answer", code: "provider.model" })
  })

  it("the voice fails: shows the answer as text, which is not a failure", async () => {
    await set("provider.speaker.chain", ["elevenlabs"])
    eleven.always({ status: 402 })
    const { code, turn } = await ask("--text", "Hello?")
    eleven.always()
    assert.strictEqual(code, 0)
    assert.strictEqual(turn.reply, ANSWER.join(" "))
    assert.deepInclude(turn.problem, { stage: "speech", code: "speech.unavailable" })
    assert.include(turn.problem.message, "shown as text")
    assert.strictEqual(turn.audio, "")
  })

  it("the browser's voice: the sentence is there without audio, for the page to speak", async () => {
    await set("provider.speaker.chain", ["elevenlabs", "browser"])
    eleven.always("break")
    const { turn } = await ask("--text", "Hello?")
    eleven.always()
    assert.isUndefined(turn.problem)
    assert.strictEqual(await engineOf(turn.session, "speech.synthesized"), "browser")
  })

  it("silence is still silence, and nothing is sent for it", async () => {
    const sent = () => openai.asked.filter(({ path }) => path.includes("transcriptions")).length
    const before = sent()
    const { turn } = await ask(await silenceFile(2))
    assert.strictEqual(turn.rejected, "silence")
    assert.strictEqual(sent(), before)
  })

  it("finds a server on a port of this machine, offers it, and lists voices", async () => {
    const local = await providerServer()
    const { json } = await run("providers", "discover", "--port", new URL(local.url).port, "--json")
    await local.close()
    assert.isTrue(
      json[0].found.some((each: any) => each.kind === "ollama" && each.models.includes("llama3")),
      JSON.stringify(json[0])
    )
    const voices = (await run("providers", "voices", "--json")).json[0].voices
    assert.deepInclude(voices, { engine: "elevenlabs", id: "v1", name: "Rachel" })
  })

  it("wrote no key anywhere: logs, answers, home, events, arguments, foreign environments, crashes", async () => {
    const pid = voxbus.child.pid ?? 0
    const children = descendants(pid)
    for (const { pid: child, command } of children) {
      assert.notMatch(command, PLANTED)
      if (/nats-server/.test(command) || /ctranslate2_worker/.test(command))
        assert.notMatch(readFileSync(`/proc/${child}/environ`, "utf8"), PLANTED, command)
    }
    // A worker that crashes, and one that is told a wrong key.
    const speaker = children.find(({ command }) => command.endsWith("worker.ts speaker"))
    assert(speaker !== undefined)
    process.kill(speaker.pid, "SIGABRT")
    await setKey("elevenlabs", "planted-elevenlabs-0123456789wrong")
    await run("events", "--json")
    await healthy("speaker", "ready")
    const everything = [...printed, voxbus.log(), ...files(voxbus.home).map((path) => readFileSync(path, "latin1"))]
    for (const text of everything) {
      const found = PLANTED.exec(text)
      assert.isNull(found, found === null ? "" : text.slice(Math.max(0, found.index - 200), found.index + 60))
    }
    assert.isAbove(voxbus.log().length, 1_000)
  })
})

/** Every file below a folder. */
const files = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** Calls through the real program: formats, bad input, a killed transcriber, a second worker. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { wordErrorRate } from "../kernel/testkit/WordErrors.ts"
import { descendants, freshHome, MAIN, type Ran, type Running, startProgram } from "./support/program.ts"
import { convertedFile, silenceFile, speechFile, telephoneFile } from "./support/speech.ts"

const CALL = [
  "Good morning, this is the service desk. How can I help you?",
  "Hello. The printer on the second floor has stopped working since yesterday.",
  "Does it show an error message on the display?",
  "Yes, it says that the paper tray is empty, but we filled it this morning.",
  "Thank you. I will send a technician to your office before noon."
]
const TEXT = CALL.join(" ")

/** About four minutes: enough chunks for a kill to hit one in work and for two workers to share. */
const LONG = Array.from({ length: 12 }, () => CALL).flat()

let voxbus: Running
let call: string

beforeAll(async () => {
  call = await speechFile(CALL)
  voxbus = await startProgram()
}, 120_000)

afterAll(async () => {
  assert.strictEqual(await voxbus.stop(), 130, "SIGTERM ends it cleanly")
})

const transcribe = async (...args: ReadonlyArray<string>): Promise<Ran> => voxbus.run("transcribe", ...args, "--json")

describe("a call", () => {
  it("becomes a transcript with words, an output folder and a bundle that verifies", async () => {
    const { code, json, stderr } = await transcribe(call, "--ticket", "T-42", "--title", "Printer")
    assert.strictEqual(code, 0, stderr)
    const [result] = json
    assert.isAtMost(wordErrorRate(TEXT, result.text), 0.05, result.text)
    assert.strictEqual(result.language, "en")
    assert.strictEqual(result.coverage.ratio, 1)
    assert.strictEqual(result.title, "Printer")
    const words = result.segments.flatMap((segment: any) => segment.words)
    assert.isAbove(words.length, 40)
    let before = 0
    for (const word of words) {
      assert.isAtLeast(word.start, before)
      assert.isAtLeast(word.end, word.start)
      assert.isAtMost(word.end, result.durationSeconds)
      assert.isTrue(word.probability >= 0 && word.probability <= 1)
      before = word.start
    }
    assert.match(result.folder, /_T-42$/)
    const files = result.files.map((file: any) => file.name)
    assert.includeMembers(files, [
      "audio_raw.wav",
      "audio_16k.wav",
      "transcript.txt",
      "transcript.srt",
      "transcript.vtt",
      "transcript.json",
      `${basename(result.folder)}.vtb`
    ])
    assert.match(readFileSync(join(result.folder, "transcript.srt"), "utf8"), /^1\r?\n00:00:0\d,\d{3} --> 00:00:\d\d,\d{3}/)

    assert.strictEqual((await voxbus.run("verify", result.bundle, "--json")).json[0].ok, true)
    const bytes = readFileSync(result.bundle)
    const middle = Math.floor(bytes.length / 2)
    bytes[middle] = (bytes[middle] ?? 0) ^ 1
    const changed = join(voxbus.home, "changed.vtb")
    writeFileSync(changed, bytes)
    const verdict = await voxbus.run("verify", changed, "--json")
    assert.strictEqual(verdict.code, 1)
    assert.strictEqual(verdict.json[0].ok, false)
    assert.isNotEmpty(verdict.json[0].problems)
  })

  it("has the same words in every format", async () => {
    const files = await Promise.all([
      convertedFile(call, "webm", { container: "webm", encoder: "libopus", bitsPerSecond: 32_000 }),
      convertedFile(call, "mp3", { container: "mp3", encoder: "libmp3lame", bitsPerSecond: 64_000 }),
      convertedFile(call, "m4a", { container: "ipod", encoder: "aac", bitsPerSecond: 64_000 }),
      convertedFile(call, "flac", { container: "flac", encoder: "flac", bitsPerSecond: 0 }),
      convertedFile(call, "ogg", { container: "ogg", encoder: "libopus", bitsPerSecond: 64_000 }),
      telephoneFile(call)
    ])
    const { code, json, stderr } = await transcribe(...files)
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(json.length, files.length)
    for (const [index, result] of json.entries()) assert.isAtMost(wordErrorRate(TEXT, result.text), 0.05, `${files[index]}: ${result.text}`)
  })

  it("that cannot be read gets a clear error with a code, and the next file goes on", async () => {
    const write = (name: string, content: string | Buffer) => {
      const path = join(voxbus.home, name)
      writeFileSync(path, content)
      return path
    }
    const wav = readFileSync(call)
    const files = [
      write("empty.wav", ""),
      write("text.wav", "this is not audio\n".repeat(50)),
      write("noise.mp3", Buffer.from(Array.from({ length: 9_000 }, (_, i) => (i * 7919) % 256))),
      join(voxbus.home, "nothing-here.wav"),
      write("header-only.wav", wav.subarray(0, 44)),
      write("cut.wav", wav.subarray(0, Math.floor(wav.length / 3)))
    ]
    const { code, json, stderr } = await transcribe(...files)
    assert.notStrictEqual(code, 0)
    assert.deepStrictEqual(
      json.map((result) => result.error ?? "ok"),
      ["audio.empty", "audio.unreadable", "audio.unreadable", "input.missing", "audio.empty", "ok"],
      stderr
    )
    for (const result of json.slice(0, 5)) assert.isTrue(result.fix.length > 10 && result.message.length > 10)
    assert.strictEqual(json[5].truncated, true)
    assert.include(TEXT.toLowerCase(), json[5].text.toLowerCase().slice(0, 12), "what is left of a cut file is transcribed")
  })

  it("is transcribed by the other engine too, and a model that is not there is refused before any work", async () => {
    const { code, json, stderr } = await transcribe(call, "--engine", "whisper.cpp", "--model", "whisper-tiny.en")
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(json[0].engine, "whisper.cpp")
    assert.isAtMost(wordErrorRate(TEXT, json[0].text), 0.15, json[0].text)
    assert.isAbove(json[0].segments.flatMap((segment: any) => segment.words).length, 40)
    const missing = await transcribe(call, "--model", "no-such-model")
    assert.strictEqual(missing.code, 4)
    assert.include(missing.stderr, "model.missing")
  })

  it("without speech has an empty transcript with its reason, and a bundle", async () => {
    const { code, json, stderr } = await transcribe(await silenceFile(120))
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(json[0].text, "")
    assert.isString(json[0].emptyReason)
    assert.strictEqual(json[0].durationSeconds, 120)
    assert.strictEqual((await voxbus.run("verify", json[0].bundle, "--json")).json[0].ok, true)
  })

  it("survives kill -9 of the transcriber and of its engine in the middle of the work, with the same output", async () => {
    const long = await speechFile(LONG)
    const calm = await transcribe(long, "--model", "whisper-tiny.en")
    assert.strictEqual(calm.code, 0, calm.stderr)
    for (const victim of [/worker\.ts transcriber/, /ctranslate2_worker/]) {
      const work = transcribe(long, "--model", "whisper-tiny.en")
      // In the middle: after the first chunk of this session is on the log.
      await voxbusEvent("text.transcribed.>", (await eventCount("text.transcribed.>")) + 1)
      const target = descendants(voxbus.child.pid ?? 0).find(({ command }) => victim.test(command))
      assert.isDefined(target, `${victim} runs`)
      process.kill(target?.pid ?? 0, "SIGKILL")
      const { code, json, stderr } = await work
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(json[0].text, calm.json[0].text)
      assert.strictEqual(json[0].coverage.ratio, 1)
    }
  })

  it("is shared by a second transcriber", async () => {
    const long = await speechFile(LONG)
    const second = spawnWorker()
    try {
      await second.ready
      const { code, json, stderr } = await transcribe(long, "--model", "whisper-tiny.en")
      assert.strictEqual(code, 0, stderr)
      const chunks = (await voxbus.run("events", "--subject", `text.transcribed.call.${json[0].session}.*`, "--json")).json
      assert.isAbove(chunks.length, 4)
      assert.strictEqual(new Set(chunks.map((chunk) => chunk.subject)).size, chunks.length)
      assert.isAbove(second.handled(), 0, "the second worker did some of it")
      assert.isBelow(second.handled(), chunks.length, "and the first the rest")
    } finally {
      await second.stop()
    }
  })
})

describe("transcribe without a running instance", () => {
  it("starts what it needs, does the work and leaves nothing behind", async () => {
    const alone = freshHome()
    const { code, json, stderr } = await alone.run("transcribe", call, "--json", "--model", "whisper-tiny.en")
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(json[0].model, "whisper-tiny.en")
    assert.isAtMost(wordErrorRate(TEXT, json[0].text), 0.15, json[0].text)
    assert.isEmpty(descendants(1).filter(({ command }) => command.includes(alone.home)))
    alone.remove()
  })
})

const eventCount = async (subject: string) => (await voxbus.run("events", "--subject", subject, "--json")).json.length

/** Waits until this many events of a kind are on the log. */
const voxbusEvent = async (subject: string, count: number) => {
  for (let tries = 0; tries < 60; tries += 1) if ((await eventCount(subject)) >= count) return
  throw new Error(`no ${subject} came`)
}

/** `voxbus run transcriber` beside the instance, counting what it settles from its own log. */
const spawnWorker = () => {
  const child = spawn(process.execPath, [MAIN, "run", "transcriber"], {
    env: { ...voxbus.environment, VOXBUS_LOG_LEVEL: "debug" },
    stdio: ["pipe", "ignore", "pipe"]
  })
  let log = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text))
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setInterval(() => {
      if (/message=ready/.test(log)) {
        clearInterval(timer)
        resolve()
      }
    }, 50)
    child.once("close", () => reject(new Error(`the worker ended: ${log}`)))
  })
  return {
    ready,
    handled: () => log.split("\n").filter((line) => /message=handled/.test(line)).length,
    stop: () => {
      child.kill("SIGTERM")
      return ended
    }
  }
}

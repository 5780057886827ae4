/** The page in a real browser with a fake microphone: hold, speak, let go, read and hear the answer. */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Schedule from "effect/Schedule"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type BrowserContext, chromium, type Page } from "playwright-core"
import { framesSubject } from "../contract/Subjects.ts"
import { GatewayAddress } from "../gateway/index.ts"
import { HEARD, SENTENCES } from "../gateway/testkit/ScriptedActor.ts"
import { Bus } from "../kernel/Bus.ts"
import { scriptedGateway } from "./support/gateway.ts"
import { temporaryFolder } from "./support/server.ts"

const browser = [process.env["CHROMIUM_BIN"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path)
)

/** One second of a 300 Hz tone at 48 kHz; the browser plays it into the fake microphone over and over. */
const wav = () => {
  const pcm = Int16Array.from({ length: 48_000 }, (_, n) => 12_000 * Math.sin((2 * Math.PI * 300 * n) / 48_000))
  const file = Buffer.alloc(44 + pcm.byteLength)
  file.write("RIFF").valueOf()
  file.writeUInt32LE(36 + pcm.byteLength, 4)
  file.write("WAVEfmt ", 8)
  file.writeUInt32LE(16, 16)
  for (const [index, value] of [1, 1].entries()) file.writeUInt16LE(value, 20 + 2 * index)
  file.writeUInt32LE(48_000, 24)
  file.writeUInt32LE(96_000, 28)
  for (const [index, value] of [2, 16].entries()) file.writeUInt16LE(value, 32 + 2 * index)
  file.write("data", 36)
  file.writeUInt32LE(pcm.byteLength, 40)
  Buffer.from(pcm.buffer).copy(file, 44)
  return file
}

const open = Effect.gen(function* () {
  const { url, link } = yield* GatewayAddress
  const door = yield* link
  const folder = yield* temporaryFolder
  const microphone = join(folder, "microphone.wav")
  writeFileSync(microphone, wav())
  const context = yield* Effect.acquireRelease(
    Effect.promise((): Promise<BrowserContext> =>
      chromium.launchPersistentContext(join(folder, "profile"), {
        executablePath: browser ?? "",
        headless: true,
        permissions: ["microphone"],
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
          "--autoplay-policy=user-gesture-required",
          "--use-fake-device-for-media-capture",
          "--use-fake-device-for-media-stream",
          "--use-fake-ui-for-media-stream",
          `--use-file-for-fake-audio-capture=${microphone}`
        ]
      })
    ),
    (context) => Effect.promise(() => context.close())
  )
  const page = yield* Effect.promise(() => context.newPage())
  const complaints: Array<string> = []
  const requests: Array<string> = []
  // Nobody serves commands on this gateway: the page says so, and talks all the same.
  page.on("console", (message) => void (message.type() === "error" && !/503/.test(message.text()) && complaints.push(message.text())))
  page.on("pageerror", (error) => void complaints.push(error.message))
  page.on("request", (sent) => void requests.push(sent.url()))
  yield* Effect.promise(async () => {
    await page.goto(door)
    await page.waitForSelector("#talk:enabled")
  })
  return { page, complaints, requests, url }
})

const texts = (page: Page, selector: string) => Effect.promise(() => page.locator(selector).allTextContents())
const says = (page: Page, status: string) => Effect.promise(() => page.locator(".phase", { hasText: status }).waitFor({ timeout: 15_000 }))

/** Events of this kind of the newest conversation. */
const newest = (noun: string) =>
  Effect.flatMap(Bus, (bus) => bus.last("ASSISTANT", [`${noun}.assistant.>`])).pipe(
    Effect.repeat({ until: (found) => found.length > 0, schedule: Schedule.spaced("50 millis") }),
    Effect.timeout("10 seconds"),
    Effect.map((found) => JSON.parse(new TextDecoder().decode(found.at(-1)?.data)) as Record<string, unknown>)
  )

const title = browser === undefined ? "page in a browser (skipped: no Chromium here; install it or set CHROMIUM_BIN)" : "page in a browser"

describe.skipIf(browser === undefined)(title, () => {
  layer(scriptedGateway, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("talks: hold, let go, read and hear the answer", () =>
      Effect.gen(function* () {
        const { page, complaints, requests, url } = yield* open
        yield* Effect.promise(async () => {
          await page.locator("#talk").hover()
          await page.mouse.down()
        })
        yield* says(page, "Listening")
        yield* Effect.sleep("700 millis")
        const level = Number(yield* Effect.promise(() => page.getAttribute(".level", "aria-valuenow")))
        assert.isAbove(level, 20)
        yield* Effect.promise(() => page.mouse.up())
        yield* says(page, "Speaking")
        assert.deepStrictEqual(yield* texts(page, ".conversation .question"), [HEARD])
        yield* says(page, "Ready")
        assert.deepStrictEqual(yield* texts(page, ".conversation .answer"), [`${SENTENCES.join(" ")} `])

        // What was said is on the log, and it is the tone of the microphone.
        const captured = yield* newest("audio.captured")
        const bus = yield* Bus
        const frames = yield* Stream.runCollect(
          bus.read("FRAMES_ASSISTANT", { filters: [framesSubject("assistant", String(captured["session"]))] })
        )
        const pcm = Buffer.concat(frames.map(({ data }) => data))
        const samples = Array.from({ length: pcm.length / 2 }, (_, n) => pcm.readInt16LE(2 * n))
        assert.strictEqual(captured["samples"], samples.length)
        assert.isAbove(samples.length / Number(captured["sampleRate"]), 0.4)
        assert.isAbove(Math.max(...samples.map(Math.abs)), 1_000)
        // The whole answer was heard: 2 s and half a second.
        const heard = yield* newest("speech.heard")
        assert.deepStrictEqual([heard["samples"], heard["sentences"]], [Math.round(2.5 * 22_050), 2])

        assert.deepStrictEqual(complaints, [])
        assert.isTrue(requests.every((each) => each.startsWith(url) || each.startsWith(url.replace("http", "ws"))))
      })
    )

    it.effect("works with the keyboard alone, and Escape stops the answer", () =>
      Effect.gen(function* () {
        const { page, complaints } = yield* open
        yield* Effect.promise(() => page.keyboard.down(" "))
        yield* says(page, "Listening")
        yield* Effect.sleep("300 millis")
        yield* Effect.promise(() => page.keyboard.up(" "))
        yield* says(page, "Speaking")
        yield* Effect.sleep("300 millis")
        yield* Effect.promise(() => page.keyboard.press("Escape"))
        yield* says(page, "Ready")
        const interrupted = yield* newest("speech.interrupted")
        assert.isAbove(Number(interrupted["samples"]), 0)
        assert.isBelow(Number(interrupted["samples"]), 2 * 22_050)
        assert.strictEqual((yield* newest("turn.cancelled"))["reason"], "user")

        yield* Effect.promise(async () => {
          await page.keyboard.press("Tab")
          await page.locator("#question").fill("Is it   far?")
          await page.keyboard.press("Enter")
        })
        yield* says(page, "Speaking")
        assert.deepStrictEqual(yield* texts(page, ".conversation .question"), [HEARD, "Is it   far?"])
        assert.deepStrictEqual(complaints, [])
      })
    )

    it.effect("shows what went wrong and what to do", () =>
      Effect.gen(function* () {
        const { page } = yield* open
        yield* Effect.promise(async () => {
          await page.locator("#question").fill("broken")
          await page.keyboard.press("Enter")
          await page.locator(".conversation .problem").waitFor()
        })
        assert.match((yield* texts(page, ".conversation .problem")).join(), /There is no language model\..*voxbus doctor/)
        yield* says(page, "Ready")
      })
    )
  })
})

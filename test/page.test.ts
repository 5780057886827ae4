/** The page of the real program in a real browser: record a call over a reload, watch a transcriber die, axe, the keyboard. */
import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { BrowserContext, Page } from "playwright-core"
import { browser, launch, SHARED_TAB, SKIPPED, violations } from "./support/chromium.ts"
import { ATTENTIVE_ENGINES, descendants, type Running, startProgram } from "./support/program.ts"
import { speechFile } from "./support/speech.ts"

const SPOKEN = ["The printer on the second floor has stopped working since yesterday.", "It says that the paper tray is empty."]
const TITLE = "Printer on the second floor"

/** What a browser says of answers that are expected: no recorder on this machine, no words yet, a deleted call, a wrong value. */
const EXPECTED = [
  / 503 .*\/devices\/list$/,
  / (404|422) .*\/transcripts\/\w+$/,
  / 404 .*\/audio$/,
  / 404 .*\/sessions\/get$/,
  / 400 .*\/config\/set$/
]

let voxbus: Running
let folder: string
let context: BrowserContext
let page: Page
let call = ""
const complaints: Array<string> = []
/** Sessions that the page talked in. */
const conversations = new Set<string>()

const goTo = async (hash: string, ready: string) => {
  await page.evaluate((to) => void (location.hash = to), hash)
  await page.locator(ready).first().waitFor({ timeout: 20_000 })
}
const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true })
/** What the gateway answers, as the page sees it. */
const asked = (path: string): Promise<any> => page.evaluate(async (to) => (await fetch(`/api${to}`)).json(), path)
const says = (selector: string, text: string | RegExp) => page.locator(selector, { hasText: text }).first().waitFor({ timeout: 30_000 })

/** Samples of each channel of a 16-bit WAV, and its rate in hertz. */
const channelsOf = (wav: Buffer) => {
  const [count, rate, at] = [wav.readUInt16LE(22), wav.readUInt32LE(24), wav.indexOf("data") + 8]
  const frames = Math.floor((wav.length - at) / 2 / count)
  return Array.from({ length: count }, (_, channel) => ({
    rate,
    samples: Int16Array.from({ length: frames }, (_each, n) => wav.readInt16LE(at + (n * count + channel) * 2))
  }))
}

/** How much of a channel's energy is at a frequency, 0..1: mean over the pieces of 100 ms in which there is sound. */
const shareOfTone = ({ rate, samples }: { readonly rate: number; readonly samples: Int16Array }, hertz: number) => {
  const size = Math.round(rate / 10)
  const shares: Array<number> = []
  for (let from = 0; from + size <= samples.length; from += size) {
    const piece = samples.subarray(from, from + size)
    const sum = (wave: (angle: number) => number) =>
      piece.reduce((total, sample, n) => total + sample * wave((2 * Math.PI * hertz * n) / rate), 0)
    const energy = piece.reduce((total, sample) => total + sample * sample, 0)
    if (energy > size * 100) shares.push((2 * (sum(Math.cos) ** 2 + sum(Math.sin) ** 2)) / (size * energy))
  }
  return shares.length === 0 ? undefined : shares.reduce((total, share) => total + share, 0) / shares.length
}

describe.skipIf(browser === undefined)(browser === undefined ? `the whole page (${SKIPPED})` : "the whole page", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "voxbus-page-"))
    voxbus = await startProgram(ATTENTIVE_ENGINES)
    context = await launch(folder, await speechFile(SPOKEN))
    page = context.pages()[0] ?? (await context.newPage())
    page.on("console", (message) => {
      const text = `${message.text()} ${new URL(message.location().url, voxbus.gateway).pathname}`
      if (message.type() === "error" && !EXPECTED.some((each) => each.test(text))) complaints.push(text)
    })
    page.on("websocket", (socket) =>
      socket.on("framereceived", ({ payload }) => {
        const [, session] = /^\{"type":"ready","session":"(\w+)"/.exec(String(payload)) ?? []
        if (session !== undefined) conversations.add(session)
      })
    )
    page.on("pageerror", (error) => void complaints.push(error.message))
    await page.goto((await voxbus.run("open", "--json")).json[0].link)
  }, 120_000)

  afterAll(async () => {
    await context.close()
    await voxbus.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  // A page that does not show what a test waits for says nothing by itself.
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return
    const session = /calls\/([0-9A-Z]{26})/.exec(page.url())?.[1]
    console.error(page.url(), await page.locator("body").innerText())
    if (session === undefined) return
    for (const path of ["/recording/status", "/sessions/get", "/transcripts/get"])
      console.error(path, JSON.stringify(await asked(`${path}?session=${session}`)))
  })

  it("records the microphone, pauses, goes on after a reload, and has the call in words", async () => {
    await goTo("/calls", ".record-form")
    await page.getByLabel("Title").fill(TITLE)
    await page.getByLabel("Ticket").fill("T-42")
    await button(/Record/).click()
    await says(".phase", "Recording")
    await page.locator(".meter").and(page.locator(":not([aria-valuenow='0'])")).waitFor()
    await page.locator(".timer", { hasText: /0:(0[2-9]|[1-5])/ }).waitFor({ timeout: 15_000 })
    await button("Pause").click()
    await says(".phase", "Paused")
    await button("Go on").click()
    await says(".phase", "Recording")

    await page.reload()
    await page.locator(".meter").and(page.locator(":not([aria-valuenow='0'])")).waitFor({ timeout: 20_000 })
    await says(".phase", "Recording")
    await page.locator(".timer", { hasText: /0:(0[4-9]|[1-5])/ }).waitFor({ timeout: 15_000 })
    await button("Stop and transcribe").click()
    await page.getByRole("link", { name: "Open the call" }).click()
    await page.locator(".segment .word").first().waitFor({ timeout: 30_000 })
    assert.strictEqual(await page.locator("h1").textContent(), TITLE)
    call = page.url().split("/").at(-1) ?? ""
    assert.match(call, /^[0-9A-Z]{26}$/)
    // A click on a word plays from there, and marks it.
    const word = page.locator(".segment .word").first()
    await word.click()
    await page.locator(".segment .word.now").waitFor()
    const start = Number(await word.getAttribute("data-start"))
    assert.isAtLeast(await page.locator("audio").evaluate((audio: HTMLAudioElement) => audio.currentTime), start)
    assert.strictEqual((await asked(`/sessions/get?session=${call}`)).ticket, "T-42")
  })

  it("corrects what was said with the keyboard alone, and takes it back", async () => {
    await goTo(`/calls/${call}`, ".segment")
    await page
      .getByRole("button", { name: /^Edit what was said/ })
      .first()
      .focus()
    await page.keyboard.press("Enter")
    const field = page.getByLabel("Text", { exact: true })
    await field.waitFor()
    assert.isTrue(await field.evaluate((element) => element === document.activeElement), "the field has the focus")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("Corrected by hand")
    await page.keyboard.press("Enter")
    await says(".segment-text", "Corrected by hand")
    await button("Undo").and(page.locator(":enabled")).focus()
    await page.keyboard.press("Enter")
    await page.locator(".segment-text", { hasText: "Corrected by hand" }).waitFor({ state: "detached" })
    await button("Redo").click()
    await says(".segment-text", "Corrected by hand")

    await goTo("/calls", ".call-list")
    await page.getByRole("searchbox").fill("corrected")
    await says(".snippet mark", /corrected/i)
    await page.getByRole("searchbox").fill("")
  })

  it("takes a file, shows how far it is, and has it in the list", async () => {
    await goTo("/calls", ".import")
    await page
      .locator(".import input[type='file']")
      .first()
      .setInputFiles({ name: "support line.wav", mimeType: "audio/wav", buffer: readFileSync(await speechFile(SPOKEN)) })
    await page.locator(".call-list .call-title", { hasText: "support line" }).waitFor({ timeout: 30_000 })
    await page.locator(".queue").waitFor({ state: "detached", timeout: 30_000 })
  })

  it("does with a call what its buttons say: exports, verification, a summary, another version and what is different", async () => {
    await goTo(`/calls/${call}`, ".segment")
    await page.locator(".formats a").nth(10).waitFor()
    const links = await page.locator(".formats a").evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href))
    const sizes = await page.evaluate(
      (hrefs) =>
        Promise.all(
          hrefs.map(async (href) => {
            const answer = await fetch(href)
            return answer.ok && answer.headers.has("content-disposition") ? (await answer.arrayBuffer()).byteLength : 0
          })
        ),
      links
    )
    // Nine formats, the audio and the bundle.
    assert.isTrue(sizes.length === 11 && sizes.every((bytes) => bytes > 0), `${links.join(" ")}: ${sizes.join(" ")}`)
    await button("Verify the bundle").click()
    await says(".good", "Intact")
    assert.isAtMost(await page.evaluate(() => document.documentElement.scrollWidth), 1280, "the key of the seal has a line break")
    await button("Summarise").click()
    await button("Summarise again").waitFor()
    await page.getByLabel("Model", { exact: true }).selectOption({ index: 0 })
    await button("Transcribe again").click()
    await button(/^Compare with version/)
      .first()
      .click()
    await says(".difference", /\w/)
  })

  it("takes a folder that is dropped, with the recordings in it and nothing else", async () => {
    await goTo("/calls", ".drop")
    const dropped = join(folder, "calls")
    mkdirSync(join(dropped, "older"), { recursive: true })
    copyFileSync(await speechFile(SPOKEN), join(dropped, "older", "from a folder.wav"))
    writeFileSync(join(dropped, "notes.txt"), "Call them back.")
    const browserSide = await context.newCDPSession(page)
    const { x, y } = (await page.locator(".drop").boundingBox()) ?? { x: 0, y: 0 }
    for (const type of ["dragEnter", "dragOver", "drop"] as const)
      await browserSide.send("Input.dispatchDragEvent", {
        type,
        x: x + 20,
        y: y + 20,
        data: { items: [{ mimeType: "text/uri-list", data: "" }], files: [dropped], dragOperationsMask: 1 }
      })
    await page.locator(".call-list .call-title", { hasText: "from a folder" }).waitFor({ timeout: 30_000 })
    await page.locator(".queue").waitFor({ state: "detached", timeout: 30_000 })
    assert.strictEqual(await page.locator(".sending [role='alert']").count(), 0, "the notes were not sent")
  })

  it("deletes after asking, takes it back, and erases at the latest when the page is closed", async () => {
    const title = page.locator(".call-list .call-title", { hasText: "from a folder" })
    await title.click()
    await page.locator(".segment .word").first().waitFor({ timeout: 30_000 })
    const session = page.url().split("/").at(-1) ?? ""
    const dialog = page.getByRole("alertdialog")
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "")
    await button("Delete").focus()
    await page.keyboard.press("Enter")
    await dialog.waitFor()
    for (const name of ["Cancel", "Delete", "Cancel"]) {
      assert.strictEqual(await focused(), name, "the focus stays in the dialog, and begins where nothing is lost")
      await page.keyboard.press("Tab")
    }
    await page.keyboard.press("Escape")
    await dialog.waitFor({ state: "detached" })
    await page.waitForFunction(() => document.activeElement?.textContent === "Delete")

    await button("Delete").click()
    await dialog.getByRole("button", { name: "Delete" }).click()
    await page.locator(".notice").waitFor()
    assert.strictEqual(await title.count(), 0)
    assert.deepStrictEqual(await violations(page), [])
    await button("Undo").click()
    await title.click()
    await button("Delete").click()
    await dialog.getByRole("button", { name: "Delete" }).click()
    await page.locator(".notice").waitFor()
    assert.strictEqual((await asked(`/sessions/get?session=${session}`)).session, session, "nothing is erased yet")
    await page.reload()
    await page.locator(".call-list li").first().waitFor()
    await page.waitForFunction(async (id) => (await fetch(`/api/sessions/get?session=${id}`)).status === 404, session)
  })

  it("answers what is typed, and begins anew without what was said", async () => {
    await goTo("/talk", "#question:not(:disabled)")
    const ask = async (nth: number) => {
      await page.locator(".typed button:enabled").waitFor({ timeout: 20_000 })
      await page.locator("#question").fill("What is the capital of France?")
      await page.keyboard.press("Enter")
      await page.locator(".conversation .answer").nth(nth).waitFor({ timeout: 20_000 })
    }
    await ask(0)
    await ask(1)
    assert.strictEqual(conversations.size, 1)
    await button("New conversation").click()
    await page.locator(".conversation .question").first().waitFor({ state: "detached" })
    await ask(0)
    assert.strictEqual(await page.locator(".conversation .question").count(), 1)
    assert.strictEqual(conversations.size, 2, "for the gateway it is another conversation")
    await page.locator(".devices summary").click()
    await page.getByLabel("Microphone", { exact: true }).selectOption("Fake Audio Input 2")
    await page.reload()
    await page.locator(".devices summary").click()
    const microphone = page.getByLabel("Microphone", { exact: true })
    assert.strictEqual(await microphone.evaluate((list: HTMLSelectElement) => list.selectedOptions[0]?.text), "Fake Audio Input 2")
    await microphone.selectOption("")
  })

  it("can be reached by the keyboard: past the navigation, along it, into the part", async () => {
    await page.goto(voxbus.gateway)
    await page.locator(".talk").waitFor()
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "")
    await page.keyboard.press("Tab")
    assert.strictEqual(await focused(), "Skip to the content")
    await page.keyboard.press("Enter")
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), "content")
    await page.reload()
    await page.locator(".talk").waitFor()
    for (const name of ["Skip to the content", "Voxbus", "Talk", "Calls"]) {
      await page.keyboard.press("Tab")
      assert.strictEqual((await focused()).trim(), name)
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle)
      assert.strictEqual(outline, "solid", `${name} shows that it has the focus`)
    }
    await page.keyboard.press("Enter")
    await page.locator(".record-form").waitFor()
    assert.strictEqual(await page.title(), "Calls – Voxbus")
  })

  it("shows that a transcriber died and came back", async () => {
    await goTo("/bus", ".node[data-node='transcriber'][data-status='ready']")
    const child = descendants(voxbus.child.pid ?? 0).find(({ command }) => /\.ts .*\btranscriber\b/.test(command))
    assert.isDefined(child)
    process.kill(child?.pid ?? 0, "SIGKILL")
    await page.locator(".node[data-node='transcriber'] .restarts").waitFor({ timeout: 20_000 })
    await page.locator(".node[data-node='transcriber'][data-status='ready']").waitFor({ timeout: 30_000 })
    await says(".event-list", "health.changed")
  })

  it("saves a setting, says what is wrong with another, and speaks German", async () => {
    await goTo("/settings", "summary")
    await page.getByRole("searchbox").fill("undoSeconds")
    const field = page.getByLabel("recording.undoSeconds", { exact: true })
    await field.fill("45")
    await field.press("Enter")
    await says(".field", /Saved/)
    assert.strictEqual((await asked("/config/get?path=recording.undoSeconds")).value, 45)
    await field.fill("-1")
    await field.press("Enter")
    await says("[role='alert']", /undoSeconds/)
    await page.getByRole("searchbox").fill("")
    await page.getByLabel("Language", { exact: true }).selectOption("de")
    await says("h1", "Einstellungen")
    assert.strictEqual(await page.evaluate(() => document.documentElement.lang), "de")
    await page.getByLabel("Sprache", { exact: true }).selectOption("en")
  })

  it("has nothing that axe finds, on any part, light and dark, wide and narrow", async () => {
    const parts = [
      ["/talk", ".talk"],
      ["/calls", ".call-list li"],
      [`/calls/${call}`, ".segment"],
      ["/bus", ".event-list [role='row']"],
      [`/bus/${call}`, ".bar-row"],
      ["/settings", "summary"]
    ] as const
    const found: Array<string> = []
    for (const [colorScheme, width] of [
      ["light", 1280],
      ["dark", 390]
    ] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
      await page.setViewportSize({ width, height: 800 })
      // The new colours are there only when the page was drawn.
      await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
      for (const [hash, ready] of parts) {
        await goTo(hash, ready)
        // With a filter that fits all of them every group of settings is open.
        if (hash === "/settings") await page.getByRole("searchbox").fill(".")
        found.push(...(await violations(page)).map((each) => `${hash} ${colorScheme}: ${each}`))
        const wide = await page.evaluate(() => document.documentElement.scrollWidth)
        if (wide > width) found.push(`${hash} is ${wide} px wide in a window of ${width}`)
      }
    }
    assert.deepStrictEqual(found, [])
  })

  it("records both sides of a call: the microphone on one channel, what a tab plays on the other", async () => {
    const shares = await launch(join(folder, "shares"), await speechFile(SPOKEN), "en-GB", true)
    try {
      const recorder = shares.pages()[0] ?? (await shares.newPage())
      await recorder.goto((await voxbus.run("open", "--json")).json[0].link)
      const others = await shares.newPage()
      await others.setContent(
        `<title>${SHARED_TAB}</title><button onclick="
          const context = new AudioContext()
          const tone = new OscillatorNode(context, { frequency: 1000 })
          tone.connect(new GainNode(context, { gain: 0.3 })).connect(context.destination)
          tone.start()">Play</button>`
      )
      await others.locator("button").click()
      await recorder.bringToFront()
      await recorder.evaluate(() => void (location.hash = "/calls"))
      await recorder.getByLabel("What is recorded").selectOption({ label: "Microphone and a browser tab, one channel each" })
      await recorder.getByRole("button", { name: /Record/ }).click()
      await recorder.locator(".timer", { hasText: /0:(0[3-9]|[1-5])/ }).waitFor({ timeout: 30_000 })
      await recorder.getByRole("button", { name: "Stop and transcribe" }).click()
      await recorder.getByRole("link", { name: "Open the call" }).click()
      await recorder.locator(".formats a", { hasText: "Bundle" }).waitFor({ timeout: 30_000 })
      const recorded = await asked(`/sessions/get?session=${recorder.url().split("/").at(-1)}`)
      const [mine, theirs] = channelsOf(readFileSync(join(recorded.folder, "audio_raw.wav"))).map((channel) => shareOfTone(channel, 1_000))
      assert.isBelow(mine ?? 1, 0.1)
      assert.isAbove(theirs ?? 0, 0.7)
    } finally {
      await shares.close()
    }
  })

  it("complained about nothing in all that", () => {
    assert.deepStrictEqual(complaints, [])
  })
})

/** Settings of the real program in a real browser: keys, values that are taken and refused, models that are fetched. */
import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { BrowserContext, Page } from "playwright-core"
import { type ProviderServer, providerServer } from "../kernel/testkit/ProviderServer.ts"
import { browser, launch, SKIPPED } from "./support/chromium.ts"
import { ATTENTIVE_ENGINES, type Running, startProgram } from "./support/program.ts"
import { cache } from "./support/server.ts"
import { speechFile } from "./support/speech.ts"

const KEY = "sk-planted-in-the-page-0123456789"
const WRONG = "sk-planted-in-the-page-9876543210"
/** Made of `whisper-tiny.en`, which is there: fetching it needs no network. */
const MADE = "whisper-tiny.en-ggml"
/** Only to be had from another machine. */
const REMOTE = "whisper-base"

/** What a browser says of answers that are expected. */
const EXPECTED = [/ 503 .*\/devices\/list$/, / 400 .*\/config\/set$/, / 502 .*\/keys\/(set|test)$/]

let voxbus: Running
let provider: ProviderServer
let folder: string
let context: BrowserContext
let page: Page
const complaints: Array<string> = []
/** Bodies of what the gateway answered to the page. */
const answers: Array<string> = []

const goTo = async (hash: string, ready: string) => {
  await page.evaluate((to) => void (location.hash = to), hash)
  await page.locator(ready).first().waitFor({ timeout: 20_000 })
}
const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true })
const says = (selector: string, text: string | RegExp) => page.locator(selector, { hasText: text }).first().waitFor({ timeout: 30_000 })
const focusIsIn = (selector: string) => page.waitForFunction((to) => document.activeElement?.matches(`${to}, ${to} *`) === true, selector)
/** An element that keyboards reach is used by the keyboard. */
const press = async (name: string | RegExp, key = "Enter") => {
  await button(name).first().focus()
  await page.keyboard.press(key)
}
const reload = async () => {
  await page.reload()
  await page.locator("summary").first().waitFor({ timeout: 20_000 })
}

/** A cache of its own beside the one of the tests, without two models. */
const leanCache = (at: string) => {
  mkdirSync(join(at, "models"), { recursive: true })
  for (const name of readdirSync(join(cache, "models")))
    if (name !== MADE && name !== REMOTE && !name.startsWith(".")) symlinkSync(join(cache, "models", name), join(at, "models", name))
  return at
}

describe.skipIf(browser === undefined)(browser === undefined ? `settings in the page (${SKIPPED})` : "settings in the page", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "voxbus-settings-"))
    provider = await providerServer({ key: KEY })
    voxbus = await startProgram({
      ...ATTENTIVE_ENGINES,
      VOXBUS_CACHE: leanCache(join(folder, "cache")),
      VOXBUS_KEYRING: "off",
      VOXBUS_OFFLINE: "true",
      OPENAI_BASE_URL: `${provider.url}/v1`
    })
    context = await launch(folder, await speechFile(["Hello."]))
    page = context.pages()[0] ?? (await context.newPage())
    page.on("console", (message) => {
      const text = `${message.text()} ${new URL(message.location().url, voxbus.gateway).pathname}`
      if (message.type() === "error" && !EXPECTED.some((each) => each.test(text))) complaints.push(text)
    })
    page.on("pageerror", (error) => void complaints.push(error.message))
    page.on("response", async (response) => {
      if (response.headers()["content-type"]?.includes("json") === true) answers.push(await response.text().catch(() => ""))
    })
    await page.goto((await voxbus.run("open", "--json")).json[0].link)
    await goTo("/settings", "summary")
  }, 120_000)

  afterAll(async () => {
    await context.close()
    await voxbus.stop()
    await provider.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") console.error(page.url(), await page.locator("body").innerText())
  })

  it("keeps a key that the provider accepts, never shows it again, and removes it after asking", async () => {
    const entry = page.locator(".key", { hasText: "OpenAI" })
    const field = page.getByLabel(/^OpenAI:/)
    await field.fill(WRONG)
    await field.press("Enter")
    await entry.getByRole("alert").waitFor()
    assert.match(await entry.innerText(), /not set[^]*OpenAI[^]*key/i, "the refusal says whose key it is")
    await field.fill(KEY)
    await press("Save the key of OpenAI")
    await entry.getByText("Kept: the provider accepts it.").waitFor()
    await entry.getByText("set in the sealed file, ends in 6789").waitFor()
    assert.strictEqual(await field.inputValue(), "")

    await press("Test the key of OpenAI")
    await entry.getByText("The provider accepts it: 2 models.").waitFor()
    await focusIsIn("[aria-label='Test the key of OpenAI']")
    provider.always({ status: 401, body: { error: { message: "This key was revoked." } } })
    await press("Test the key of OpenAI")
    await entry.getByRole("alert").waitFor()
    assert.match(await entry.getByRole("alert").innerText(), /OpenAI/)
    provider.always()

    await reload()
    await entry.getByText("ends in 6789").waitFor()
    const kept = await page.evaluate(() =>
      [JSON.stringify({ ...localStorage, ...sessionStorage }), document.documentElement.outerHTML, document.cookie].join()
    )
    const fields = await page.locator("input").evaluateAll((all) => all.map((each) => (each as HTMLInputElement).value))
    for (const text of [kept, ...fields, ...answers, ...complaints]) assert.notInclude(text, "planted-in-the-page")

    await press("Remove OpenAI")
    await says("[role='alertdialog']", "Remove the key of OpenAI?")
    await page.keyboard.press("Enter")
    await page.locator("[role='alertdialog']").waitFor({ state: "detached" })
    await focusIsIn("[aria-label='Remove OpenAI']")
    await page.keyboard.press("Enter")
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove", exact: true }).click()
    await entry.getByText("Removed.").waitFor()
    await entry.getByText("not set").waitFor()
    await focusIsIn(".key input")
  })

  it("uses a setting at once and after a reload, and says beside the field why it takes no other", async () => {
    const find = page.getByRole("searchbox")
    const set = async (path: string, value: string) => {
      await find.fill(path)
      const field = page.getByLabel(path, { exact: true })
      await field.fill(value)
      await field.blur()
    }
    await set("provider.chat.url", `${provider.url}/v1`)
    await says(".field", "Saved. Used from now on.")
    await find.fill("")
    const state = page.locator(".providers li", { hasText: "chat" })
    provider.always({ status: 500 })
    await press("Test")
    await page.locator(".providers li[data-status='degraded'], .providers li[data-status='down']", { hasText: "chat" }).waitFor()
    assert.isAbove((await state.locator("p").innerText()).length, 10, "it says what is wrong")
    provider.always()

    await reload()
    await find.fill("provider.chat.url")
    const address = page.getByLabel("provider.chat.url", { exact: true })
    assert.strictEqual(await address.inputValue(), `${provider.url}/v1`)
    await set("provider.chat.url", "http:/no address")
    const reason = page.locator(".field [role='alert']")
    await reason.waitFor()
    assert.strictEqual(await address.getAttribute("aria-invalid"), "true")
    assert.include((await address.getAttribute("aria-describedby")) ?? "", (await reason.getAttribute("id")) ?? "nothing")
    await address.press("Escape")
    await reason.waitFor({ state: "detached" })
    assert.strictEqual(await address.inputValue(), `${provider.url}/v1`)
    await press(/^Back to the default: provider.chat.url/)
    await page.waitForFunction(() => document.querySelector<HTMLInputElement>(".field input")?.value === "")

    // A list of objects can be typed, shown and is refused in words.
    await set("reasoner.mcp", '{"name": "crm", ')
    await says(".field [role='alert']", "This is not JSON")
    await set("reasoner.mcp", '{"name": "crm", "url": "https://crm.example/mcp"}')
    await says(".field", /Saved/)
    await reload()
    await find.fill("reasoner.mcp")
    assert.include(await page.getByLabel("reasoner.mcp", { exact: true }).inputValue(), '"name":"crm"')
    await press(/^Back to the default: reasoner.mcp/)
    await page.waitForFunction(() => document.querySelector<HTMLTextAreaElement>(".field textarea")?.value === "")

    await find.fill("provider.openai.url")
    assert.isTrue(await page.getByLabel("provider.openai.url", { exact: true }).isDisabled())
    await says(".field", "Set by the environment variable OPENAI_BASE_URL")
    await find.fill("")
  })

  it("fetches a model while it shows how far it is, and says of another why not and what to do", async () => {
    const entry = page.locator(".model", { has: page.getByText(MADE, { exact: true }) })
    // Whether the page happens to ask in the middle depends on the machine: the first answer that tells of it says half.
    let halves = 0
    await page.route("**/api/models/list", async (route) => {
      const response = await route.fetch()
      const body = await response.json()
      const model = body.models.find((each: any) => each.name === MADE)
      if (model.fetching !== undefined && halves++ === 0) model.fetching = { step: "half", received: model.bytes / 2, total: model.bytes }
      await route.fulfill({ response, json: body })
    })
    await press(`Fetch ${MADE}`)
    await entry.locator("[role='progressbar'][aria-valuenow='50']").waitFor()
    await entry.getByText("installed").waitFor({ timeout: 60_000 })
    await page.unroute("**/api/models/list")
    await press(`Remove ${MADE}`)
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove", exact: true }).click()
    await button(`Fetch ${MADE}`).waitFor()

    const other = page.locator(".model", { has: page.getByText(REMOTE, { exact: true }) })
    await press(`Fetch ${REMOTE}`)
    await other.getByRole("alert").waitFor({ timeout: 30_000 })
    assert.match(await other.getByRole("alert").innerText(), /offline[^]*Run it once without --offline, or fetch it from a copy/)
  })

  it("complained about nothing in all that", () => {
    assert.deepStrictEqual(complaints, [])
  })
})

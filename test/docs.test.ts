/** `/docs/api` and `/docs/events` of a real gateway: for whoever may read, whole under the strict policy, and accessible. */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { chromium, type Page } from "playwright-core"
import { GatewayAddress } from "../gateway/index.ts"
import { scriptedGateway } from "./support/gateway.ts"

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
const browser = [process.env["CHROMIUM_BIN"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path)
)
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

/** What is wrong with a page for the reader: all rules in the light theme, contrast in the dark one. */
const looksAt = async (page: Page, url: string) => {
  const complaints: Array<string> = []
  const foreign: Array<string> = []
  page.on("console", (message) => void (message.type() === "error" && complaints.push(message.text())))
  page.on("request", (sent) => void (sent.url().startsWith(new URL(url).origin) || foreign.push(sent.url())))
  await page.goto(url)
  const width = await page.evaluate(() => document.documentElement.scrollWidth)
  const styled = await page.evaluate(() => getComputedStyle(document.querySelector("table") ?? document.body).borderCollapse)
  // All sections are made alike: the first ones stand for the rest, which would take axe a minute.
  await page.evaluate(() => document.querySelectorAll("section:nth-of-type(n + 4)").forEach((each) => each.remove()))
  // Evaluated by the debugger: the policy of the page would not let a script in.
  await page.evaluate(AXE)
  const violations = (type: "tag" | "rule", values: ReadonlyArray<string>) =>
    page.evaluate(
      async (runOnly): Promise<ReadonlyArray<string>> => {
        const { axe } = globalThis as unknown as { axe: { run: (options: object) => Promise<{ violations: Array<{ id: string }> }> } }
        return (await axe.run({ runOnly })).violations.map(({ id }) => id)
      },
      { type, values }
    )
  const light = await violations("tag", RULES)
  await page.emulateMedia({ colorScheme: "dark" })
  const dark = await violations("rule", ["color-contrast"])
  return { complaints, foreign, width, styled, light, dark }
}

describe("the pages of the contract", () => {
  layer(scriptedGateway, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("are for whoever may read, with a policy that lets no script in", () =>
      Effect.gen(function* () {
        const { url, token } = yield* GatewayAddress
        const ask = (path: string, headers: Record<string, string>) => Effect.promise(() => fetch(`${url}${path}`, { headers }))
        for (const path of ["/docs/api", "/docs/events", "/api/asyncapi.json"]) {
          assert.strictEqual((yield* ask(path, {})).status, 401)
          const answer = yield* ask(path, { authorization: `Bearer ${token}` })
          assert.strictEqual(answer.status, 200)
          assert.notInclude(answer.headers.get("content-security-policy") ?? "unsafe", "unsafe")
        }
        const document = (yield* Effect.promise(async () =>
          (await ask("/api/asyncapi.json", { authorization: `Bearer ${token}` }).pipe(Effect.runPromise)).json()
        )) as { readonly components: { readonly messages: Record<string, { readonly payload: { readonly $ref: string } }> } }
        const reference = document.components.messages["TextTranscribed"]?.payload.$ref ?? ""
        const schema = yield* ask(new URL(reference, "http://x/api/").pathname, { authorization: `Bearer ${token}` })
        assert.strictEqual(schema.status, 200)
      })
    )

    it.effect.skipIf(browser === undefined)("axe finds nothing, in both themes and on a telephone", () =>
      Effect.gen(function* () {
        const { url, token } = yield* GatewayAddress
        const chrome = yield* Effect.acquireRelease(
          Effect.promise(() => chromium.launch({ executablePath: browser ?? "", args: ["--no-sandbox", "--disable-gpu"] })),
          (each) => Effect.promise(() => each.close())
        )
        for (const path of ["/docs/api", "/docs/events"]) {
          const { width, styled, ...found } = yield* Effect.promise(async () => {
            const headers = { authorization: `Bearer ${token}` }
            const page = await chrome.newPage({ colorScheme: "light", extraHTTPHeaders: headers, viewport: { width: 390, height: 800 } })
            return looksAt(page, `${url}${path}`)
          })
          assert.deepStrictEqual(found, { complaints: [], foreign: [], light: [], dark: [] }, path)
          assert.isAtMost(width, 390)
          assert.strictEqual(styled, "collapse")
        }
      })
    )
  })
})

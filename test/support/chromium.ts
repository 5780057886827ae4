/** A real browser with a fake microphone that plays a WAV over and over. */
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { type BrowserContext, chromium, type Page } from "playwright-core"

export const browser = [process.env["CHROMIUM_BIN"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path)
)

export const SKIPPED = "skipped: no Chromium here; install it or set CHROMIUM_BIN"

/** A tab with this title is what a browser that `sharesTab` shares when a page asks for one. */
export const SHARED_TAB = "What the others say"

/**
 * @param folder for the profile; the caller removes it
 * @param sharesTab tabs have their real sound; the browser's fake answers give the microphone's for it
 */
export const launch = (folder: string, microphone: string, locale = "en-GB", sharesTab = false): Promise<BrowserContext> =>
  chromium.launchPersistentContext(join(folder, "profile"), {
    executablePath: browser ?? "",
    headless: true,
    // A muted browser has silence in its tabs.
    ...(sharesTab ? { ignoreDefaultArgs: ["--mute-audio"] } : {}),
    locale,
    permissions: ["microphone"],
    viewport: { width: 1280, height: 800 },
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-fake-device-for-media-stream",
      sharesTab ? `--auto-select-tab-capture-source-by-title=${SHARED_TAB}` : "--use-fake-ui-for-media-stream",
      `--use-file-for-fake-audio-capture=${microphone}`
    ]
  })

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

interface Violation {
  readonly id: string
  readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary: string }>
}

/** What axe finds against WCAG 2.2 A and AA, one line for each place. */
export const violations = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(AXE)
  const found = (await page.evaluate(
    `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }).then((result) => result.violations)`
  )) as ReadonlyArray<Violation>
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)}: ${failureSummary}`))
}

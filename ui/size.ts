/**
 * How much a browser loads before it can show each part of the page, gzip: the entry, what it imports, the part and its
 * styles. `npm run ui:size` after `npm run ui:build`; fails above the limit. The waveform is loaded when a call is opened.
 */
import { readdirSync, readFileSync } from "node:fs"
import { gzipSync } from "node:zlib"

/** Bytes. */
const LIMIT = 300_000
const PARTS = ["Talk", "Calls", "Bus", "Settings"] as const

const folder = new URL("dist/assets/", import.meta.url)
const files = readdirSync(folder)
const text = (name: string) => readFileSync(new URL(name, folder), "utf8")
const named = (stem: string, ending: string) => files.filter((name) => name.startsWith(`${stem}-`) && name.endsWith(ending))

/** The files that a script needs before it runs. */
const imports = (name: string): ReadonlyArray<string> =>
  [...text(name).matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)].flatMap(([, found]) => (found === undefined ? [] : [found]))

const closure = (names: ReadonlyArray<string>, seen: Set<string> = new Set()): ReadonlySet<string> => {
  for (const name of names)
    if (!seen.has(name)) {
      seen.add(name)
      closure(imports(name), seen)
    }
  return seen
}

const bytes = (names: Iterable<string>) => [...names].reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, folder))).length, 0)

const sizes = PARTS.map((part) => {
  const scripts = closure([...named("index", ".js"), ...named(part, ".js")])
  const styles = [...named("index", ".css"), ...named(part, ".css")]
  return { part: part.toLowerCase(), scripts: bytes(scripts), styles: bytes(styles) }
})
const waveform = bytes(named("Waveform", ".js"))

for (const { part, scripts, styles } of sizes)
  console.log(
    `${part.padEnd(9)} ${((scripts + styles) / 1000).toFixed(1).padStart(6)} kB gzip (scripts ${(scripts / 1000).toFixed(1)}, styles ${(styles / 1000).toFixed(1)})`
  )
console.log(`waveform  ${(waveform / 1000).toFixed(1).padStart(6)} kB gzip, with a call's page only`)

const largest = Math.max(...sizes.map(({ scripts, styles }) => scripts + styles))
if (largest > LIMIT) {
  console.error(`The first load takes ${(largest / 1000).toFixed(1)} kB; at most ${LIMIT / 1000} kB are wanted.`)
  process.exitCode = 1
}

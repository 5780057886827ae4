/** The image holds all code that it runs: a folder that is imported and not copied would be missed at the first start. */
import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { dirname, relative, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = fileURLToPath(new URL("..", import.meta.url))
const topOf = (path: string) => relative(ROOT, path).split(sep)[0] ?? ""

describe("the Dockerfile", () => {
  const [, image = ""] = readFileSync(resolve(ROOT, "Dockerfile"), "utf8").split(/^FROM .*$(?![\s\S]*^FROM )/m)
  const copied = [...image.matchAll(/^COPY (\w+) \.\/\1$/gm)].flatMap(([, folder]) => (folder === undefined ? [] : [folder]))

  it("copies every folder that its code imports", () => {
    assert.includeMembers(copied, ["launcher", "kernel", "contract"])
    const missing = new Set<string>()
    for (const folder of copied)
      for (const file of globSync(`${folder}/**/*.ts`, { cwd: ROOT })) {
        if (file.endsWith(".test.ts")) continue
        const text = readFileSync(resolve(ROOT, file), "utf8")
        for (const [, path = ""] of text.matchAll(/(?:from|import\()\s*"(\.\.?\/[^"]+)"/g)) {
          const top = topOf(resolve(ROOT, dirname(file), path))
          if (!copied.includes(top)) missing.add(`${file} imports ${top}`)
        }
      }
    assert.deepStrictEqual([...missing], [])
  })
})

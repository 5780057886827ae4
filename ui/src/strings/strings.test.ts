/** Both languages have the same words to say, and the settings of the program have their meaning in both. */
import { assert, describe, it } from "@effect/vitest"
import { settingFields } from "../../../kernel/SettingFields.ts"
import { de } from "./de.ts"
import { en } from "./en.ts"

const paths = (tree: unknown, at = ""): ReadonlyArray<string> =>
  typeof tree === "object" && tree !== null ? Object.entries(tree).flatMap(([key, value]) => paths(value, `${at}/${key}`)) : [at]

const texts = (tree: unknown): ReadonlyArray<string> =>
  typeof tree === "string" ? [tree] : typeof tree === "object" && tree !== null ? Object.values(tree).flatMap(texts) : []

describe("the words of the page", () => {
  it("are the same in both languages, none empty", () => {
    assert.deepStrictEqual(paths(de).toSorted(), paths(en).toSorted())
    for (const text of [...texts(en), ...texts(de)]) assert.notStrictEqual(text.trim(), "")
  })

  it("are translated", () => {
    const english = new Set(texts(en.calls))
    const same = texts(de.calls).filter((text) => english.has(text))
    assert.isBelow(same.length, 8, same.join(", "))
  })

  it("explain the settings", () => {
    // A setting without words is shown by its path alone; a few may be newer than their words.
    const missing = settingFields.map(({ path }) => path).filter((path) => en.settings.means[path] === undefined)
    assert.isAtMost(missing.length, 8, `without words in ui/src/strings/*.settings.ts: ${missing.join(", ")}`)
  })
})

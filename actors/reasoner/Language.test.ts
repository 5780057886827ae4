import { assert, describe, it } from "@effect/vitest"
import type { EventOf } from "../../contract/Events.ts"
import { languageOf, promptIn } from "./Language.ts"

const heard = (language: string, languageProbability: number, engine = "ctranslate2") =>
  ({ language, languageProbability, engine }) as EventOf<"text.transcribed">

describe("the language of a question", () => {
  it("steers the prompt when it is sure and not English", () => {
    assert.strictEqual(languageOf(heard("de", 0.97)), "de")
    for (const [language, probability] of [
      ["en", 0.99],
      ["de", 0.4],
      ["auto", 1]
    ] as const)
      assert.isUndefined(languageOf(heard(language, probability)))
    assert.isUndefined(languageOf(heard("de", 1, "typed")))
    assert.strictEqual(promptIn("Be short.", "de"), "Be short. Answer in German.")
    assert.strictEqual(promptIn("", "pt"), "Answer in Portuguese.")
    assert.strictEqual(promptIn("Be short.", undefined), "Be short.")
  })
})

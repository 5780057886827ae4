import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { talkOf } from "./Chat.ts"

const user = (content: string) => ({ role: "user", content })
const assistant = (content: string) => ({ role: "assistant", content })

describe("messages of a client", () => {
  it.effect("become turns: questions with their answers, and the one to answer", () =>
    Effect.gen(function* () {
      const talk = yield* talkOf([
        { role: "system", content: "Be brief." },
        assistant("Hello."),
        user("One?"),
        user("Or two?"),
        assistant("Two."),
        assistant("Really."),
        { role: "developer", content: "Be kind." },
        {
          role: "user",
          content: [
            { type: "text", text: "And " },
            { type: "text", text: "three?" }
          ]
        }
      ])
      assert.deepStrictEqual(talk, {
        system: "Be brief.\n\nBe kind.",
        history: [
          { question: "", answer: "Hello." },
          { question: "One?", answer: "" },
          { question: "Or two?", answer: "Two.\nReally." }
        ],
        question: "And three?"
      })
    })
  )

  it.effect("of which only the newest hundred exchanges count", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 150 }, (_, n) => [user(`${n}`), assistant("yes")]).flat()
      const { history } = yield* talkOf([...many, user("now")])
      assert.strictEqual(history.length, 100)
      assert.strictEqual(history[0]?.question, "50")
    })
  )

  it.effect("are refused where they cannot be taken", () =>
    Effect.gen(function* () {
      const bad = [
        [],
        [{ role: "system", content: "x" }],
        [user("x"), assistant("y")],
        [user(" ")],
        [user("x"), { role: "tool", content: "y" }, user("z")],
        [{ role: "narrator", content: "x" }],
        [{ role: "user", content: [{ type: "image_url" }] }]
      ]
      for (const messages of bad) assert.strictEqual((yield* Effect.flip(talkOf(messages))).param, "messages")
    })
  )
})

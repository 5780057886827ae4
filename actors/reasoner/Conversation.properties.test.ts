/** What the model is sent, for any past: nothing that was not heard, in a form that every model takes. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { runsOf } from "../../kernel/testkit/Properties.ts"
import { type ConversationEvent, messages } from "./Conversation.ts"

const event = (_tag: ConversationEvent["_tag"], more: object) => ({ _tag, ...more }) as unknown as ConversationEvent

/** One turn: what was asked, how many sentences were made, how it ended. */
const turn = fc.record({
  sentences: fc.integer({ min: 1, max: 3 }),
  end: fc.constantFrom("heard", "interrupted", "cancelled", "text only"),
  /** Of the sentences, in percent. */
  played: fc.nat({ max: 100 })
})
type Turn = { readonly sentences: number; readonly end: string; readonly played: number }
const SAMPLES = 1_000

const eventsOf = ({ sentences, end, played }: Turn, unit: number): ReadonlyArray<ConversationEvent> => {
  const each = Array.from({ length: sentences }, (_, index) => index + 1)
  const text = (sentence: number) => `reply${unit}.${sentence}a reply${unit}.${sentence}b`
  const samples = end === "heard" ? sentences * SAMPLES : Math.floor((sentences * SAMPLES * played) / 100)
  const report = { unit, generation: 0, samples, sentences: Math.floor(samples / SAMPLES) }
  return [
    event("text.transcribed", { unit, text: `question${unit}` }),
    ...each.map((sentence) => event("reply.drafted", { unit, sentence, text: text(sentence), generation: 0 })),
    ...each.map((sentence) => event("speech.synthesized", { unit, sentence, samples: SAMPLES })),
    event("reply.ready", { unit, text: each.map(text).join(" "), sentences, generation: 0 }),
    ...(end === "heard" ? [event("speech.heard", report)] : []),
    ...(end === "interrupted" ? [event("speech.interrupted", report)] : []),
    ...(end === "cancelled" ? [event("turn.cancelled", { unit, generation: 0 })] : [])
  ]
}

describe("what the model is sent", () => {
  it("is system, then user and assistant in turn, with the question last and nothing unheard", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(
        fc.array(turn, { maxLength: 6 }),
        fc.nat({ max: 7 }),
        fc.boolean(),
        fc.infiniteStream(fc.nat()),
        (turns: ReadonlyArray<Turn>, exchanges, prompted, order) => {
          const past = turns.flatMap((each, index) => eventsOf(each, index + 1))
          const options = { unit: turns.length + 1, question: "now?", systemPrompt: prompted ? "Be brief." : "", exchanges }
          const sent = messages(past, options)
          const roles = sent.map(({ role }) => role)
          assert.deepStrictEqual(roles[0], prompted ? "system" : "user")
          assert.isFalse(roles.slice(1).includes("system"))
          for (const [index, role] of roles.entries()) assert.notStrictEqual(role, roles[index + 1])
          assert.strictEqual(roles.at(-1), "user")
          assert.match(sent.at(-1)?.content ?? "", /now\?$/)
          const all = sent.map(({ content }) => content).join("\n")
          for (const [index, { end, sentences, played }] of turns.entries()) {
            const unit = index + 1
            const shown = unit > turns.length - exchanges
            const words = all.split(/\s+/).filter((word) => word.startsWith(`reply${unit}.`)).length
            const made = sentences * 2
            const heard = end === "cancelled" ? 0 : end === "interrupted" ? Math.floor((made * played) / 100) : made
            assert.strictEqual(all.includes(`question${unit}`), shown)
            assert.isAtMost(words, shown ? heard : 0, `${end} ${played} %`)
            if (shown && (end === "heard" || end === "text only")) assert.strictEqual(words, made)
          }
          const keys = past.map(() => order.next().value ?? 0)
          const shuffled = past.map((each, index) => ({ each, key: keys[index] ?? 0 })).toSorted((a, b) => a.key - b.key)
          assert.deepStrictEqual(
            messages(
              shuffled.map(({ each }) => each),
              options
            ),
            sent,
            "whatever order the log has them in"
          )
        }
      ),
      { numRuns: runsOf(500) }
    )
  })
})

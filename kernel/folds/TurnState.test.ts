import { assert, describe, it } from "@effect/vitest"
import { Event } from "../../contract/Events.ts"
import { AFTER, initial, STAGES, step, type TurnState, turnState } from "./TurnState.ts"

/** Only what the fold looks at. */
const event = (_tag: Event["_tag"], more: object = {}) => ({ _tag, ...more }) as unknown as Event
const TAGS = Event.members.map((member) => member.fields._tag.schema.literal)

const FAILURE = { actor: "reasoner", code: "provider.auth", message: "key" } as const
/** Every state that a turn can be in. */
const STATES: ReadonlyArray<TurnState> = [
  initial,
  { ...initial, stage: "IDLE", unit: 2, over: true },
  { ...initial, stage: "LISTENING" },
  { ...initial, stage: "LISTENING", unit: 2 },
  { ...initial, stage: "TRANSCRIBING", unit: 2 },
  { ...initial, stage: "THINKING", unit: 2 },
  { ...initial, stage: "SPEAKING", unit: 2, spoken: 1 },
  { ...initial, stage: "ERROR", unit: 2, problem: FAILURE }
]

/** What an event of turn 2 must lead to; `undefined`: it changes nothing. */
const expected = (state: TurnState, tag: Event["_tag"]): string | undefined => {
  if (tag === "job.failed") return "ERROR"
  if (tag === "session.opened") return state.unit === 0 ? "LISTENING" : undefined
  if (tag === "session.closed") return state.stage === "LISTENING" ? "IDLE" : undefined
  if (state.over || !(tag in AFTER)) return undefined
  if (tag === "text.partial" && ["TRANSCRIBING", "THINKING", "SPEAKING"].includes(state.stage)) return undefined
  return AFTER[tag as keyof typeof AFTER]
}

const TURN: ReadonlyArray<readonly [Event, string]> = [
  [event("session.opened"), "LISTENING"],
  [event("text.partial", { unit: 1 }), "LISTENING"],
  [event("audio.captured", { unit: 1 }), "TRANSCRIBING"],
  [event("text.transcribed", { unit: 1 }), "THINKING"],
  [event("tool.called", { unit: 1 }), "THINKING"],
  [event("tool.finished", { unit: 1 }), "THINKING"],
  [event("reply.drafted", { unit: 1 }), "SPEAKING"],
  [event("speech.synthesized", { unit: 1, sentence: 1 }), "SPEAKING"],
  [event("reply.ready", { unit: 1, sentences: 1 }), "SPEAKING"],
  [event("speech.heard", { unit: 1 }), "IDLE"],
  [event("audio.captured", { unit: 2 }), "TRANSCRIBING"],
  [event("text.rejected", { unit: 2 }), "IDLE"],
  [event("text.transcribed", { unit: 3 }), "THINKING"],
  [event("error.raised", { unit: 3, ...FAILURE }), "ERROR"],
  // A retry of the dead letter.
  [event("reply.drafted", { unit: 3 }), "SPEAKING"],
  [event("turn.cancelled", { unit: 3 }), "IDLE"],
  [event("speech.synthesized", { unit: 3, sentence: 1 }), "IDLE"],
  [event("reply.ready", { unit: 3, sentences: 1 }), "IDLE"]
]

describe("TurnState", () => {
  it("knows what every event does in every state", () => {
    const reached = new Set<string>()
    for (const state of STATES) {
      for (const tag of TAGS) {
        const after = step(state, event(tag, { unit: 2, sentences: 2, sentence: 1, ...FAILURE }))
        assert.strictEqual(
          after.stage,
          expected(state, tag) ?? state.stage,
          `${state.stage} (turn ${state.unit}, over ${state.over}): ${tag}`
        )
        assert.strictEqual(after.problem !== undefined, after.stage === "ERROR", `${state.stage}: ${tag}`)
        reached.add(after.stage)
      }
    }
    assert.sameMembers([...reached], [...STAGES])
  })

  it("follows a conversation through every event", () => {
    for (const [index, [last, stage]] of TURN.entries())
      assert.strictEqual(turnState(TURN.slice(0, index + 1).map(([each]) => each)).stage, stage, `${index}: ${last._tag}`)
  })

  it("goes no further than the session wants", () => {
    const until = (wanted: string) => ({ unit: 1, config: { until: wanted } })
    assert.strictEqual(turnState([event("text.transcribed", until("text"))]).stage, "IDLE")
    const written = [event("text.transcribed", until("reply")), event("reply.drafted", until("reply"))]
    assert.strictEqual(turnState(written).stage, "SPEAKING")
    assert.strictEqual(turnState([...written, event("reply.ready", { unit: 1, sentences: 1 })]).stage, "IDLE")
  })

  it("takes no notice of an older turn, and begins anew with a later one", () => {
    const speaking = turnState([event("text.transcribed", { unit: 3 }), event("reply.drafted", { unit: 3 })])
    for (const tag of TAGS.filter((tag) => tag in AFTER))
      assert.deepStrictEqual(step(speaking, event(tag, { unit: 2, ...FAILURE })), speaking, tag)
    assert.deepStrictEqual(step({ ...speaking, over: true, sentences: 1 }, event("audio.captured", { unit: 4 })), {
      ...initial,
      unit: 4,
      stage: "TRANSCRIBING"
    })
  })

  it("an answer that nobody plays is over when it is whole and spoken, in any order", () => {
    const asked = [
      event("session.opened"),
      event("audio.captured", { unit: 1 }),
      event("session.closed"),
      event("text.transcribed", { unit: 1 })
    ]
    const ready = event("reply.ready", { unit: 1, sentences: 2 })
    const spoken = [1, 2].map((sentence) => event("speech.synthesized", { unit: 1, sentence }))
    assert.strictEqual(turnState([...asked, ready]).stage, "SPEAKING")
    assert.strictEqual(turnState([...asked, ready, ...spoken]).stage, "IDLE")
    assert.strictEqual(turnState([...asked, ...spoken, ready]).stage, "IDLE")
    assert.strictEqual(turnState([event("text.transcribed", { unit: 1 }), event("reply.ready", { unit: 1, sentences: 0 })]).stage, "IDLE")
  })
})

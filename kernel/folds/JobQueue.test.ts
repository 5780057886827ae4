import { assert, describe, it } from "@effect/vitest"
import type { EventOf } from "../../contract/Events.ts"
import { defaultSessionConfig } from "../../contract/Session.ts"
import type { Logged } from "../Actor.ts"
import { advance, emptyQueue, type JobQueue, orderBefore, type QueueTag, running, startable, waiting } from "./JobQueue.ts"

type QueueEvent = EventOf<QueueTag>
const id = (name: string) => name.padEnd(26, "0")
const base = (name: string) => ({ v: 1, mode: "call", session: id(name) }) as const
const queued = (name: string, priority?: number): QueueEvent => ({
  _tag: "job.queued",
  ...base(name),
  kind: "import",
  title: name,
  config: defaultSessionConfig,
  ...(priority === undefined ? {} : { priority })
})
const arranged = (name: string, revision: number, priority: number, order: number, held = false): QueueEvent => ({
  _tag: "job.arranged",
  ...base(name),
  revision,
  priority,
  order,
  held
})
const plain = (_tag: "job.started" | "job.cancelled", name: string): QueueEvent => ({ _tag, ...base(name) })
const failed = (name: string): QueueEvent => ({ _tag: "job.failed", ...base(name), code: "audio.unreadable", message: "no" })
const ready = (name: string): QueueEvent => ({
  _tag: "bundle.ready",
  ...base(name),
  version: 1,
  folder: "/",
  bundle: "x.vtb",
  files: [],
  seal: { head: "0".repeat(64), events: 1, publicKey: "", signature: "" }
})

const logOf = (events: ReadonlyArray<QueueEvent>): ReadonlyArray<Logged<QueueEvent>> =>
  events.map((event, index) => ({
    event,
    subject: "",
    stream: "CALLS",
    sequence: index + 1,
    time: 1000 * (index + 1),
    actor: "",
    cause: ""
  }))
const fold = (...events: ReadonlyArray<QueueEvent>): JobQueue => advance(emptyQueue, logOf(events))
const line = (queue: JobQueue) => waiting(queue).map(({ session }) => session.replaceAll("0", ""))
const stateOf = (queue: JobQueue, name: string) => queue.jobs.get(id(name))?.state

describe("the queue", () => {
  it("is in order of priority, then of arrival", () => {
    assert.deepStrictEqual(line(fold(queued("A"), queued("B", 8), queued("C"), queued("D", 2), queued("E", 8))), ["B", "E", "A", "C", "D"])
  })

  it("starts as many as may run, and the next when one has ended in any way", () => {
    const events = [queued("A"), queued("B"), queued("C"), plain("job.started", "A")]
    assert.deepStrictEqual(
      startable(fold(...events), 2).map(({ session }) => session),
      [id("B")]
    )
    assert.deepStrictEqual(startable(fold(...events), 1), [])
    for (const end of [ready("A"), failed("A"), plain("job.cancelled", "A")])
      assert.deepStrictEqual(
        startable(fold(...events, end), 1).map(({ session }) => session),
        [id("B")]
      )
  })

  it("never starts what is held, cancelled or running, and starts what is let go", () => {
    const queue = fold(queued("A"), queued("B"), queued("C"), arranged("A", 1, 5, 1, true), plain("job.cancelled", "B"))
    assert.deepStrictEqual(
      startable(queue, 9).map(({ session }) => session),
      [id("C")]
    )
    assert.strictEqual(stateOf(queue, "A"), "held")
    const after = advance(queue, logOf([arranged("A", 2, 5, 1)]))
    assert.deepStrictEqual(
      startable(after, 9).map(({ session }) => session),
      [id("A"), id("C")]
    )
  })

  it("moves a job directly before another, again and again", () => {
    let events: ReadonlyArray<QueueEvent> = [queued("A"), queued("B"), queued("C"), queued("D")]
    for (const [name, before, expected] of [
      ["D", "A", "DABC"],
      ["C", "A", "DCAB"],
      ["B", "C", "DBCA"]
    ] as const) {
      const queue = fold(...events)
      const target = queue.jobs.get(id(before))
      const own = queue.jobs.get(id(name))
      assert.isDefined(target)
      assert.isDefined(own)
      if (target === undefined || own === undefined) return
      events = [...events, arranged(name, own.revision + 1, target.priority, orderBefore(queue, target))]
      assert.strictEqual(line(fold(...events)).join(""), expected)
    }
  })

  it("keeps how a job ended: the first end counts, but what is finished is finished", () => {
    assert.strictEqual(stateOf(fold(queued("A"), plain("job.cancelled", "A"), failed("A")), "A"), "cancelled")
    assert.strictEqual(stateOf(fold(queued("A"), failed("A"), plain("job.cancelled", "A")), "A"), "failed")
    assert.strictEqual(stateOf(fold(queued("A"), plain("job.cancelled", "A"), ready("A")), "A"), "done")
    assert.strictEqual(stateOf(fold(queued("A"), ready("A"), plain("job.cancelled", "A")), "A"), "done")
    assert.strictEqual(running(fold(queued("A"), plain("job.cancelled", "A"), plain("job.started", "A"))).length, 0)
  })

  it("is the same read at once or event by event, and knows only jobs that were queued", () => {
    const events = logOf([queued("A"), ready("X"), plain("job.started", "A"), queued("B", 9), failed("A"), queued("A", 1)])
    const stepwise = events.reduce((queue, event) => advance(queue, [event]), emptyQueue)
    assert.deepStrictEqual(stepwise, advance(emptyQueue, events))
    assert.deepStrictEqual([...stepwise.jobs.keys()], [id("A"), id("B")])
    assert.strictEqual(stepwise.jobs.get(id("A"))?.priority, 5, "what was queued first is what counts")
  })
})

import { assert, describe, it } from "@effect/vitest"
import { type Ask, CoreBudget } from "./CoreBudget.ts"

const ask = (id: string, lane: Ask["lane"], want: number, client = id): Ask => ({ id, client, lane, want })

describe("CoreBudget", () => {
  it("grants what is free and gives it to the next when it comes back", () => {
    const budget = new CoreBudget(2)
    budget.request(ask("a", "interactive", 2))
    budget.request(ask("b", "interactive", 2))
    assert.deepStrictEqual([...budget.grant(0)], [["a", 2]])
    budget.shrink("a", 1)
    assert.deepStrictEqual([...budget.grant(0)], [["b", 1]])
    assert.strictEqual(budget.used, 2)
    budget.release("a")
    budget.release("b")
    assert.strictEqual(budget.used, 0)
  })

  it("serves interactive work before batch work that asked earlier", () => {
    const budget = new CoreBudget(1)
    budget.request(ask("x", "interactive", 1))
    budget.grant(0)
    budget.request(ask("batch", "batch", 1))
    budget.request(ask("talk", "interactive", 1))
    budget.release("x")
    assert.deepStrictEqual([...budget.grant(1)], [["talk", 1]])
  })

  it("gives batch work everything when nobody talks, and leaves a core while somebody does", () => {
    const budget = new CoreBudget(4)
    budget.request(ask("b1", "batch", 4, "worker"))
    assert.deepStrictEqual([...budget.grant(0)], [["b1", 4]])
    budget.release("b1")
    budget.request(ask("t", "interactive", 1))
    budget.grant(10)
    budget.release("t")
    budget.request(ask("b2", "batch", 4, "worker"))
    assert.deepStrictEqual([...budget.grant(20)], [["b2", 3]])
    budget.release("b2")
    budget.request(ask("b3", "batch", 4, "worker"))
    assert.deepStrictEqual([...budget.grant(60_000)], [["b3", 4]])
  })

  it("shares between batch processes", () => {
    const budget = new CoreBudget(2)
    budget.request(ask("1", "batch", 2, "one"))
    budget.request(ask("2", "batch", 2, "two"))
    assert.deepStrictEqual([...budget.grant(0)].sort(), [
      ["1", 1],
      ["2", 1]
    ])
  })

  it("takes back everything of a client that is gone", () => {
    const budget = new CoreBudget(2)
    budget.request(ask("1", "batch", 2, "one"))
    budget.grant(0)
    budget.request(ask("2", "interactive", 1, "one"))
    budget.request(ask("3", "interactive", 2, "two"))
    budget.forget("one")
    assert.deepStrictEqual([...budget.grant(1)], [["3", 2]])
  })

  it("never exceeds the total, whatever happens (10,000 random steps)", () => {
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * below)
    }
    const budget = new CoreBudget(3)
    const held: Array<string> = []
    let grants = 0
    for (let step = 0; step < 10_000; step += 1) {
      const action = random(5)
      if (action <= 1) budget.request(ask(`${step}`, random(2) === 0 ? "interactive" : "batch", 1 + random(5), `client${random(4)}`))
      else if (action === 2) budget.release(held.splice(random(held.length), 1)[0] ?? "")
      else if (action === 3) budget.shrink(held[random(held.length)] ?? "", random(3))
      else if (random(20) === 0) budget.forget(`client${random(4)}`)
      for (const [id, threads] of budget.grant(step * 50)) {
        assert.isAtLeast(threads, 1)
        held.push(id)
        grants += 1
      }
      assert.isAtMost(budget.used, 3)
    }
    assert.isAbove(grants, 500)
  })
})

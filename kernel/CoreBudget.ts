/**
 * Who gets how many threads: the policy of the core budget, without sockets or clocks (times are passed in).
 *
 * Interactive requests go first and get what is free. Batch work shares what is left in equal parts between the
 * processes that do batch work, and leaves one core free while somebody talks, so that an utterance starts at once.
 */

export interface Ask {
  /** Unique over all clients. */
  readonly id: string
  /** The process that asks. */
  readonly client: string
  readonly lane: "interactive" | "batch"
  readonly want: number
}

/** How long after interactive work a core is kept free for more of it, and a batch process counts as one. */
const RECENT_MS = 5_000

export class CoreBudget {
  readonly total: number
  readonly #held = new Map<string, Ask & { threads: number }>()
  readonly #waiting: Array<Ask> = []
  readonly #batchSeen = new Map<string, number>()
  #interactiveSeen = Number.NEGATIVE_INFINITY

  constructor(total: number) {
    this.total = total
  }

  get used(): number {
    return [...this.#held.values()].reduce((sum, each) => sum + each.threads, 0)
  }

  request(ask: Ask): void {
    this.#waiting.push(ask)
  }

  /** A lease that a client brings along from a budget whose host process died. */
  adopt(ask: Ask, threads: number): void {
    this.#held.set(ask.id, { ...ask, threads })
  }

  shrink(id: string, threads: number): void {
    const held = this.#held.get(id)
    if (held !== undefined && threads < held.threads) held.threads = Math.max(0, threads)
  }

  release(id: string): void {
    this.#held.delete(id)
    const index = this.#waiting.findIndex((ask) => ask.id === id)
    if (index >= 0) this.#waiting.splice(index, 1)
  }

  /** Everything a client held or waited for: its process is gone. */
  forget(client: string): void {
    for (const [id, held] of this.#held) if (held.client === client) this.#held.delete(id)
    for (let i = this.#waiting.length - 1; i >= 0; i -= 1) if (this.#waiting[i]?.client === client) this.#waiting.splice(i, 1)
    this.#batchSeen.delete(client)
  }

  /** Grants what can be granted at `now` (ms); returns `id -> threads`. */
  grant(now: number): ReadonlyMap<string, number> {
    const granted = new Map<string, number>()
    for (const ask of this.#inOrder()) {
      if (ask.lane === "interactive") this.#interactiveSeen = now
      else this.#batchSeen.set(ask.client, now)
    }
    for (const ask of this.#inOrder()) {
      const threads = Math.min(ask.want, this.#allowance(ask, now))
      if (threads < 1) {
        // Nobody overtakes an interactive request that waits.
        if (ask.lane === "interactive") break
        continue
      }
      this.#waiting.splice(this.#waiting.indexOf(ask), 1)
      this.#held.set(ask.id, { ...ask, threads })
      granted.set(ask.id, threads)
    }
    return granted
  }

  #inOrder(): ReadonlyArray<Ask> {
    return [...this.#waiting.filter((ask) => ask.lane === "interactive"), ...this.#waiting.filter((ask) => ask.lane === "batch")]
  }

  #allowance(ask: Ask, now: number): number {
    const free = this.total - this.used
    if (ask.lane === "interactive") return free
    const reserve = this.total > 1 && now - this.#interactiveSeen < RECENT_MS ? 1 : 0
    for (const [client, seen] of this.#batchSeen) if (now - seen >= RECENT_MS && !this.#holds(client)) this.#batchSeen.delete(client)
    const share = Math.max(1, Math.floor((this.total - reserve) / Math.max(1, this.#batchSeen.size)))
    return Math.min(free - reserve, share)
  }

  #holds(client: string): boolean {
    return [...this.#held.values()].some((held) => held.client === client)
  }
}

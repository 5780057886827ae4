/**
 * From "who uses a microphone" to calls: one begins when a program has listened for some seconds (not a test of a device,
 * not a dictated word) and ends when it has not for as long. Pure.
 */

export interface Heard {
  readonly application: string
  /** Epoch milliseconds of the first sign. */
  readonly since: number
  readonly isCall: boolean
  /** When it was first missed. */
  readonly missedAt?: number
}

export interface Step {
  readonly heard: ReadonlyMap<string, Heard>
  readonly started: ReadonlyArray<Heard>
  readonly ended: ReadonlyArray<Heard & { readonly until: number }>
  /** Milliseconds until it must be looked at again without a sign; absent: not. */
  readonly wakeMs?: number
}

/**
 * @param users programs that listen now
 * @param settleMs what makes a call of it, and what ends it
 */
export const step = (before: ReadonlyMap<string, Heard>, users: ReadonlyArray<string>, now: number, settleMs: number): Step => {
  const heard = new Map<string, Heard>()
  const started: Array<Heard> = []
  const ended: Array<Heard & { readonly until: number }> = []
  const waits: Array<number> = []
  for (const application of users) {
    const { missedAt: _, ...known } = before.get(application) ?? { application, since: now, isCall: false }
    const isCall = known.isCall || now - known.since >= settleMs
    const next = { ...known, isCall }
    if (isCall && !known.isCall) started.push(next)
    if (!isCall) waits.push(known.since + settleMs - now)
    heard.set(application, next)
  }
  for (const [application, known] of before) {
    if (heard.has(application) || !known.isCall) continue
    const missedAt = known.missedAt ?? now
    if (now - missedAt >= settleMs) ended.push({ ...known, until: missedAt })
    else {
      waits.push(missedAt + settleMs - now)
      heard.set(application, { ...known, missedAt })
    }
  }
  return { heard, started, ended, ...(waits.length === 0 ? {} : { wakeMs: Math.min(...waits) }) }
}

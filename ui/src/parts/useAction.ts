/** Something a person asks for: it runs, it may fail with words, and it is not asked for twice at once. */
import { useCallback, useState } from "react"
import { Problem } from "../api.ts"

export interface Action {
  readonly busy: boolean
  readonly problem: Problem | undefined
  /** Puts the problem away. */
  readonly clear: () => void
  readonly run: (work: () => Promise<unknown>) => Promise<void>
}

export const useAction = (): Action => {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const run = useCallback(async (work: () => Promise<unknown>) => {
    setBusy(true)
    setProblem(undefined)
    try {
      await work()
    } catch (cause) {
      setProblem(
        cause instanceof Problem
          ? cause
          : new Problem({ error: "internal", message: cause instanceof Error ? cause.message : String(cause), recoverable: true })
      )
    }
    setBusy(false)
  }, [])
  return { busy, problem, run, clear: useCallback(() => setProblem(undefined), []) }
}

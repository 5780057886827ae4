/** Something asked of the gateway, for a component: the answer, what went wrong, and a way to ask again. */
import { useCallback, useEffect, useRef, useState } from "react"
import { api, Problem } from "./api.ts"

export interface Asked<A> {
  readonly data: A | undefined
  readonly problem: Problem | undefined
  readonly loading: boolean
  readonly reload: () => void
}

/**
 * A function that runs `work`; called while it runs, once more after it. What came last is never older than the last
 * call, and an answer that takes longer than the next call is not thrown away, however often that comes.
 */
const oneAtATime = (signal: AbortSignal, work: () => Promise<void>) => {
  let running = false
  let again = false
  return async (): Promise<void> => {
    again = true
    if (running) return
    running = true
    while (again && !signal.aborted) {
      again = false
      await work()
    }
    running = false
  }
}

/** `ask` now, when `key` is another, and at each `reload`; `undefined` asks nothing. It throws `Problem`. */
export const useAsked = <A>(key: string | undefined, ask: (key: string, signal: AbortSignal) => Promise<A>): Asked<A> => {
  const [data, setData] = useState<A>()
  const [problem, setProblem] = useState<Problem>()
  const [loading, setLoading] = useState(key !== undefined)
  const again = useRef<() => Promise<void>>(async () => {})
  const asked = useRef(ask)
  asked.current = ask
  useEffect(() => {
    if (key === undefined) return
    const abort = new AbortController()
    again.current = oneAtATime(abort.signal, async () => {
      setLoading(true)
      try {
        const answer = await asked.current(key, abort.signal)
        if (abort.signal.aborted) return
        setData(answer)
        setProblem(undefined)
      } catch (cause) {
        if (!abort.signal.aborted && cause instanceof Problem) setProblem(cause)
      }
      if (!abort.signal.aborted) setLoading(false)
    })
    void again.current()
    return () => abort.abort()
  }, [key])
  return { data, problem, loading, reload: useCallback(() => void again.current(), []) }
}

/** @param path below `/api`; `undefined` asks nothing */
export const useApi = <A>(path: string | undefined): Asked<A> => useAsked(path, (to, signal) => api.get<A>(to, {}, signal))

/** Calls that a person deleted: for some seconds it can be taken back, then they are erased. */
import { useSyncExternalStore } from "react"
import { api, Problem, request } from "../api.ts"

export const UNDO_MS = 10_000

export interface Deletion {
  readonly session: string
  readonly title: string
  readonly state: "waiting" | "erasing" | "erased" | "failed"
  readonly problem?: Problem
}

/** Asks for the deletion also where nobody waits for the answer: the page is being closed. */
const eraseOnTheWayOut = (session: string) =>
  request("/sessions/delete", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ session }),
    keepalive: true
  }).catch(() => undefined)

let all: ReadonlyArray<Deletion> = []
const timers = new Map<string, ReturnType<typeof setTimeout>>()
const listeners = new Set<() => void>()

const put = (session: string, next: Deletion | undefined) => {
  all = [...all.filter((each) => each.session !== session), ...(next === undefined ? [] : [next])]
  for (const listener of listeners) listener()
}

const erase = async (session: string, title: string) => {
  timers.delete(session)
  put(session, { session, title, state: "erasing" })
  try {
    await api.post("/sessions/delete", { session })
    put(session, { session, title, state: "erased" })
  } catch (cause) {
    put(session, { session, title, state: "failed", ...(cause instanceof Problem ? { problem: cause } : {}) })
  }
}

window.addEventListener("pagehide", () => {
  for (const [session, timer] of timers) {
    clearTimeout(timer)
    void eraseOnTheWayOut(session)
  }
  timers.clear()
})

export const deletions = {
  delete: (session: string, title: string): void => {
    clearTimeout(timers.get(session))
    put(session, { session, title, state: "waiting" })
    timers.set(
      session,
      setTimeout(() => void erase(session, title), UNDO_MS)
    )
  },
  /** Takes it back, or puts away the word that it failed. */
  undo: (session: string): void => {
    clearTimeout(timers.get(session))
    timers.delete(session)
    put(session, undefined)
  }
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useDeletions = (): ReadonlyArray<Deletion> => useSyncExternalStore(subscribe, () => all)

/** Whether a list shows a call. */
export const isGone = (known: ReadonlyArray<Deletion>, session: string): boolean =>
  known.some((each) => each.session === session && each.state !== "failed")

/** Where the page is: the part of the address after `#`, so that the gateway serves one file and reloads keep the place. */
import { useSyncExternalStore } from "react"

const current = () => location.hash.replace(/^#/, "") || "/talk"

const subscribe = (changed: () => void) => {
  window.addEventListener("hashchange", changed)
  return () => window.removeEventListener("hashchange", changed)
}

/** Segments of the place: `#/calls/01J...` is `["calls", "01J..."]`. */
export const useRoute = (): ReadonlyArray<string> =>
  useSyncExternalStore(subscribe, current)
    .split("?")[0]
    ?.split("/")
    .filter((part) => part !== "") ?? []

export const go = (path: string): void => void (location.hash = path)

/** Says on every part of the page which call was deleted, for as long as it can be taken back. */
import { useEffect, useRef } from "react"
import { Button } from "react-aria-components"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { useStrings } from "../preferences.tsx"
import { deletions, UNDO_MS, useDeletions } from "./Deletions.ts"

export const Deleted = () => {
  const { calls, common } = useStrings()
  const shown = useDeletions().filter(({ state }) => state === "waiting" || state === "failed")
  const count = useRef(0)
  useEffect(() => {
    // The button that had the focus is gone with its notice.
    if (shown.length < count.current && document.activeElement === document.body) document.querySelector<HTMLElement>("#content")?.focus()
    count.current = shown.length
  }, [shown.length])
  return (
    <div className="notices" role="status">
      {shown.map(({ session, title, state, problem }) => (
        <div key={session} className="notice">
          <span>
            {state === "waiting" ? calls.deleted(title || calls.untitled, UNDO_MS / 1000) : calls.notDeleted(title || calls.untitled)}
          </span>
          {problem !== undefined && <ProblemNote problem={problem} />}
          <Button autoFocus onPress={() => deletions.undo(session)}>
            {state === "waiting" ? common.undo : common.close}
          </Button>
        </div>
      ))}
    </div>
  )
}

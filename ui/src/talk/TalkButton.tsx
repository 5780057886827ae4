/** The talk button: held with a pointer, or switched on and off by assistive technology, which clicks without holding. */
import { type CSSProperties, type MouseEvent, type PointerEvent, useCallback } from "react"
import { useStrings } from "../preferences.tsx"
import type { Snapshot, TalkSession } from "./TalkSession.ts"

export const TalkButton = ({ session, state }: { readonly session: TalkSession; readonly state: Snapshot }) => {
  const { talk } = useStrings()
  const down = useCallback(
    (event: PointerEvent<HTMLButtonElement>) => {
      if (event.button !== 0) return
      event.currentTarget.setPointerCapture(event.pointerId)
      void session.press()
    },
    [session]
  )
  const up = useCallback(() => void session.release(true), [session])
  const click = (event: MouseEvent) => {
    if (event.detail !== 0) return
    void (state.held ? session.release(true) : session.press())
  }
  // The level is a property of the style, so that a frame costs no layout.
  const style = { "--level": state.level } as CSSProperties
  return (
    <>
      <button
        type="button"
        id="talk"
        className="talk-button"
        aria-pressed={state.held}
        aria-describedby="talk-hint"
        aria-label={talk.button}
        disabled={!state.connected || state.handsFree}
        style={style}
        onPointerDown={down}
        onPointerUp={up}
        onPointerCancel={up}
        onClick={click}
        onContextMenu={(event) => event.preventDefault()}
      >
        <svg
          viewBox="0 0 24 24"
          width="34"
          height="34"
          aria-hidden="true"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.8"
          strokeLinecap="round"
        >
          <rect x="9" y="3" width="6" height="11" rx="3" />
          <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
        </svg>
      </button>
      <div
        role="meter"
        className="level"
        aria-label={talk.level}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(state.level * 100)}
        style={style}
      >
        <span />
      </div>
    </>
  )
}

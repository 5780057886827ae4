/** Push to talk: hold the button or the space bar, see what was understood, hear the answer; or type. Escape stops. */
import { useEffect, useState, useSyncExternalStore } from "react"
import { Button } from "react-aria-components"
import { useStrings } from "../preferences.tsx"
import { Conversation } from "./Conversation.tsx"
import { Devices } from "./Devices.tsx"
import { TalkButton } from "./TalkButton.tsx"
import { TalkSession } from "./TalkSession.ts"
import { TypedQuestion } from "./TypedQuestion.tsx"
import "./talk.css"

/** One conversation for as long as the part is open. */
const useTalk = (): TalkSession | undefined => {
  const { talk } = useStrings()
  const [session, setSession] = useState<TalkSession>()
  useEffect(() => {
    const opened = new TalkSession(talk.microphone)
    setSession(opened)
    return () => opened.close()
    // The words may change without ending the conversation.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])
  useEffect(() => {
    if (session !== undefined) session.texts = talk.microphone
  }, [session, talk])
  return session
}

/** Whether a key pressed here is meant for the talk button and not for a field or another button. */
const talksWith = ({ key, target }: KeyboardEvent): boolean =>
  key === " " && target instanceof Element && target.closest("input, textarea, select, button, a, [role='listbox']") === null

const useKeys = (session: TalkSession | undefined) =>
  useEffect(() => {
    if (session === undefined) return
    const down = (event: KeyboardEvent) => {
      if (event.key === "Escape") return session.stopAll()
      if (!talksWith(event)) return
      event.preventDefault()
      if (!event.repeat) void session.press()
    }
    const up = (event: KeyboardEvent) => {
      if (!talksWith(event)) return
      event.preventDefault()
      void session.release(true)
    }
    // The key goes up in another window: nobody would tell us.
    const blur = () => void session.release(true)
    document.addEventListener("keydown", down)
    document.addEventListener("keyup", up)
    window.addEventListener("blur", blur)
    return () => {
      document.removeEventListener("keydown", down)
      document.removeEventListener("keyup", up)
      window.removeEventListener("blur", blur)
    }
  }, [session])

const View = ({ session }: { readonly session: TalkSession }) => {
  const { talk } = useStrings()
  const state = useSyncExternalStore(session.subscribe, session.snapshot)
  const busy = state.recording || state.active !== undefined || state.speaking !== undefined
  return (
    <div className="talk">
      <div className="talk-head">
        <h1>{talk.title}</h1>
        <div className="row">
          <p role="status" className="phase" data-phase={state.phase}>
            <span className="dot" aria-hidden="true" />
            {talk.phases[state.phase]}
          </p>
          {state.items.length > 0 && (
            <Button className="react-aria-Button quiet" onPress={() => session.clear()}>
              {talk.clear}
            </Button>
          )}
        </div>
      </div>
      <Conversation items={state.items} partial={state.partial} speaking={state.speaking} />
      <div className="controls">
        <div className="voice">
          <TalkButton session={session} state={state} />
          <Button
            className={state.handsFree ? "react-aria-Button hands-free on" : "react-aria-Button hands-free"}
            aria-pressed={state.handsFree}
            isDisabled={!state.connected || state.held}
            onPress={() => void session.toggleHandsFree()}
          >
            {talk.handsFree}
          </Button>
          {busy && (
            <Button className="react-aria-Button stop" onPress={() => session.stopAll()}>
              {talk.stop}
            </Button>
          )}
        </div>
        <p className="muted hint" id="talk-hint">
          {state.handsFree ? talk.justSpeak : state.held ? talk.letGo : talk.hold}
        </p>
        <TypedQuestion session={session} enabled={state.connected} />
        <Devices session={session} microphoneUsed={state.recording || state.handsFree} />
      </div>
    </div>
  )
}

export const Talk = () => {
  const session = useTalk()
  useKeys(session)
  return session === undefined ? null : <View session={session} />
}

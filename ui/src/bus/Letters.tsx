/** Dead letters: what could not be handled, why, and a way to try again. */
import { useState } from "react"
import { Button } from "react-aria-components"
import type { Letter } from "../../../contract/DlqCommands.ts"
import { api, Problem } from "../api.ts"
import { useReloadOn } from "../events.ts"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { useStrings } from "../preferences.tsx"
import { useApi } from "../useApi.ts"

const Entry = ({ letter, act }: { readonly letter: Letter; readonly act: (verb: "retry" | "drop") => void }) => {
  const { bus } = useStrings()
  return (
    <li className="card letter">
      <p>
        <strong>{letter.message}</strong>
      </p>
      <p className="muted">
        {letter.actor} · <code>{letter.subject}</code> · {bus.attempts(letter.attempts)} · <code>{letter.code}</code>
      </p>
      {letter.state === "retrying" && <p role="status">{bus.retrying}</p>}
      <p className="row">
        <Button className="react-aria-Button primary" isDisabled={letter.state === "retrying"} onPress={() => act("retry")}>
          {bus.retry}
        </Button>
        <Button onPress={() => act("drop")}>{bus.drop}</Button>
      </p>
    </li>
  )
}

export const Letters = () => {
  const { bus, common } = useStrings()
  const asked = useApi<{ readonly letters: ReadonlyArray<Letter> }>("/dlq/list")
  const [problem, setProblem] = useState<Problem>()
  const [dropped, setDropped] = useState<number>()
  useReloadOn("error.>,text.>,bundle.>", asked.reload)
  const post = async (verb: "retry" | "drop" | "restore", id: number) => {
    setProblem(undefined)
    try {
      await api.post(`/dlq/${verb}`, { ids: [id] })
      setDropped(verb === "drop" ? id : undefined)
    } catch (cause) {
      if (cause instanceof Problem) setProblem(cause)
    }
    asked.reload()
  }
  const letters = asked.data?.letters ?? []
  return (
    <section aria-labelledby="letters-title">
      <h2 id="letters-title">{bus.letters(letters.length)}</h2>
      {[problem, asked.problem].map((each, index) => (each === undefined ? null : <ProblemNote key={index} problem={each} />))}
      {dropped !== undefined && (
        <p role="status" className="row">
          {bus.droppedOne} <Button onPress={() => void post("restore", dropped)}>{common.undo}</Button>
        </p>
      )}
      {letters.length === 0 && asked.problem === undefined && <p className="muted">{bus.noLetters}</p>}
      <ul className="plain">
        {letters.map((letter) => (
          <Entry key={letter.id} letter={letter} act={(verb) => void post(verb, letter.id)} />
        ))}
      </ul>
    </section>
  )
}

/** Keywords that were spotted, and what a language model made of the call. */
import { Button } from "react-aria-components"
import type { GetSession } from "../../../contract/SessionCommands.ts"
import { api } from "../api.ts"
import { clock } from "../parts/clock.ts"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { useAction } from "../parts/useAction.ts"
import { WorkButton } from "../parts/WorkButton.tsx"
import { useStrings } from "../preferences.tsx"

export const Summaries = ({
  call: { session, summaries, keywords, state },
  onPlay
}: {
  readonly call: (typeof GetSession)["reply"]["Type"]
  readonly onPlay: (seconds: number) => void
}) => {
  const { calls } = useStrings()
  const action = useAction()
  const newest = summaries.at(-1)
  return (
    <section className="card" aria-labelledby="summary-title">
      <h2 id="summary-title">{calls.summary}</h2>
      {newest !== undefined && (
        <>
          <p>{newest.summary}</p>
          <ul>
            {newest.actionItems.map((item) => (
              <li key={item}>{item}</li>
            ))}
          </ul>
          <p className="muted">{calls.generated(`${newest.engine} ${newest.model}`.trim())}</p>
        </>
      )}
      {action.problem !== undefined && <ProblemNote problem={action.problem} />}
      <WorkButton
        busy={action.busy}
        isDisabled={state !== "completed"}
        onPress={() => void action.run(() => api.post("/transcripts/summarize", { session }))}
      >
        {newest === undefined ? calls.summarize : calls.summarizeAgain}
      </WorkButton>
      {keywords.length > 0 && (
        <>
          <h3>{calls.keywords}</h3>
          <ul className="plain">
            {keywords.map(({ keyword, start }) => (
              <li key={`${keyword} ${start}`} className="row">
                <Button className="react-aria-Button time" aria-label={calls.playFrom(clock(start))} onPress={() => onPlay(start)}>
                  {clock(start)}
                </Button>
                {keyword}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

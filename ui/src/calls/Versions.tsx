/** The versions of a transcript: make another with another model, and see word by word what is different. */
import { useState } from "react"
import { Button } from "react-aria-components"
import type { ModelEntry } from "../../../contract/ModelCommands.ts"
import type { CompareVersions, ListVersions } from "../../../contract/TranscriptCommands.ts"
import { api } from "../api.ts"
import { useReloadOn } from "../events.ts"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { Select } from "../parts/Select.tsx"
import { useAction } from "../parts/useAction.ts"
import { WorkButton } from "../parts/WorkButton.tsx"
import { useStrings } from "../preferences.tsx"
import { useApi } from "../useApi.ts"

type Listed = (typeof ListVersions)["reply"]["Type"]
type Compared = (typeof CompareVersions)["reply"]["Type"]

const Difference = ({ session, from, to }: { readonly session: string; readonly from: number; readonly to: number }) => {
  const { calls } = useStrings()
  const asked = useApi<Compared>(`/transcripts/compare?session=${session}&from=${from}&to=${to}`)
  const { data } = asked
  if (data === undefined) return asked.problem === undefined ? null : <ProblemNote problem={asked.problem} />
  return (
    <>
      <p role="status">{calls.differences(data.added, data.removed, data.same)}</p>
      <p className="difference">
        {data.changes.map(({ kind, text }, index) =>
          kind === "added" ? (
            <ins key={index}>{text} </ins>
          ) : kind === "removed" ? (
            <del key={index}>{text} </del>
          ) : (
            <span key={index}>{text} </span>
          )
        )}
      </p>
    </>
  )
}

const Again = ({ session, onAsked }: { readonly session: string; readonly onAsked: () => void }) => {
  const { calls } = useStrings()
  const models = useApi<{ readonly models: ReadonlyArray<ModelEntry> }>("/models/list")
  const action = useAction()
  const names = (models.data?.models ?? []).filter(({ kind, installed }) => installed && kind.startsWith("whisper")).map(({ name }) => name)
  const [chosen, setChosen] = useState("")
  const model = chosen === "" ? (names[0] ?? "") : chosen
  return (
    <>
      {action.problem !== undefined && <ProblemNote problem={action.problem} />}
      {names.length > 0 && (
        <div className="row end">
          <Select label={calls.model} value={model} onChange={setChosen} options={names.map((name) => ({ value: name, label: name }))} />
          <WorkButton
            busy={action.busy}
            onPress={() =>
              void action.run(async () => {
                await api.post("/sessions/retranscribe", { session, model })
                onAsked()
              })
            }
          >
            {calls.transcribeAgain}
          </WorkButton>
        </div>
      )}
    </>
  )
}

export const Versions = ({ session, current }: { readonly session: string; readonly current: number }) => {
  const { calls } = useStrings()
  const asked = useApi<Listed>(`/transcripts/versions?session=${session}`)
  useReloadOn(`transcript.*.call.${session},transcript.*.call.${session}.>`, asked.reload)
  const versions = asked.data?.versions ?? []
  const pending = asked.data?.pending ?? []
  const [compared, setCompared] = useState<number>()
  const others = versions.filter(({ version }) => version !== current)
  return (
    <section className="card" aria-labelledby="versions-title">
      <h2 id="versions-title">{calls.versions}</h2>
      {asked.problem !== undefined && <ProblemNote problem={asked.problem} />}
      <ul className="plain">
        {versions.map(({ version, engine, model, words, coverage, current: counts }) => (
          <li key={version}>
            {calls.versionOf(version, `${engine}, ${model}`)}{" "}
            <span className="muted">
              {calls.words(words)} · {Math.round(coverage * 100)} %
            </span>{" "}
            {counts && <span className="badge">{calls.counts}</span>}
          </li>
        ))}
        {pending.map((version) => (
          <li key={version} role="status">
            {calls.being(version)}
          </li>
        ))}
      </ul>
      <Again session={session} onAsked={asked.reload} />
      {others.length > 0 && (
        <div className="row">
          {others.map(({ version }) => (
            <Button key={version} onPress={() => setCompared(compared === version ? undefined : version)}>
              {calls.compareWith(version)}
            </Button>
          ))}
        </div>
      )}
      {compared !== undefined && <Difference session={session} from={compared} to={current} />}
    </section>
  )
}

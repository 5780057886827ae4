/** What waits and what is worked on, with progress and the time that is left. */
import { useEffect } from "react"
import { Button, ProgressBar } from "react-aria-components"
import type { Job } from "../../../contract/JobCommands.ts"
import { api } from "../api.ts"
import { clock } from "../parts/clock.ts"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { useAction } from "../parts/useAction.ts"
import { useStrings } from "../preferences.tsx"
import type { Asked } from "../useApi.ts"

const ASK_MS = 1_000
const ENDED: ReadonlyArray<string> = ["done", "cancelled"]
/** Failed jobs are shown so long that somebody sees them. */
const SHOWN_MS = 24 * 3_600_000

export interface Jobs {
  readonly jobs: ReadonlyArray<Job>
}

const Entry = ({ job, act }: { readonly job: Job; readonly act: (verb: string, body: object) => void }) => {
  const { calls } = useStrings()
  const { session, state, title, progress, position, error } = job
  return (
    <li className="job">
      <div className="row spread">
        <a href={`#/calls/${session}`}>{title || session}</a>
        <span className="muted">
          {state === "queued" && position > 0 ? calls.place(position) : calls.jobs[state]}
          {progress?.remainingMs !== undefined && ` · ${calls.left(clock(progress.remainingMs / 1000))}`}
        </span>
      </div>
      {state === "running" && (
        <ProgressBar value={(progress?.ratio ?? 0) * 100} aria-label={calls.progressOf(title)}>
          <div className="bar-back">
            <div className="bar-front" style={{ "--ratio": progress?.ratio ?? 0 } as React.CSSProperties} />
          </div>
        </ProgressBar>
      )}
      {error !== undefined && <p className="bad">{error.message}</p>}
      <div className="row">
        {state === "failed" ? (
          <Button onPress={() => act("retry", { session })}>{calls.again}</Button>
        ) : (
          <>
            {state !== "running" && (
              <Button onPress={() => act("pause", { session, paused: state !== "held" })}>
                {state === "held" ? calls.resume : calls.hold}
              </Button>
            )}
            <Button onPress={() => act("cancel", { session })}>{calls.cancel}</Button>
          </>
        )}
      </div>
    </li>
  )
}

export const Queue = ({ asked }: { readonly asked: Asked<Jobs> }) => {
  const { calls } = useStrings()
  const { busy: _, problem, run } = useAction()
  const { reload } = asked
  const jobs = (asked.data?.jobs ?? []).filter(
    ({ state, endedAt, session }, _at, all) =>
      !ENDED.includes(state) &&
      (state !== "failed" || (Date.now() - Date.parse(endedAt ?? "") < SHOWN_MS && !all.some(({ retryOf }) => retryOf === session)))
  )
  const active = jobs.some(({ state }) => state !== "failed")
  useEffect(() => {
    if (!active) return
    const timer = setInterval(() => document.hidden || reload(), ASK_MS)
    return () => clearInterval(timer)
  }, [active, reload])
  if (jobs.length === 0 && problem === undefined) return null
  return (
    <section aria-labelledby="queue-title" className="card queue">
      <h2 id="queue-title">{calls.queue}</h2>
      {problem !== undefined && <ProblemNote problem={problem} />}
      <ul className="plain">
        {jobs.map((job) => (
          <Entry
            key={job.session}
            job={job}
            act={(verb, body) =>
              void run(async () => {
                await api.post(`/jobs/${verb}`, body)
                reload()
              })
            }
          />
        ))}
      </ul>
    </section>
  )
}

/** One call: its waveform, what was said and by whom, and everything that can be done with it. */
import { useCallback, useEffect, useRef, useState } from "react"
import type { GetSession } from "../../../contract/SessionCommands.ts"
import { api } from "../api.ts"
import { useReloadOn } from "../events.ts"
import { clock, moment, size } from "../parts/clock.ts"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { useAction } from "../parts/useAction.ts"
import { WorkButton } from "../parts/WorkButton.tsx"
import { usePreferences } from "../preferences.tsx"
import { useApi } from "../useApi.ts"
import { Actions } from "./Actions.tsx"
import { Gaps } from "./Gaps.tsx"
import { Player, type PlayerHandle } from "./Player.tsx"
import { Progress } from "./Progress.tsx"
import { Summaries } from "./Summaries.tsx"
import { Transcript } from "./Transcript.tsx"
import { useTranscript } from "./useTranscript.ts"
import { Versions } from "./Versions.tsx"
import "./calls.css"

type Details = (typeof GetSession)["reply"]["Type"]

/** Seconds in the address: where a search found something. */
const placeInAddress = (): number | undefined => {
  const t = Number(new URLSearchParams(location.hash.split("?")[1] ?? "").get("t") ?? Number.NaN)
  return Number.isFinite(t) ? t : undefined
}

const Facts = ({ call, engine }: { readonly call: Details; readonly engine: string }) => {
  const { strings, language } = usePreferences()
  const { calls } = strings
  const facts: ReadonlyArray<readonly [string, string]> = [
    [calls.began, moment(call.startedAt, language)],
    [calls.length, clock(call.durationSeconds)],
    [calls.ticket, call.ticket ?? ""],
    [calls.language, call.language],
    [calls.engine, engine],
    [calls.size, call.bytes > 0 ? size(call.bytes, language) : ""],
    [calls.coverage, call.coverage === undefined ? "" : `${Math.round(call.coverage * 100)} %`]
  ]
  return (
    <dl className="call-head">
      {facts
        .filter(([, value]) => value !== "")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

const View = ({ call, reload }: { readonly call: Details; readonly reload: () => void }) => {
  const { calls, common } = usePreferences().strings
  const { session } = call
  const player = useRef<PlayerHandle>(null)
  const [time, setTime] = useState(0)
  const transcript = useTranscript(session)
  const action = useAction()
  const { data } = transcript
  const play = useCallback((seconds: number) => player.current?.play(seconds), [])
  const start = useRef(placeInAddress())
  useEffect(() => {
    if (data !== undefined && start.current !== undefined) player.current?.seek(start.current)
    if (data !== undefined) start.current = undefined
  }, [data])
  const edit = (path: string, body: object = {}) =>
    void action.run(async () => {
      await api.post(`/transcripts/${path}`, { session, ...body })
      transcript.reload()
    })
  return (
    <>
      <p>
        <a href="#/calls">← {calls.title}</a>
      </p>
      <h1>{call.title || calls.untitled}</h1>
      <Facts call={call} engine={data === undefined ? "" : `${data.engine}, ${data.model}`} />
      {call.state !== "completed" && <Progress session={session} state={call.state} />}
      {call.durationSeconds > 0 && (
        <Player
          ref={player}
          session={session}
          duration={call.durationSeconds}
          segments={data?.segments ?? []}
          gaps={data?.coverage.gaps ?? []}
          onTime={setTime}
        />
      )}
      <div className="call-body">
        <section aria-labelledby="transcript-title">
          <div className="row spread">
            <h2 id="transcript-title">{calls.transcript}</h2>
            {data !== undefined && (
              <p className="row">
                <WorkButton busy={action.busy} isDisabled={!transcript.canUndo} onPress={() => edit("undo")}>
                  {common.undo}
                </WorkButton>
                <WorkButton busy={action.busy} isDisabled={!transcript.canRedo} onPress={() => edit("redo")}>
                  {calls.redo}
                </WorkButton>
              </p>
            )}
          </div>
          {[action.problem, transcript.problem].map((problem, index) =>
            problem === undefined || problem.code === "transcript.missing" ? null : (
              <ProblemNote key={index} problem={problem} retry={transcript.reload} />
            )
          )}
          {transcript.problem?.code === "transcript.missing" && <p className="muted">{calls.noTranscript}</p>}
          {data !== undefined && (
            <Transcript
              transcript={data}
              time={time}
              onPlay={play}
              onEdit={(change) => edit("edit", { edit: change, expectRevision: data.revision })}
            />
          )}
        </section>
        <aside aria-label={calls.about} className="stack">
          <Actions call={call} reload={reload} />
          {data !== undefined && <Gaps coverage={data.coverage} onPlay={play} />}
          {data !== undefined && <Versions session={session} current={data.version} />}
          <Summaries call={call} onPlay={play} />
          <p>
            <a href={`#/bus/${session}`}>{calls.onTheBus}</a>
          </p>
        </aside>
      </div>
    </>
  )
}

export const Call = ({ session }: { readonly session: string }) => {
  const { common } = usePreferences().strings
  const asked = useApi<Details>(`/sessions/get?session=${session}`)
  useReloadOn(
    ["session.*", "bundle.ready", "transcript.*", "reply.ready", "keyword.*"]
      .flatMap((kind) => [`${kind}.call.${session}`, `${kind}.call.${session}.>`])
      .join(","),
    asked.reload
  )
  if (asked.data === undefined)
    return asked.problem === undefined ? (
      <p role="status">{common.loading}</p>
    ) : (
      <ProblemNote problem={asked.problem} retry={asked.reload} />
    )
  return <View call={asked.data} reload={asked.reload} />
}

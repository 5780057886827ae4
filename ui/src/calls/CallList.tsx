/** The calls, the newest first, or where something was said in them. */
import { useDeferredValue, useState } from "react"
import { Input, Label, SearchField } from "react-aria-components"
import type { Hit, SessionSummary } from "../../../contract/SessionCommands.ts"
import { api } from "../api.ts"
import { useReloadOn } from "../events.ts"
import { clock, moment } from "../parts/clock.ts"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { useAction } from "../parts/useAction.ts"
import { WorkButton } from "../parts/WorkButton.tsx"
import { usePreferences } from "../preferences.tsx"
import { useApi } from "../useApi.ts"
import { isGone, useDeletions } from "./Deletions.ts"

const PAGE = 30

/** What matched stands in square brackets. */
const Snippet = ({ text }: { readonly text: string }) =>
  text.split(/[[\]]/).map((part, index) => (index % 2 === 0 ? part : <mark key={index}>{part}</mark>))

const Found = ({ query }: { readonly query: string }) => {
  const { strings, language } = usePreferences()
  const asked = useApi<{ readonly hits: ReadonlyArray<Hit> }>(`/sessions/search?${new URLSearchParams({ query, limit: "50" }).toString()}`)
  const deleted = useDeletions()
  const hits = (asked.data?.hits ?? []).filter(({ session }) => !isGone(deleted, session))
  return (
    <>
      <p role="status" className="muted">
        {asked.loading ? strings.common.loading : strings.calls.hits(hits.length)}
      </p>
      {asked.problem !== undefined && <ProblemNote problem={asked.problem} />}
      <ul className="plain call-list">
        {hits.map((hit) => (
          <li key={`${hit.session} ${hit.start}`}>
            <a href={`#/calls/${hit.session}?t=${hit.start}`}>
              <span className="call-title">{hit.title || strings.calls.untitled}</span>
              <span className="call-facts muted">
                {moment(hit.startedAt, language)} · {strings.calls.at} {clock(hit.start)}
              </span>
              <span className="snippet">
                <Snippet text={hit.snippet} />
              </span>
            </a>
          </li>
        ))}
      </ul>
    </>
  )
}

const Entry = ({ call }: { readonly call: SessionSummary }) => {
  const { strings, language } = usePreferences()
  const { calls } = strings
  const { session, title, ticket, startedAt, durationSeconds, state, coverage, pinned } = call
  const partial = coverage !== undefined && coverage < 0.995
  return (
    <li>
      <a href={`#/calls/${session}`}>
        <span className="call-title">{title || calls.untitled}</span>
        <span className="call-facts muted">
          {[
            moment(startedAt, language),
            ...(durationSeconds > 0 ? [clock(durationSeconds)] : []),
            ...(ticket === undefined ? [] : [ticket])
          ].join(" · ")}
        </span>
        <span className="badges">
          {pinned && <span className="badge">{calls.pinned}</span>}
          {partial && <span className="badge warn">{calls.covered(coverage)}</span>}
          {state !== "completed" && <span className={state === "failed" ? "badge bad" : "badge"}>{calls.sessionStates[state]}</span>}
        </span>
      </a>
    </li>
  )
}

const All = () => {
  const { strings } = usePreferences()
  const asked = useApi<{ readonly sessions: ReadonlyArray<SessionSummary> }>(`/sessions/list?mode=call&limit=${PAGE}`)
  const [older, setOlder] = useState<ReadonlyArray<SessionSummary>>([])
  const [end, setEnd] = useState(false)
  const more = useAction()
  useReloadOn("session.>,bundle.>,transcript.completed.>,job.>", asked.reload)
  const deleted = useDeletions()
  const newest = asked.data?.sessions ?? []
  const sessions = [...newest, ...older.filter(({ session }) => !newest.some((each) => each.session === session))]
  const last = sessions.at(-1)
  return (
    <>
      {asked.problem !== undefined && <ProblemNote problem={asked.problem} retry={asked.reload} />}
      {asked.data !== undefined && sessions.length === 0 && <p className="muted">{strings.calls.none}</p>}
      <ul className="plain call-list">
        {sessions
          .filter(({ session }) => !isGone(deleted, session))
          .map((call) => (
            <Entry key={call.session} call={call} />
          ))}
      </ul>
      {newest.length === PAGE && !end && last !== undefined && (
        <WorkButton
          busy={more.busy}
          onPress={() =>
            void more.run(async () => {
              const next = await api.get<{ readonly sessions: ReadonlyArray<SessionSummary> }>("/sessions/list", {
                mode: "call",
                limit: PAGE,
                before: last.session
              })
              setOlder([...older, ...next.sessions])
              setEnd(next.sessions.length < PAGE)
            })
          }
        >
          {strings.calls.more}
        </WorkButton>
      )}
    </>
  )
}

export const CallList = () => {
  const { calls } = usePreferences().strings
  const [query, setQuery] = useState("")
  const asked = useDeferredValue(query.trim())
  return (
    <section aria-labelledby="list-title">
      <div className="row spread list-head">
        <h2 id="list-title">{calls.list}</h2>
        <SearchField className="react-aria-SearchField filter" value={query} onChange={setQuery}>
          <Label className="visually-hidden">{calls.search}</Label>
          <Input placeholder={calls.search} />
        </SearchField>
      </div>
      {asked === "" ? <All /> : <Found query={asked} />}
    </section>
  )
}

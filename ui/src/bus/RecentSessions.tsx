/** The sessions that began last, each with its timeline. */
import type { SessionSummary } from "../../../contract/SessionCommands.ts"
import { useReloadOn } from "../events.ts"
import { useStrings } from "../preferences.tsx"
import { useApi } from "../useApi.ts"

const SHOWN = 6

export const RecentSessions = () => {
  const { bus } = useStrings()
  const asked = useApi<{ readonly sessions: ReadonlyArray<SessionSummary> }>(`/sessions/list?limit=${SHOWN}`)
  useReloadOn("session.>,bundle.>", asked.reload)
  const sessions = asked.data?.sessions ?? []
  if (sessions.length === 0) return null
  return (
    <section aria-labelledby="recent-title">
      <h2 id="recent-title">{bus.recent}</h2>
      <ul className="plain recent">
        {sessions.map(({ session, mode, title, startedAt }) => (
          <li key={session}>
            <a href={`#/bus/${session}`}>{title || (mode === "call" ? bus.call : bus.conversation)}</a>
            <span className="muted">{startedAt === "" ? "" : new Date(startedAt).toLocaleString()}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

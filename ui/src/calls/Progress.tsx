/** How far the transcript of a call is. */
import { useEffect } from "react"
import { ProgressBar } from "react-aria-components"
import type { RecordingStatusReply } from "../../../contract/RecordingCommands.ts"
import { useStrings } from "../preferences.tsx"
import { useApi } from "../useApi.ts"

const ASK_MS = 1_000

export const Progress = ({ session, state }: { readonly session: string; readonly state: string }) => {
  const { calls } = useStrings()
  const { data, reload } = useApi<RecordingStatusReply>(`/recording/status?session=${session}`)
  const over = state === "failed" || state === "cancelled"
  useEffect(() => {
    if (over) return
    const timer = setInterval(() => document.hidden || reload(), ASK_MS)
    return () => clearInterval(timer)
  }, [over, reload])
  const ratio = data === undefined || data.chunks === 0 ? 0 : data.settledChunks / data.chunks
  return (
    <div className="card progress">
      <ProgressBar value={ratio * 100} aria-label={calls.progress}>
        <div className="row spread">
          <span role="status">{calls.sessionStates[state as keyof typeof calls.sessionStates] ?? state}</span>
          {data !== undefined && data.chunks > 0 && <span className="muted">{calls.parts(data.settledChunks, data.chunks)}</span>}
        </div>
        <div className="bar-back">
          <div className="bar-front" style={{ "--ratio": ratio } as React.CSSProperties} />
        </div>
      </ProgressBar>
      {data?.problem !== undefined && <p className="bad">{data.problem}</p>}
    </div>
  )
}

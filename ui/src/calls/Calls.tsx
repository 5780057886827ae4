/** Calls: record one, import files, see the queue and the list; with a session in the address, that call. */
import { lazy } from "react"
import { useStrings } from "../preferences.tsx"
import { useRoute } from "../route.ts"
import { useApi } from "../useApi.ts"
import { CallList } from "./CallList.tsx"
import { Import } from "./Import.tsx"
import { type Jobs, Queue } from "./Queue.tsx"
import { Recorder } from "./Recorder.tsx"
import "./calls.css"

const Call = lazy(async () => ({ default: (await import("./Call.tsx")).Call }))

const Overview = () => {
  const { calls } = useStrings()
  const jobs = useApi<Jobs>("/jobs/list?limit=20")
  return (
    <>
      <h1>{calls.title}</h1>
      <div className="call-columns">
        <div className="stack">
          <Recorder />
          <Import onQueued={jobs.reload} />
          <Queue asked={jobs} />
        </div>
        <CallList />
      </div>
    </>
  )
}

export const Calls = () => {
  const [, session] = useRoute()
  return session === undefined ? <Overview /> : <Call key={session} session={session} />
}

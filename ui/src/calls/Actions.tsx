/** What can be done with a call: save it in a format, verify its bundle, keep it, delete it. */
import { useState } from "react"
import type { VerifyBundle } from "../../../contract/BundleCommands.ts"
import type { SessionSummary } from "../../../contract/SessionCommands.ts"
import type { ListFormats } from "../../../contract/TranscriptCommands.ts"
import { api } from "../api.ts"
import { Confirm } from "../parts/Confirm.tsx"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { useAction } from "../parts/useAction.ts"
import { WorkButton } from "../parts/WorkButton.tsx"
import { useStrings } from "../preferences.tsx"
import { go } from "../route.ts"
import { useApi } from "../useApi.ts"
import { deletions } from "./Deletions.ts"

type Verified = (typeof VerifyBundle)["reply"]["Type"]
type Formats = (typeof ListFormats)["reply"]["Type"]

const Exports = ({ session }: { readonly session: string }) => {
  const { calls } = useStrings()
  const asked = useApi<Formats>("/exports/formats")
  return (
    <ul className="formats" aria-label={calls.exports}>
      {(asked.data?.formats ?? []).map(({ format, means }) => (
        <li key={format}>
          <a href={`/api/sessions/${session}/exports/${format}`} download title={means}>
            {format.toUpperCase().replaceAll("_", " ")}
          </a>
        </li>
      ))}
    </ul>
  )
}

const Verify = ({ session }: { readonly session: string }) => {
  const { calls } = useStrings()
  const action = useAction()
  const [found, setFound] = useState<Verified>()
  return (
    <>
      <WorkButton
        busy={action.busy}
        onPress={() => void action.run(async () => setFound(await api.get<Verified>("/bundles/verify", { session })))}
      >
        {calls.verify}
      </WorkButton>
      {action.problem !== undefined && <ProblemNote problem={action.problem} />}
      <div role="status">
        {found !== undefined && (
          <>
            <p className={found.ok ? "good" : "bad"}>
              <strong>{found.ok ? calls.intact : calls.changed}</strong>
            </p>
            <ul className="checks">
              {found.problems.map((problem) => (
                <li key={problem} className="bad">
                  {problem}
                </li>
              ))}
              {found.checked.map((check) => (
                <li key={check}>{check}</li>
              ))}
            </ul>
          </>
        )}
      </div>
    </>
  )
}

const Delete = ({ session, title }: { readonly session: string; readonly title: string }) => {
  const { calls, common } = useStrings()
  return (
    <Confirm
      label={common.delete}
      title={calls.deleteTitle}
      text={calls.deleteText}
      onConfirm={() => {
        deletions.delete(session, title)
        go("/calls")
      }}
    />
  )
}

export const Actions = ({
  call: { session, title, pinned, bundle },
  reload
}: {
  readonly call: SessionSummary
  readonly reload: () => void
}) => {
  const { calls } = useStrings()
  const pin = useAction()
  return (
    <section className="card" aria-labelledby="actions-title">
      <h2 id="actions-title">{calls.save}</h2>
      <Exports session={session} />
      <p className="formats">
        <a href={`/api/sessions/${session}/audio`} download>
          {calls.audioFile}
        </a>
        {bundle !== "" && (
          <a href={`/api/sessions/${session}/bundle`} download>
            {calls.bundleFile}
          </a>
        )}
      </p>
      <div className="row">
        {bundle !== "" && <Verify session={session} />}
        <WorkButton
          busy={pin.busy}
          onPress={() =>
            void pin.run(async () => {
              await api.post("/sessions/pin", { session, pinned: !pinned })
              reload()
            })
          }
        >
          {pinned ? calls.unpin : calls.pin}
        </WorkButton>
        <Delete session={session} title={title} />
      </div>
      {pin.problem !== undefined && <ProblemNote problem={pin.problem} />}
    </section>
  )
}

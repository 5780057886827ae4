/** Keys of providers. They go in and never come out: the page sees where one is kept and how it ends. */
import { useEffect, useRef, useState } from "react"
import { Input, Label, TextField } from "react-aria-components"
import type { KeyName, ListKeys, TestKey } from "../../../contract/KeyCommands.ts"
import { api } from "../api.ts"
import { Confirm } from "../parts/Confirm.tsx"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { useAction } from "../parts/useAction.ts"
import { WorkButton } from "../parts/WorkButton.tsx"
import { useStrings } from "../preferences.tsx"
import { useApi } from "../useApi.ts"

type Listed = (typeof ListKeys)["reply"]["Type"]["keys"]
type Tested = (typeof TestKey)["reply"]["Type"]

const Key = ({ entry, reload }: { readonly entry: Listed[number]; readonly reload: () => void }) => {
  const { settings, common } = useStrings()
  const { name, set, place, masked } = entry
  const [key, setKey] = useState("")
  const [said, setSaid] = useState("")
  const action = useAction()
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    // The button that had the focus is gone with the key.
    if (!set && document.activeElement === document.body && said !== "") field.current?.focus()
  }, [set, said])
  const title = settings.keyNames[name as KeyName] ?? name
  const act = (work: () => Promise<string>) =>
    void action.run(async () => {
      setSaid("")
      setSaid(await work())
      reload()
    })
  return (
    <li className="key">
      <form
        className="row end"
        onSubmit={(event) => {
          event.preventDefault()
          act(async () => {
            const { checked } = await api.post<{ readonly checked: boolean }>("/keys/set", { name, key: key.trim() })
            setKey("")
            return checked ? settings.keyAccepted : settings.keyKept
          })
        }}
      >
        <TextField type="password" value={key} onChange={setKey} autoComplete="off">
          <Label>
            {title}: {set ? settings.keySet(settings.places[place ?? "file"], (masked ?? "").replace(/^\.+/, "")) : settings.keyMissing}
          </Label>
          <Input ref={field} placeholder={set ? settings.keyReplace : settings.keyNew} />
        </TextField>
        <WorkButton type="submit" busy={action.busy} isDisabled={key.trim() === ""} aria-label={settings.saveOf(title)}>
          {common.save}
        </WorkButton>
        {set && (
          <>
            <WorkButton
              busy={action.busy}
              aria-label={settings.testOf(title)}
              onPress={() => act(async () => settings.keyTested((await api.get<Tested>("/keys/test", { name })).detail))}
            >
              {settings.test}
            </WorkButton>
            {place !== "environment" && (
              <Confirm
                label={settings.remove}
                describes={settings.removeOf(title)}
                title={settings.keyRemoveTitle(title)}
                text={settings.keyRemoveText}
                onConfirm={() =>
                  act(async () => {
                    await api.post("/keys/remove", { name })
                    return settings.keyRemoved
                  })
                }
              />
            )}
          </>
        )}
      </form>
      <p role="status" className="muted">
        {said}
      </p>
      {action.problem !== undefined && <ProblemNote problem={action.problem} />}
    </li>
  )
}

export const Keys = () => {
  const { settings } = useStrings()
  const asked = useApi<{ readonly keys: Listed }>("/keys/list")
  return (
    <section className="card" aria-labelledby="keys-title">
      <h2 id="keys-title">{settings.keysTitle}</h2>
      <p className="muted">{settings.keysMean}</p>
      {asked.problem !== undefined && <ProblemNote problem={asked.problem} />}
      <ul className="plain">
        {(asked.data?.keys ?? []).map((entry) => (
          <Key key={entry.name} entry={entry} reload={asked.reload} />
        ))}
      </ul>
    </section>
  )
}

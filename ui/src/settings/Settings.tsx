/** Settings: every one with its meaning, providers and their keys, models, keys of the keyboard. */
import { useState } from "react"
import { Input, Label, SearchField } from "react-aria-components"
import type { ConfigField } from "../../../contract/ConfigCommands.ts"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { useStrings } from "../preferences.tsx"
import { useApi } from "../useApi.ts"
import { Browser } from "./Browser.tsx"
import { Field } from "./Field.tsx"
import { GROUP_NAMES, type Group, groupOf } from "./groups.ts"
import { Keys } from "./Keys.tsx"
import { Models } from "./Models.tsx"
import { Providers } from "./Providers.tsx"
import "./settings.css"

interface Described {
  readonly file: string
  readonly fields: ReadonlyArray<ConfigField>
}

const Section = ({
  group,
  fields,
  open,
  reload
}: {
  readonly group: Group
  /** With all that is in it to be seen. */
  readonly open: boolean
  readonly fields: ReadonlyArray<ConfigField>
  readonly reload: () => void
}) => {
  const { settings } = useStrings()
  if (fields.length === 0) return null
  return (
    <section className="card" aria-labelledby={`group-${group}`}>
      <details open={open} key={String(open)}>
        <summary>
          <h2 id={`group-${group}`}>{settings.groups[group]}</h2> <span className="muted">{settings.found(fields.length)}</span>
        </summary>
        <div className="fields">
          {fields.map((field) => (
            <Field key={field.path} field={field} onSaved={reload} />
          ))}
        </div>
      </details>
    </section>
  )
}

export const Settings = () => {
  const { settings, common } = useStrings()
  const asked = useApi<Described>("/config/describe")
  const [filter, setFilter] = useState("")
  const wanted = filter.trim().toLowerCase()
  const fields = (asked.data?.fields ?? []).filter(
    ({ path }) => wanted === "" || path.toLowerCase().includes(wanted) || (settings.means[path] ?? "").toLowerCase().includes(wanted)
  )
  return (
    <>
      <div className="row spread list-head">
        <h1>{settings.title}</h1>
        <SearchField className="react-aria-SearchField filter" value={filter} onChange={setFilter}>
          <Label className="visually-hidden">{settings.find}</Label>
          <Input placeholder={settings.find} />
        </SearchField>
      </div>
      {asked.problem !== undefined && <ProblemNote problem={asked.problem} retry={asked.reload} />}
      {asked.data === undefined && asked.problem === undefined && <p role="status">{common.loading}</p>}
      <div className="stack">
        {wanted === "" && (
          <>
            <Browser />
            <Providers />
            <Keys />
            <Models />
          </>
        )}
        {GROUP_NAMES.map((group) => (
          <Section
            key={group}
            group={group}
            fields={fields.filter(({ path }) => groupOf(path) === group)}
            open={wanted !== ""}
            reload={asked.reload}
          />
        ))}
        {wanted !== "" && (
          <p role="status" className="muted">
            {settings.found(fields.length)}
          </p>
        )}
        {asked.data !== undefined && (
          <p className="muted file">
            {settings.file} <code>{asked.data.file}</code>
          </p>
        )}
      </div>
    </>
  )
}

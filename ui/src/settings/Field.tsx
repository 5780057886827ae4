/** One setting: what it means, what it is now, and a way to change it. It is saved when the field is left. */
import { useEffect, useId, useState } from "react"
import { Button } from "react-aria-components"
import type { ConfigField, SetConfig } from "../../../contract/ConfigCommands.ts"
import { api } from "../api.ts"
import { WithCode } from "../parts/WithCode.tsx"
import { useAction } from "../parts/useAction.ts"
import { useStrings } from "../preferences.tsx"

type Saved = (typeof SetConfig)["reply"]["Type"]

const textOf = (value: unknown): string =>
  Array.isArray(value) ? value.join("\n") : typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "")

/** What was typed as a value of the setting's kind. What does not fit is left as text: the server says what is wrong with it. */
const valueOf = (kind: ConfigField["kind"], text: string, before: unknown): unknown => {
  if (kind === "list") {
    const items = text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]))
    const ofObjects = Array.isArray(before) && before.some((item) => typeof item === "object")
    return ofObjects ? items.map((item): unknown => JSON.parse(item)) : items
  }
  if (typeof before === "object" && before !== null) return JSON.parse(text) as unknown
  if (kind !== "number" && kind !== "integer") return text
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text)
}

const LONG = 60

const Control = ({ field, id, save }: { readonly field: ConfigField; readonly id: string; readonly save: (value: unknown) => void }) => {
  const { settings } = useStrings()
  const { kind, value, choices, minimum, maximum } = field
  const [text, setText] = useState(textOf(value))
  useEffect(() => setText(textOf(value)), [value])
  const leave = () => {
    if (text !== textOf(value)) save(valueOf(kind, text, value))
  }
  const common = { id, "aria-describedby": `${id}-means`, disabled: field.variable !== undefined }
  if (kind === "boolean")
    return (
      <select {...common} value={String(value)} onChange={(event) => save(event.target.value === "true")}>
        <option value="true">{settings.on}</option>
        <option value="false">{settings.off}</option>
      </select>
    )
  if (kind === "choice")
    return (
      <select
        {...common}
        value={textOf(value)}
        onChange={(event) => save(choices?.find((choice) => textOf(choice) === event.target.value))}
      >
        {(choices ?? []).map((choice) => (
          <option key={textOf(choice)}>{textOf(choice)}</option>
        ))}
      </select>
    )
  if (kind === "list" || text.length > LONG)
    return (
      <textarea
        {...common}
        className="react-aria-TextArea"
        rows={Math.min(6, kind === "list" ? text.split("\n").length + 1 : 3)}
        placeholder={kind === "list" ? settings.onePerLine : ""}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={leave}
      />
    )
  const numeric = kind === "number" || kind === "integer"
  return (
    <input
      {...common}
      className="react-aria-Input"
      type={numeric ? "number" : "text"}
      {...(numeric ? { min: minimum, max: maximum, step: kind === "integer" ? 1 : "any" } : {})}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={leave}
      onKeyDown={(event) => {
        if (event.key === "Enter") leave()
        if (event.key === "Escape") setText(textOf(value))
      }}
    />
  )
}

export const Field = ({ field, onSaved }: { readonly field: ConfigField; readonly onSaved: () => void }) => {
  const { settings } = useStrings()
  const id = useId()
  const action = useAction()
  const [saved, setSaved] = useState<Saved>()
  const { path, source, variable, choices, kind } = field
  const save = (value: unknown) =>
    void action.run(async () => {
      setSaved(await api.post<Saved>("/config/set", { path, ...(value === undefined ? {} : { value }) }))
      onSaved()
    })
  return (
    <div className="field">
      <div className="field-words">
        <label htmlFor={id}>
          <code>{path}</code>
        </label>
        <p id={`${id}-means`}>
          <WithCode text={settings.means[path] ?? ""} />{" "}
          {kind === "list" && choices !== undefined && <span className="muted">{settings.oneOf(choices.map(textOf).join(", "))} </span>}
          <span className="muted">{settings.default(textOf(field.default).replaceAll("\n", ", "))}</span>
        </p>
      </div>
      <div className="field-value">
        <Control field={field} id={id} save={save} />
        <p role="status" className="muted">
          {variable !== undefined
            ? settings.variable(variable)
            : saved !== undefined && action.problem === undefined && settings.applies[saved.applies]}
        </p>
        {action.problem !== undefined && (
          <p role="alert" className="bad">
            {action.problem.message}
          </p>
        )}
        {source === "file" && (
          <Button className="react-aria-Button quiet" aria-label={settings.resetOf(path)} onPress={() => save(undefined)}>
            {settings.reset}
          </Button>
        )}
      </div>
    </div>
  )
}

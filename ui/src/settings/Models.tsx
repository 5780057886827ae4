/** Models and tools: which are on the machine, which can be fetched, and how far a fetch is. */
import { useEffect } from "react"
import { Button, ProgressBar } from "react-aria-components"
import type { ModelEntry } from "../../../contract/ModelCommands.ts"
import { api } from "../api.ts"
import { size } from "../parts/clock.ts"
import { Confirm } from "../parts/Confirm.tsx"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { WithCode } from "../parts/WithCode.tsx"
import { useAction } from "../parts/useAction.ts"
import { usePreferences } from "../preferences.tsx"
import { useApi } from "../useApi.ts"

const ASK_MS = 700

const Entry = ({ model, act }: { readonly model: ModelEntry; readonly act: (verb: "fetch" | "remove") => void }) => {
  const { strings, language } = usePreferences()
  const { settings } = strings
  const { name, description, licence, installed, bytes, fetching, failed } = model
  const ratio = fetching === undefined || fetching.total === 0 ? 0 : fetching.received / fetching.total
  return (
    <li className="model">
      <div>
        <strong>{name}</strong> {installed && <span className="badge">{settings.installed}</span>}
        <p className="muted">
          {description} · {licence} · {size(bytes, language)}
        </p>
        {fetching !== undefined && (
          <ProgressBar value={ratio * 100} isIndeterminate={fetching.total === 0} aria-label={settings.fetchingOf(name)}>
            <span className="muted">
              {fetching.step} {fetching.total > 0 && `${size(fetching.received, language)} / ${size(fetching.total, language)}`}
            </span>
            <div className="bar-back">
              <div className="bar-front" style={{ "--ratio": ratio } as React.CSSProperties} />
            </div>
          </ProgressBar>
        )}
        {failed !== undefined && (
          <p role="alert" className="bad lines">
            <WithCode text={failed.message} />
          </p>
        )}
      </div>
      {fetching === undefined &&
        (installed ? (
          <Confirm
            label={settings.remove}
            describes={settings.removeOf(name)}
            title={settings.modelRemoveTitle(name)}
            text={settings.modelRemoveText(size(bytes, language))}
            onConfirm={() => act("remove")}
          />
        ) : (
          <Button aria-label={settings.fetchOf(name)} onPress={() => act("fetch")}>
            {settings.fetch}
          </Button>
        ))}
    </li>
  )
}

export const Models = () => {
  const { settings } = usePreferences().strings
  const asked = useApi<{ readonly models: ReadonlyArray<ModelEntry> }>("/models/list")
  const action = useAction()
  const { reload } = asked
  const models = asked.data?.models ?? []
  const fetching = models.some((model) => model.fetching !== undefined)
  useEffect(() => {
    if (!fetching) return
    const timer = setInterval(() => document.hidden || reload(), ASK_MS)
    return () => clearInterval(timer)
  }, [fetching, reload])
  return (
    <section className="card" aria-labelledby="models-title">
      <h2 id="models-title">{settings.models}</h2>
      {[asked.problem, action.problem].map((problem, index) =>
        problem === undefined ? null : <ProblemNote key={index} problem={problem} />
      )}
      <ul className="plain models">
        {models.map((model) => (
          <Entry
            key={model.name}
            model={model}
            act={(verb) =>
              void action.run(async () => {
                await api.post(`/models/${verb}`, { name: model.name })
                reload()
              })
            }
          />
        ))}
      </ul>
    </section>
  )
}

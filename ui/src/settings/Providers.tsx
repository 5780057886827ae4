/** Providers that are configured: whether they answer. And what runs on this machine and could be used. */
import { useState } from "react"
import type { CheckProviders, DiscoverProviders } from "../../../contract/ProviderCommands.ts"
import { api } from "../api.ts"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { useAction } from "../parts/useAction.ts"
import { WorkButton } from "../parts/WorkButton.tsx"
import { useStrings } from "../preferences.tsx"

type Checked = (typeof CheckProviders)["reply"]["Type"]["providers"]
type Found = (typeof DiscoverProviders)["reply"]["Type"]["found"]

export const Providers = () => {
  const { settings } = useStrings()
  const action = useAction()
  const [checked, setChecked] = useState<Checked>()
  const [found, setFound] = useState<Found>()
  const test = () => action.run(async () => setChecked((await api.get<{ readonly providers: Checked }>("/providers/check")).providers))
  const use = (settingsToUse: Found[number]["use"]) =>
    action.run(async () => {
      for (const { path, value } of settingsToUse) await api.post("/config/set", { path, value })
      setChecked((await api.get<{ readonly providers: Checked }>("/providers/check")).providers)
    })
  return (
    <section className="card" aria-labelledby="providers-title">
      <h2 id="providers-title">{settings.providers}</h2>
      <p className="muted">{settings.providersMean}</p>
      {action.problem !== undefined && <ProblemNote problem={action.problem} />}
      <div className="row">
        <WorkButton busy={action.busy} onPress={() => void test()}>
          {settings.test}
        </WorkButton>
        <WorkButton
          busy={action.busy}
          onPress={() => void action.run(async () => setFound((await api.get<{ readonly found: Found }>("/providers/discover")).found))}
        >
          {settings.discover}
        </WorkButton>
      </div>
      <div role="status">
        {checked?.length === 0 && <p className="muted">{settings.noProviders}</p>}
        <ul className="plain providers">
          {(checked ?? []).map(({ name, url, status, detail }) => (
            <li key={name} data-status={status}>
              <span className="light" aria-hidden="true" />
              <strong>{name}</strong> <span>{settings.providerStatus[status]}</span> <span className="muted">{url}</span>
              {detail !== "" && <p>{detail}</p>}
            </li>
          ))}
        </ul>
        {found?.length === 0 && <p className="muted">{settings.nothingFound}</p>}
        <ul className="plain providers">
          {(found ?? []).map(({ kind, url, models, use: wanted }) => (
            <li key={url} className="row spread">
              <span>
                <strong>{kind}</strong> <span className="muted">{url}</span>
                <br />
                <span className="muted">{models.slice(0, 5).join(", ")}</span>
              </span>
              <WorkButton busy={action.busy} aria-label={settings.useOf(kind)} onPress={() => void use(wanted)}>
                {settings.use}
              </WorkButton>
            </li>
          ))}
        </ul>
      </div>
    </section>
  )
}

/** What is chosen for this browser alone, and the keys of the keyboard. */
import { Select } from "../parts/Select.tsx"
import { LANGUAGES, THEMES, usePreferences } from "../preferences.tsx"

const isLanguage = (text: string): text is keyof typeof LANGUAGES => text in LANGUAGES

export const Browser = () => {
  const { strings, language, theme, setLanguage, setTheme } = usePreferences()
  const { settings } = strings
  return (
    <section className="card" aria-labelledby="browser-title">
      <h2 id="browser-title">{settings.browser}</h2>
      <div className="row end">
        <Select
          label={settings.language}
          value={language}
          onChange={(chosen) => {
            if (isLanguage(chosen)) setLanguage(chosen)
          }}
          options={Object.entries(LANGUAGES).map(([value, words]) => ({ value, label: words.language }))}
        />
        <Select
          label={strings.theme.label}
          value={theme}
          onChange={(chosen) => setTheme(THEMES.find((known) => known === chosen) ?? "system")}
          options={THEMES.map((value) => ({ value, label: strings.theme[value] }))}
        />
      </div>
      <h3>{settings.hotkeys}</h3>
      <dl className="hotkeys">
        {settings.keys.map(([key, means]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{means}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

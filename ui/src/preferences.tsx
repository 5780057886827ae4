/** What a person chose for this browser: language and appearance. Kept in the browser. */
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react"
import { I18nProvider } from "react-aria-components"
import { de } from "./strings/de.ts"
import { en, type Strings } from "./strings/en.ts"

export const LANGUAGES = { en, de } as const
export type Language = keyof typeof LANGUAGES
export const THEMES = ["system", "light", "dark"] as const
export type Theme = (typeof THEMES)[number]

interface Preferences {
  readonly strings: Strings
  readonly language: Language
  readonly theme: Theme
  readonly setLanguage: (language: Language) => void
  readonly setTheme: (theme: Theme) => void
}

const Context = createContext<Preferences | undefined>(undefined)

const isLanguage = (text: string | null): text is Language => text !== null && text in LANGUAGES
const isTheme = (text: string | null): text is Theme => THEMES.some((known) => known === text)

const preferredLanguage = (): Language => {
  const kept = localStorage.getItem("language")
  const spoken = navigator.language.slice(0, 2)
  return isLanguage(kept) ? kept : isLanguage(spoken) ? spoken : "en"
}

const preferredTheme = (): Theme => {
  const kept = localStorage.getItem("theme")
  return isTheme(kept) ? kept : "system"
}

export const PreferencesProvider = ({ children }: { readonly children: ReactNode }) => {
  const [language, setLanguage] = useState(preferredLanguage)
  const [theme, setTheme] = useState(preferredTheme)
  useEffect(() => {
    document.documentElement.lang = language
    localStorage.setItem("language", language)
  }, [language])
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme
    localStorage.setItem("theme", theme)
  }, [theme])
  const value = useMemo(() => ({ strings: LANGUAGES[language], language, theme, setLanguage, setTheme }), [language, theme])
  return (
    <I18nProvider locale={language}>
      <Context value={value}>{children}</Context>
    </I18nProvider>
  )
}

export const usePreferences = (): Preferences => {
  const value = useContext(Context)
  if (value === undefined) throw new Error("usePreferences outside of PreferencesProvider")
  return value
}

/** The words of the page in the chosen language. */
export const useStrings = (): Strings => usePreferences().strings

/** The frame of the page: who may see it, the navigation, and the part that is open. Parts are loaded when they are. */
import { lazy, Suspense, useEffect } from "react"
import { Button } from "react-aria-components"
import { Deleted } from "./calls/Deleted.tsx"
import { PreferencesProvider, useStrings } from "./preferences.tsx"
import { ProblemNote } from "./parts/ProblemNote.tsx"
import { WithCode } from "./parts/WithCode.tsx"
import { useRoute } from "./route.ts"
import { useApi } from "./useApi.ts"

const PARTS = {
  talk: lazy(async () => ({ default: (await import("./talk/Talk.tsx")).Talk })),
  calls: lazy(async () => ({ default: (await import("./calls/Calls.tsx")).Calls })),
  bus: lazy(async () => ({ default: (await import("./bus/Bus.tsx")).Bus })),
  settings: lazy(async () => ({ default: (await import("./settings/Settings.tsx")).Settings }))
} as const
type Part = keyof typeof PARTS
const NAMES = ["talk", "calls", "bus", "settings"] as const satisfies ReadonlyArray<Part>

const isPart = (name: string | undefined): name is Part => name !== undefined && name in PARTS

const Navigation = ({ open }: { readonly open: Part }) => {
  const { nav } = useStrings()
  return (
    <nav aria-label={nav.label}>
      {NAMES.map((name) => (
        <a key={name} href={`#/${name}`} aria-current={name === open ? "page" : undefined}>
          {nav[name]}
        </a>
      ))}
    </nav>
  )
}

/** For a browser that has not come through a one-time link. */
const Door = ({ retry }: { readonly retry: () => void }) => {
  const { door } = useStrings()
  return (
    <main className="door">
      <h1>{door.title}</h1>
      <p>
        <WithCode text={door.text} />
      </p>
      <pre>
        <code>{door.command}</code>
      </pre>
      <Button onPress={retry}>{door.retry}</Button>
    </main>
  )
}

export interface InstanceStatus {
  readonly version: string
  readonly offline: boolean
}

const Frame = () => {
  const { nav, common } = useStrings()
  const [name] = useRoute()
  const open = isPart(name) ? name : "talk"
  const status = useApi<InstanceStatus>("/instance/status")
  const Content = PARTS[open]
  useEffect(() => {
    document.title = `${nav[open]} – Voxbus`
  }, [open, nav])
  if (status.problem?.code === "access.denied") return <Door retry={status.reload} />
  return (
    <>
      <a
        className="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault()
          document.querySelector<HTMLElement>("#content")?.focus()
        }}
      >
        {nav.skip}
      </a>
      <header>
        <a className="brand" href="#/talk">
          <img src="/icon.svg" alt="" width="28" height="28" />
          Voxbus
        </a>
        <Navigation open={open} />
      </header>
      <main id="content" tabIndex={-1} key={open}>
        {status.problem !== undefined && <ProblemNote problem={status.problem} retry={status.reload} />}
        <Suspense fallback={<p role="status">{common.loading}</p>}>
          <Content />
        </Suspense>
      </main>
      <Deleted />
    </>
  )
}

export const App = () => (
  <PreferencesProvider>
    <Frame />
  </PreferencesProvider>
)

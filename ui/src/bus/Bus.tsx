/** The bus as a picture: who works on what, what passes, what went wrong. With a session in the address: its timeline. */
import { useRef, useState } from "react"
import { Input, Label, TextField } from "react-aria-components"
import type { BusEvent } from "../events.ts"
import { useStrings } from "../preferences.tsx"
import { useRoute } from "../route.ts"
import { EventList } from "./EventList.tsx"
import { Inspector } from "./Inspector.tsx"
import { Letters } from "./Letters.tsx"
import { RecentSessions } from "./RecentSessions.tsx"
import { Map, type MapHandle } from "./Map.tsx"
import { Timeline } from "./Timeline.tsx"
import { useBus } from "./useBus.ts"
import "./bus.css"

const Live = () => {
  const { bus } = useStrings()
  const map = useRef<MapHandle>(null)
  const { events, actors, perSecond } = useBus((event) => map.current?.show(event))
  const [filter, setFilter] = useState("")
  const [open, setOpen] = useState<BusEvent>()
  return (
    <>
      <h1>{bus.title}</h1>
      <div className="card picture">
        <Map ref={map} actors={actors} />
        <p className="muted legend">
          <span>{bus.counts}</span>
          <span className="rate">{bus.rate(perSecond)}</span>
        </p>
      </div>
      <div className="bus-columns">
        <section aria-labelledby="events-title">
          <div className="row spread">
            <h2 id="events-title">{bus.events}</h2>
            <TextField className="react-aria-TextField filter" value={filter} onChange={setFilter}>
              <Label className="visually-hidden">{bus.filter}</Label>
              <Input placeholder={bus.filter} />
            </TextField>
          </div>
          <EventList events={events} filter={filter.trim()} onOpen={setOpen} />
        </section>
        <div>
          <Letters />
          <RecentSessions />
        </div>
      </div>
      <Inspector event={open} onOpen={setOpen} onClose={() => setOpen(undefined)} />
    </>
  )
}

export const Bus = () => {
  const [, session] = useRoute()
  return session === undefined ? <Live /> : <Timeline session={session} />
}

/** Recording a call: where it comes from, how loud it is, how long it is, and what can be done with it. */
import { useState, useSyncExternalStore } from "react"
import { Button, Input, Label, TextField } from "react-aria-components"
import type { Device } from "../../../contract/RecordingCommands.ts"
import { api } from "../api.ts"
import { clock } from "../parts/clock.ts"
import { Select } from "../parts/Select.tsx"
import { useAction } from "../parts/useAction.ts"
import { useStrings } from "../preferences.tsx"
import { useApi } from "../useApi.ts"
import { callRecorder, type CallRecorder, isLive, type RecorderView, type Source } from "./CallRecorder.ts"
import { LevelMeter } from "./LevelMeter.tsx"
import { ProblemNote } from "../parts/ProblemNote.tsx"

const sourceOf = (chosen: string): Source =>
  chosen === "microphone" || chosen === "tab"
    ? { kind: "browser", audio: chosen }
    : { kind: "device", device: chosen.slice("device:".length) }

const Start = ({ recorder, busy }: { readonly recorder: CallRecorder; readonly busy: boolean }) => {
  const { calls } = useStrings()
  const asked = useApi<{ readonly devices: ReadonlyArray<Device> }>("/devices/list")
  const devices = asked.data?.devices ?? []
  const [chosen, setChosen] = useState("microphone")
  const [title, setTitle] = useState("")
  const [ticket, setTicket] = useState("")
  const allowing = useAction()
  const device = devices.find(({ id }) => `device:${id}` === chosen)
  const blocked = device?.allowed === false
  const badTicket = !/^[A-Za-z0-9_-]{0,64}$/.test(ticket)
  return (
    <form
      className="record-form"
      onSubmit={(event) => {
        event.preventDefault()
        void recorder.start(sourceOf(chosen), title.trim(), ticket.trim())
      }}
    >
      <Select
        label={calls.source}
        value={chosen}
        onChange={setChosen}
        options={[
          { value: "microphone", label: calls.sources.microphone },
          { value: "tab", label: calls.sources.tab },
          ...devices.map(({ id, name, kind, allowed }) => ({
            value: `device:${id}`,
            label: `${kind === "monitor" ? calls.sources.monitor : calls.sources.device}: ${name}${allowed ? "" : ` (${calls.blocked})`}`
          }))
        ]}
      />
      <TextField value={title} onChange={setTitle} maxLength={200}>
        <Label>{calls.titleOf}</Label>
        <Input placeholder={calls.titlePlaceholder} />
      </TextField>
      <TextField className="react-aria-TextField ticket" value={ticket} onChange={setTicket} maxLength={64} isInvalid={badTicket}>
        <Label>{calls.ticket}</Label>
        <Input placeholder="T-42" />
      </TextField>
      {blocked ? (
        <Button
          isDisabled={allowing.busy}
          onPress={() =>
            void allowing.run(async () => {
              await api.post("/devices/allow", { pattern: device.id, allow: true })
              asked.reload()
            })
          }
        >
          {calls.allow}
        </Button>
      ) : (
        <Button type="submit" className="react-aria-Button record" isDisabled={busy || badTicket}>
          <span className="record-dot" aria-hidden="true" /> {calls.record}
        </Button>
      )}
      {blocked && <p className="muted wide">{device.reason}</p>}
      {badTicket && <p className="wide bad">{calls.badTicket}</p>}
      {allowing.problem !== undefined && <ProblemNote problem={allowing.problem} />}
    </form>
  )
}

const Running = ({ recorder, view }: { readonly recorder: CallRecorder; readonly view: RecorderView }) => {
  const { calls } = useStrings()
  const { status } = view
  if (status === undefined) return null
  const paused = status.state === "PAUSED"
  const { wants } = view
  return (
    <div className="running" data-state={status.state}>
      <div className="running-head">
        <p className="phase" role="status">
          <span className="record-dot" aria-hidden="true" /> {calls.states[status.state]}
        </p>
        <p className="timer">
          <span className="visually-hidden">{calls.recorded} </span>
          {clock(status.recordedSeconds)}
        </p>
        <p className="muted">
          {status.title === "" || status.title === status.source ? status.source : `${status.title} · ${status.source}`}
        </p>
      </div>
      <LevelMeter peak={view.peak} idle={paused} />
      <div className="row">
        <Button isDisabled={view.busy} onPress={() => void recorder.act(paused ? "resume" : "pause")}>
          {paused ? calls.resume : calls.pause}
        </Button>
        <Button className="react-aria-Button primary" isDisabled={view.busy} onPress={() => void recorder.act("stop")}>
          {calls.stop}
        </Button>
        <Button isDisabled={view.busy} onPress={() => void recorder.act("discard")}>
          {calls.discard}
        </Button>
        {wants !== undefined && (
          <Button className="react-aria-Button primary" onPress={() => void recorder.giveAgain(wants)}>
            {calls.giveAgain}
          </Button>
        )}
      </div>
      {wants !== undefined && <p role="status">{calls.wants}</p>}
    </div>
  )
}

const Ended = ({ recorder, view }: { readonly recorder: CallRecorder; readonly view: RecorderView }) => {
  const { calls, common } = useStrings()
  const { status } = view
  if (status?.session === undefined) return null
  const left = status.undoUntilMs === undefined ? 0 : Math.ceil((status.undoUntilMs - Date.now()) / 1000)
  if (left > 0)
    return (
      <p className="row ended" role="status">
        {calls.discarded}
        <Button onPress={() => void recorder.act("undo")}>
          {common.undo} <span aria-hidden="true">({left} s)</span>
        </Button>
      </p>
    )
  if (status.state === "IDLE") return null
  return (
    <p className="row ended" role="status">
      {calls.states[status.state]}
      {status.chunks > 0 && status.state !== "COMPLETED" && (
        <span className="muted">{calls.parts(status.settledChunks, status.chunks)}</span>
      )}
      <a href={`#/calls/${status.session}`}>{calls.openIt}</a>
      {status.state === "COMPLETED" && <Button onPress={() => recorder.forget()}>{common.close}</Button>}
    </p>
  )
}

export const Recorder = () => {
  const { calls } = useStrings()
  const recorder = callRecorder()
  const view = useSyncExternalStore(recorder.subscribe, recorder.view)
  const live = isLive(view.status)
  return (
    <section className="card recorder" aria-labelledby="record-title">
      <h2 id="record-title">{calls.recordTitle}</h2>
      {view.problem !== undefined && (
        <div role="alert" className="problem">
          <strong>{view.problem.message}</strong> {view.problem.fix}
        </div>
      )}
      {live ? <Running recorder={recorder} view={view} /> : <Start recorder={recorder} busy={view.busy} />}
      {!live && <Ended recorder={recorder} view={view} />}
      {view.status?.problem !== undefined && <p className="bad">{view.status.problem}</p>}
    </section>
  )
}

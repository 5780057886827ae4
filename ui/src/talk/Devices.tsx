/** Which microphone hears and which loudspeaker speaks. Browsers name them only after the microphone was used once. */
import { useEffect, useState } from "react"
import { Select } from "../parts/Select.tsx"
import { useStrings } from "../preferences.tsx"
import { canChooseSpeaker } from "./player.ts"
import type { TalkSession } from "./TalkSession.ts"

/** What the browser calls `default` is the choice of nothing. */
const isReal = ({ deviceId }: MediaDeviceInfo) => deviceId !== "" && deviceId !== "default"

const useDevices = (microphoneUsed: boolean): ReadonlyArray<MediaDeviceInfo> => {
  const [devices, setDevices] = useState<ReadonlyArray<MediaDeviceInfo>>([])
  useEffect(() => {
    // Without a secure origin there is no list.
    const media = navigator.mediaDevices as MediaDevices | undefined
    if (media === undefined) return
    const ask = () => void media.enumerateDevices().then(setDevices, () => setDevices([]))
    ask()
    media.addEventListener("devicechange", ask)
    return () => media.removeEventListener("devicechange", ask)
  }, [microphoneUsed])
  return devices.filter(isReal)
}

export const Devices = ({ session, microphoneUsed }: { readonly session: TalkSession; readonly microphoneUsed: boolean }) => {
  const { talk } = useStrings()
  const devices = useDevices(microphoneUsed)
  const [chosen, setChosen] = useState({ microphone: session.device, speaker: session.speaker })
  const options = (kind: MediaDeviceKind, wanted: string) => {
    const known = devices.filter((each) => each.kind === kind).map(({ deviceId, label }) => ({ value: deviceId, label: label || deviceId }))
    const missing = wanted !== "" && !known.some(({ value }) => value === wanted)
    return [{ value: "", label: talk.usual }, ...known, ...(missing ? [{ value: wanted, label: talk.notThere }] : [])]
  }
  return (
    <details className="devices">
      <summary>{talk.devices}</summary>
      <div className="row end">
        <Select
          label={talk.microphoneChoice}
          value={chosen.microphone}
          options={options("audioinput", chosen.microphone)}
          onChange={(microphone) => {
            session.chooseMicrophone(microphone)
            setChosen({ ...chosen, microphone })
          }}
        />
        {canChooseSpeaker && (
          <Select
            label={talk.speakerChoice}
            value={chosen.speaker}
            options={options("audiooutput", chosen.speaker)}
            onChange={(speaker) => {
              session.chooseSpeaker(speaker)
              setChosen({ ...chosen, speaker })
            }}
          />
        )}
      </div>
      <p className="muted hint">{talk.devicesMean}</p>
    </details>
  )
}

/** Plays a call: waveform, who speaks when, gaps, and the keys of every player. */
import { forwardRef, lazy, Suspense, useEffect, useImperativeHandle, useRef, useState } from "react"
import { Button } from "react-aria-components"
import { clock } from "../parts/clock.ts"
import { Select } from "../parts/Select.tsx"
import { useStrings } from "../preferences.tsx"
import { colourOf, speakersOf } from "./speakers.ts"
import type { SegmentOf, TranscriptPage } from "./useTranscript.ts"

const Waveform = lazy(async () => ({ default: (await import("./Waveform.tsx")).Waveform }))

/** Hertz of the timeline that gaps are counted on. */
const RATE = 16_000
/** The whole audio is decoded to draw it: beyond an hour that costs more memory than it is worth. */
const LONGEST_DRAWN = 3_600

export interface PlayerHandle {
  readonly play: (seconds: number) => void
  readonly seek: (seconds: number) => void
}

interface Props {
  readonly session: string
  readonly duration: number
  readonly segments: ReadonlyArray<SegmentOf>
  readonly gaps: TranscriptPage["coverage"]["gaps"]
  readonly onTime: (seconds: number) => void
}

/** Who speaks when, and what is missing, below the waveform and on the same scale. */
const Strip = ({ duration, segments, gaps }: Pick<Props, "duration" | "segments" | "gaps">) => {
  const speakers = speakersOf(segments)
  const place = (start: number, end: number) =>
    ({ "--from": start / duration, "--width": Math.max(0, end - start) / duration }) as React.CSSProperties
  return (
    <div className="strip" aria-hidden="true">
      {segments.map(({ number, start, end, speaker }) => (
        <span key={number} className="said" style={{ ...place(start, end), "--hue": colourOf(speakers, speaker) } as React.CSSProperties} />
      ))}
      {gaps.map(({ start, end }) => (
        <span key={start} className="missing" style={place(start / RATE, end / RATE)} />
      ))}
    </div>
  )
}

export const Player = forwardRef<PlayerHandle, Props>(({ session, duration, segments, gaps, onTime }, handle) => {
  const { calls } = useStrings()
  const audio = useRef<HTMLAudioElement>(null)
  const [element, setElement] = useState<HTMLAudioElement | null>(null)
  const [playing, setPlaying] = useState(false)
  const [time, setTime] = useState(0)
  const [broken, setBroken] = useState(false)
  const [speed, setSpeed] = useState("1")
  const source = `/api/sessions/${session}/audio`

  const seek = (seconds: number) => {
    if (audio.current === null) return
    audio.current.currentTime = Math.max(0, Math.min(duration, seconds))
  }
  const play = () => void audio.current?.play().catch(() => setBroken(true))
  useImperativeHandle(handle, () => ({
    seek,
    play: (seconds) => {
      seek(seconds)
      play()
    }
  }))
  useEffect(() => setElement(audio.current), [])
  // `timeupdate` comes four times a second: too seldom to mark a word.
  useEffect(() => {
    if (!playing) return
    let frame = 0
    const look = () => {
      const now = audio.current?.currentTime ?? 0
      onTime(now)
      setTime(now)
      frame = requestAnimationFrame(look)
    }
    frame = requestAnimationFrame(look)
    return () => cancelAnimationFrame(frame)
  }, [playing, onTime])

  const show = () => {
    const now = audio.current?.currentTime ?? 0
    setTime(now)
    onTime(now)
  }
  return (
    <section className="card player" aria-label={calls.player}>
      {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- the transcript below is the caption */}
      <audio
        ref={audio}
        src={source}
        preload="metadata"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onSeeked={show}
        onError={() => setBroken(true)}
      />
      <div className="wave">
        {element !== null && duration <= LONGEST_DRAWN && (
          <Suspense fallback={null}>
            <Waveform media={element} source={source} />
          </Suspense>
        )}
      </div>
      <Strip duration={duration} segments={segments} gaps={gaps} />
      <div className="player-row">
        <Button
          className="react-aria-Button primary play"
          aria-label={playing ? calls.pausePlaying : calls.play}
          onPress={() => (playing ? audio.current?.pause() : play())}
        >
          <span aria-hidden="true">{playing ? "❚❚" : "▶"}</span>
        </Button>
        <input
          type="range"
          className="seek"
          aria-label={calls.position}
          aria-valuetext={`${clock(time)} / ${clock(duration)}`}
          min={0}
          max={duration}
          step={0.1}
          value={time}
          onChange={(event) => seek(Number(event.target.value))}
        />
        <span className="timer">
          {clock(time)} / {clock(duration)}
        </span>
        <Select
          label={calls.speed}
          hideLabel
          value={speed}
          options={["0.75", "1", "1.25", "1.5", "2"].map((value) => ({ value, label: `${value}×` }))}
          onChange={(value) => {
            setSpeed(value)
            if (audio.current !== null) audio.current.playbackRate = Number(value)
          }}
        />
      </div>
      {broken && <p className="muted">{calls.noAudio}</p>}
    </section>
  )
})

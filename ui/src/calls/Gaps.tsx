/** How much of the speech is in the transcript, and every place where something is missing. */
import { Button } from "react-aria-components"
import { clock } from "../parts/clock.ts"
import { useStrings } from "../preferences.tsx"
import type { TranscriptPage } from "./useTranscript.ts"

const RATE = 16_000

export const Gaps = ({
  coverage,
  onPlay
}: {
  readonly coverage: TranscriptPage["coverage"]
  readonly onPlay: (seconds: number) => void
}) => {
  const { calls } = useStrings()
  const { ratio, gaps, speechSamples, transcribedSamples } = coverage
  return (
    <section className="card" aria-labelledby="coverage-title">
      <h2 id="coverage-title">{calls.coverage}</h2>
      <p>{calls.coveredOf(Math.round(ratio * 1000) / 10, clock(transcribedSamples / RATE), clock(speechSamples / RATE))}</p>
      <div className="bar-back" aria-hidden="true">
        <div className="bar-front" style={{ "--ratio": ratio } as React.CSSProperties} />
      </div>
      {gaps.length === 0 ? (
        <p className="muted">{calls.noGaps}</p>
      ) : (
        <ul className="plain">
          {gaps.map(({ start, end, reason }) => (
            <li key={start} className="row">
              <Button
                className="react-aria-Button time"
                aria-label={calls.playFrom(`${clock(start / RATE)}–${clock(end / RATE)}`)}
                onPress={() => onPlay(start / RATE)}
              >
                {clock(start / RATE)}–{clock(end / RATE)}
              </Button>
              <code>{reason}</code>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

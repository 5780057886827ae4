/** How loud it is, one bar for each channel. */
import { useStrings } from "../preferences.tsx"

/** dBFS below which the bar is empty. */
const FLOOR = -60
/** From here on it may be distorted. */
const LOUD = -3

export const LevelMeter = ({ peak, idle }: { readonly peak: ReadonlyArray<number>; readonly idle: boolean }) => {
  const { calls } = useStrings()
  return (
    <div className="meters">
      {(peak.length === 0 ? [-120] : peak).map((dbfs, channel) => {
        const level = idle ? 0 : Math.max(0, Math.min(1, 1 - dbfs / FLOOR))
        const name = peak.length > 1 ? (channel === 0 ? calls.me : calls.others) : calls.level
        return (
          <div key={channel} className="meter-row">
            <span className="muted">{name}</span>
            <div
              role="meter"
              className="meter"
              aria-label={name}
              aria-valuemin={0}
              aria-valuemax={100}
              aria-valuenow={Math.round(level * 100)}
              data-loud={dbfs > LOUD || undefined}
              style={{ "--level": level } as React.CSSProperties}
            >
              <span />
            </div>
          </div>
        )
      })}
    </div>
  )
}

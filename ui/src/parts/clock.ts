/** Times for people. */

const two = (n: number) => String(n).padStart(2, "0")

/** Seconds as `1:05`, or `1:01:05` from an hour on. */
export const clock = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds))
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** A day and a time as the language writes them. */
export const moment = (iso: string, language: string): string =>
  iso === "" ? "" : new Date(iso).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" })

/** Bytes as MB or GB, of 10^6 and 10^9. */
export const size = (bytes: number, language: string): string => {
  const [value, unit] = bytes >= 1e9 ? [bytes / 1e9, "GB"] : [bytes / 1e6, "MB"]
  return `${value.toLocaleString(language, { maximumFractionDigits: value < 10 ? 1 : 0 })} ${unit}`
}

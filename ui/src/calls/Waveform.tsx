/** The waveform of a call. Loaded when a call is opened, and only then: it is not part of the page's first load. */
import { useEffect, useRef } from "react"
import WaveSurfer from "wavesurfer.js"
import { useMedia } from "../parts/useMedia.ts"
import { usePreferences } from "../preferences.tsx"

/** Pixels. The gateway allows exactly the style sheet that comes of it (`WAVEFORM_STYLE` in gateway/LocalOnly.ts). */
const HEIGHT = 72

const colour = (name: string) => {
  // A canvas knows no `light-dark()`: an element resolves it.
  const probe = document.createElement("span")
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const found = getComputedStyle(probe).color
  probe.remove()
  return found
}

export const Waveform = ({ media, source }: { readonly media: HTMLAudioElement; readonly source: string }) => {
  const place = useRef<HTMLDivElement>(null)
  const { theme } = usePreferences()
  const dark = useMedia("(prefers-color-scheme: dark)")
  useEffect(() => {
    if (place.current === null) return
    const wave = WaveSurfer.create({
      container: place.current,
      media,
      height: HEIGHT,
      barWidth: 2,
      barGap: 1,
      barRadius: 2,
      normalize: true,
      cursorWidth: 2,
      dragToSeek: true,
      waveColor: colour("--muted"),
      progressColor: colour("--accent"),
      cursorColor: colour("--accent")
    })
    wave.load(source).catch(() => undefined)
    return () => wave.destroy()
  }, [media, source, theme, dark])
  return <div ref={place} aria-hidden="true" />
}

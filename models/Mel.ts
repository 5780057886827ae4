/**
 * The mel filterbank of Whisper, as librosa makes it: Slaney's mel scale (linear below 1 kHz, logarithmic above),
 * triangles of area one, for a 400-point FFT at 16 kHz. Computed in double precision, stored as float32.
 */

const RATE = 16_000
const FFT = 400
/** Frequencies of the spectrum: 0 Hz to 8 kHz in steps of 40 Hz. */
export const SPECTRUM = FFT / 2 + 1

const LINEAR_HZ = 200 / 3
const BREAK_HZ = 1_000
const BREAK_MEL = BREAK_HZ / LINEAR_HZ
const LOG_STEP = Math.log(6.4) / 27

const toMel = (hz: number): number => (hz < BREAK_HZ ? hz / LINEAR_HZ : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP)
const toHz = (mel: number): number => (mel < BREAK_MEL ? mel * LINEAR_HZ : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL)))

/** `bands` x 201 weights, row by row. */
export const melFilters = (bands: number): Float32Array => {
  const top = toMel(RATE / 2)
  const edges = Array.from({ length: bands + 2 }, (_, index) => toHz((top * index) / (bands + 1)))
  const filters = new Float32Array(bands * SPECTRUM)
  for (let band = 0; band < bands; band++) {
    const [low = 0, centre = 0, high = 0] = edges.slice(band, band + 3)
    const area = 2 / (high - low)
    for (let bin = 0; bin < SPECTRUM; bin++) {
      const hz = (bin * RATE) / FFT
      const rise = (hz - low) / (centre - low)
      const fall = (high - hz) / (high - centre)
      filters[band * SPECTRUM + bin] = area * Math.max(0, Math.min(rise, fall))
    }
  }
  return filters
}

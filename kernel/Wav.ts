/** A WAV file around `s16le` samples. */

/** Bytes of the canonical RIFF header. */
const HEADER = 44

/**
 * @param pcm `s16le`, channels interleaved
 * @param sampleRate hertz
 * @returns the whole file
 */
export const wavBytes = (pcm: Uint8Array, sampleRate: number, channels: number): Buffer => {
  const header = Buffer.alloc(HEADER)
  header.write("RIFF", 0, "latin1")
  header.writeUInt32LE(HEADER - 8 + pcm.length, 4)
  header.write("WAVEfmt ", 8, "latin1")
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(channels, 22)
  header.writeUInt32LE(sampleRate, 24)
  header.writeUInt32LE(sampleRate * channels * 2, 28)
  header.writeUInt16LE(channels * 2, 32)
  header.writeUInt16LE(16, 34)
  header.write("data", 36, "latin1")
  header.writeUInt32LE(pcm.length, 40)
  return Buffer.concat([header, pcm])
}

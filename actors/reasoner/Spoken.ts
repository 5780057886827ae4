/**
 * Text as it can be said aloud: without markdown, emoji and addresses. Models write these whatever the prompt says, and
 * a voice reads an asterisk as "asterisk".
 */

// Pictographs with their modifiers and joiners, flags; not the (c), (r) and (tm) signs, which are letters to a reader.
const EMOJI = /(?![©®™])(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|\uFE0F|\u200D|\u20E3)+/gu

/** @returns one line without markup; empty when nothing of `text` can be said */
export const spoken = (text: string): string => {
  const clean = text
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/\bhttps?:\/\/(?:www\.)?([^\s/]+)\S*/g, "$1")
    .replaceAll(/<\/?[a-z][^>]*>/gi, " ")
    .replaceAll(/^\s*(?:#{1,6}\s+|>\s+|[-*+•–]\s+|\d{1,2}[.)]\s+)+/gm, "")
    .replaceAll(/[*`~|]+/g, "")
    .replaceAll(/(^|\W)_+(?=\w)|(?<=\w)_+(?=\W|$)/g, "$1")
    .replaceAll(EMOJI, "")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\s+([,.;:!?])/g, "$1")
    .trim()
  return /[\p{L}\p{N}]/u.test(clean) ? clean : ""
}

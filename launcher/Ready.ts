/** What a worker tells the launcher over the channel between them when it takes events. */
export const READY = "ready"

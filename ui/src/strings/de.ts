/** Jedes Wort der Seite auf Deutsch. */
import { calls } from "./de.calls.ts"
import { settings } from "./de.settings.ts"
import type { Strings } from "./en.ts"

export const de: Strings = {
  language: "Deutsch",
  nav: { label: "Hauptmenü", talk: "Sprechen", calls: "Anrufe", bus: "Bus", settings: "Einstellungen", skip: "Zum Inhalt" },
  status: { ok: "Bereit", degraded: "Etwas fehlt", starting: "Startet", offline: "Nicht verbunden" },
  door: {
    title: "Voxbus kennt diesen Browser noch nicht",
    text: "Öffne den Link, den `npx voxbus start` ausgegeben hat, oder führe dies aus und öffne, was es ausgibt:",
    command: "npx voxbus open",
    retry: "Noch einmal"
  },
  common: {
    loading: "Lädt",
    retry: "Noch einmal",
    close: "Schließen",
    cancel: "Abbrechen",
    save: "Speichern",
    undo: "Rückgängig",
    delete: "Löschen",
    nothing: "Noch nichts hier",
    copied: "Kopiert"
  },
  talk: {
    title: "Sprechen",
    conversation: "Gespräch",
    lead: "Halte die Taste und sprich.",
    how: "Oder halte die Leertaste. Lass los, wenn du fertig bist; Escape beendet die Antwort. Nichts verlässt diesen Rechner, solange du keinen Anbieter einrichtest.",
    button: "Zum Sprechen halten",
    hold: "Zum Sprechen halten",
    letGo: "Lass los, wenn du fertig bist",
    handsFree: "Freihändig",
    justSpeak: "Einfach sprechen; eine Pause beendet die Frage. In eine Antwort hineinsprechen hält sie an.",
    level: "Mikrofonpegel",
    stop: "Stopp",
    send: "Senden",
    type: "Frage eintippen",
    placeholder: "Oder tippe eine Frage",
    clear: "Neues Gespräch",
    devices: "Mikrofon und Lautsprecher",
    microphoneChoice: "Mikrofon",
    speakerChoice: "Lautsprecher",
    usual: "Was der Browser nimmt",
    notThere: "Nicht angeschlossen",
    devicesMean: "Der Browser nennt sie, sobald das Mikrofon benutzt wurde. Die Wahl gilt ab der nächsten Frage.",
    phases: {
      CONNECTING: "Verbindet",
      IDLE: "Bereit",
      LISTENING: "Hört zu",
      TRANSCRIBING: "Schreibt mit",
      THINKING: "Denkt nach",
      SPEAKING: "Spricht",
      ERROR: "Etwas ging schief"
    },
    microphone: {
      ready: "Das Mikrofon ist bereit. Halte die Taste, während du sprichst.",
      fix: "Tippe deine Frage, oder erlaube das Mikrofon in der Adressleiste.",
      NotAllowedError: "Der Browser lässt diese Seite nicht ans Mikrofon.",
      NotFoundError: "Es gibt kein Mikrofon.",
      NotReadableError: "Das Mikrofon wird von einem anderen Programm benutzt."
    }
  },
  calls,
  settings,
  bus: {
    title: "Bus",
    map: "Die Akteure und was zwischen ihnen läuft",
    events: "Ereignisse",
    filter: "Nach Betreff oder Akteur filtern",
    quiet: "Noch ist nichts geschehen. Sag etwas, oder importiere einen Anruf.",
    counts: "In den Kreisen: Ereignisse, seit diese Seite offen ist.",
    published: (n: number) => (n === 1 ? "1 Ereignis" : `${n} Ereignisse`),
    recent: "Neueste Sitzungen",
    conversation: "Gespräch",
    call: "Anruf",
    rate: (n: number) => `${n.toFixed(1).replace(".", ",")} Ereignisse pro Sekunde`,
    waiting: (n: number) => `${n} warten`,
    restarts: (n: number) => (n === 1 ? "kam einmal wieder" : `kam ${n}-mal wieder`),
    status: { ready: "bereit", starting: "startet", degraded: "eingeschränkt", down: "ausgefallen", unknown: "noch nichts gehört" },
    subject: "Betreff",
    place: "Stelle",
    by: "Von",
    cause: "Woraus es folgt",
    first: "Es ist das erste seiner Sitzung.",
    body: "Inhalt",
    openTimeline: "Zeitverlauf der Sitzung",
    timeline: "Zeitverlauf",
    back: "Bus",
    spans: (events: number, time: string) => `${events} Ereignisse in ${time}`,
    more: "Dies sind die ersten 500 Ereignisse.",
    letters: (n: number) => (n === 0 ? "Unzustellbares" : `Unzustellbares (${n})`),
    noLetters: "Nichts: alles konnte bearbeitet werden.",
    attempts: (n: number) => (n === 1 ? "1 Versuch" : `${n} Versuche`),
    retry: "Noch einmal",
    retrying: "Wird noch einmal versucht",
    drop: "Beiseitelegen",
    droppedOne: "Beiseitegelegt."
  },
  theme: { label: "Darstellung", system: "Wie das System", light: "Hell", dark: "Dunkel" }
}

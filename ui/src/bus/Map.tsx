/** The actors as nodes, and every event as a dot that goes from who made it to who takes it. */
import { forwardRef, useCallback, useImperativeHandle, useRef } from "react"
import type { BusEvent } from "../events.ts"
import { useMedia } from "../parts/useMedia.ts"
import { useStrings } from "../preferences.tsx"
import { EDGES, hueOf, NARROW, type Node, nodeOf, takersOf, wayOf, WIDE } from "./flows.ts"
import type { ActorState } from "./useBus.ts"

const TRAVEL_MS = 700
/** More than these at once are a blur that only costs time. */
const MOST_DOTS = 60
const SVG = "http://www.w3.org/2000/svg"

export interface MapHandle {
  readonly show: (event: BusEvent) => void
}

const ActorNode = ({ node, state }: { readonly node: Node; readonly state: ActorState | undefined }) => {
  const { bus } = useStrings()
  const status = state?.status ?? "unknown"
  const waiting = state?.waiting ?? 0
  const restarts = state?.restarts ?? 0
  const label = [
    `${node.name}: ${bus.status[status as keyof typeof bus.status] ?? status}`,
    bus.published(state?.published ?? 0),
    ...(waiting > 0 ? [bus.waiting(waiting)] : []),
    ...(restarts > 0 ? [bus.restarts(restarts)] : [])
  ].join(", ")
  return (
    <g
      className="node"
      data-node={node.name}
      data-status={status}
      transform={`translate(${node.x} ${node.y})`}
      role="img"
      aria-label={label}
    >
      <title>{state?.detail || label}</title>
      <circle className="halo" r="6.2" />
      <circle className="disc" r="4.8" />
      <circle className="light" r="0.9" cy="-2.3" />
      <text y="1.6" className="count">
        {state?.published ?? 0}
      </text>
      <text y="9.2" className="name">
        {node.name}
      </text>
      {waiting > 0 && (
        <text y="-7" className="lag">
          {bus.waiting(waiting)}
        </text>
      )}
      {(restarts > 0 || status === "down") && (
        <text y="11.8" className="restarts">
          {status === "down" ? bus.status.down : bus.restarts(restarts)}
        </text>
      )}
    </g>
  )
}

export const Map = forwardRef<MapHandle, { readonly actors: Readonly<Record<string, ActorState>> }>(({ actors }, handle) => {
  const { bus } = useStrings()
  const dots = useRef<SVGGElement>(null)
  const still = useMedia("(prefers-reduced-motion: reduce)")
  const layout = useMedia("(max-width: 760px)") ? NARROW : WIDE

  const fly = useCallback(
    (from: Node, to: Node, tag: string) => {
      const layer = dots.current
      if (layer === null || still || document.hidden || layer.childElementCount >= MOST_DOTS) return
      const dot = document.createElementNS(SVG, "circle")
      dot.setAttribute("r", "0.95")
      dot.style.fill = `oklch(0.7 0.17 ${hueOf(tag)})`
      dot.style.offsetPath = `path("${wayOf(layout, from, to)}")`
      layer.append(dot)
      const flight = dot.animate([{ offsetDistance: "0%" }, { offsetDistance: "100%" }], { duration: TRAVEL_MS, easing: "ease-in-out" })
      flight.addEventListener("finish", () => dot.remove())
    },
    [layout, still]
  )

  /** The node that has just said something. */
  const glow = useCallback(
    (name: string, tag: string) => {
      if (still || document.hidden) return
      const halo = dots.current?.ownerSVGElement?.querySelector(`[data-node="${CSS.escape(name)}"] .halo`)
      halo?.animate([{ fill: `oklch(0.7 0.17 ${hueOf(tag)} / 60%)` }, {}], { duration: TRAVEL_MS, easing: "ease-out" })
    },
    [still]
  )

  useImperativeHandle(
    handle,
    () => ({
      show: ({ actor, subject, event }) => {
        const from = nodeOf(layout, actor) ?? nodeOf(layout, "gateway")
        if (from === undefined || event._tag === "health.changed" || event._tag === "lag.changed") return
        glow(from.name, event._tag)
        for (const name of takersOf(event._tag, subject.split(".")[2] ?? "")) {
          const to = nodeOf(layout, name)
          if (to !== undefined && to !== from) fly(from, to, event._tag)
        }
      }
    }),
    [fly, glow, layout]
  )

  return (
    <svg className="bus-map" viewBox={`0 0 ${layout.width} ${layout.height}`} role="group" aria-label={bus.map}>
      {EDGES.map(([a, b]) => {
        const [from, to] = [nodeOf(layout, a), nodeOf(layout, b)]
        return from === undefined || to === undefined ? null : <path key={`${a} ${b}`} className="edge" d={wayOf(layout, from, to)} />
      })}
      <g ref={dots} className="dots" aria-hidden="true" />
      {layout.nodes.map((node) => (
        <ActorNode key={node.name} node={node} state={actors[node.name]} />
      ))}
    </svg>
  )
})

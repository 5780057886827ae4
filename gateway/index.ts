/** Gateway: the bus for people and programs, over HTTP and WebSocket on 127.0.0.1. */
export { GatewayAddress, gatewayLayer, gatewayWith } from "./Gateway.ts"
export { ClientMessage, ServerMessage } from "./Protocol.ts"
export { Health } from "./Health.ts"

/** Gateway: the bus for people and programs, over HTTP and WebSocket on 127.0.0.1. */
export { GatewayAddress, gatewayLayer, gatewayWith } from "./Gateway.ts"
export { ClientMessage, MAX_UTTERANCE_SECONDS, ServerMessage } from "./Protocol.ts"
export { MAX_BODY_BYTES } from "./Rest.ts"
export { Health } from "./Health.ts"

// The client library of Rendergate: a place in a pool, from any page.
export { Client, connect, type Options, type Socket } from './connect.js'
export { lobby, type Lobby } from './lobby.js'
export * from './messages.js'
export { decode, type Unusable } from './decode.js'
export { after, holds, viewOf, type Gone, type GoneWhy, type Place, type Seat, type Standing, type State, type View } from './state.js'
export type { SecretStore } from './secret.js'
export { Spectator, type SpectatorOptions, type SpectatorStatus } from './watch.js'
export { type Decoder, type DecoderKind, type Figures } from './decoder.js'

// The messages of GET /v1/pools/{pool}/play, subprotocol rendergate.v1. The
// names are those on the wire. Units are in the names; times are RFC 3339 in
// UTC; loads are fractions of 1.

/** What somebody comes for. */
export type Intent = 'play' | 'watch'

/** Who may look on at a session: all, whom the player lets, nobody. */
export type Sharing = 'open' | 'ask' | 'closed'

/** What a host or a pool can be short of. Newer servers may name others. */
export type Resource =
  | 'cpu' | 'gpu' | 'vram' | 'memory' | 'encoder' | 'encoder_sessions' | 'seats' | 'starting'
  | 'uplink_host' | 'uplink_pool' | 'failing' | 'frames' | 'no_host' | 'stale' | 'paused'

/** A known word, or one that a newer server has added. */
export type Word<Known extends string> = Known | (string & {})

/** Why somebody is not admitted: the resource, where, and the figures. */
export interface Block {
  resource: Word<Resource>
  /** Empty for a resource of the whole pool. */
  host: string
  /** Index of the GPU, where it is one's. */
  device?: number | undefined
  /** With one more session. Fractions, bytes (vram, memory), bits per second (uplinks) or counts. */
  projected: number
  limit: number
}

/** A range in which the wait ends, in seconds from now. */
export interface Wait {
  p50_s: number
  p90_s: number
}

// Client to server.

export interface Join {
  type: 'join'
  intent: Intent
  /** Needed where the pool serves several. */
  app?: string | undefined
  watch_while_waiting?: boolean | undefined
  /** The secret of an earlier welcome. */
  resume?: string | undefined
  /** A JWT of the operator's own login. */
  identity?: string | undefined
}
export interface Accept { type: 'accept'; offer: string }
export interface Decline { type: 'decline'; offer: string }
export interface TicketRequest { type: 'ticket'; session: string }
export interface WatchRequest { type: 'watch'; session?: string | undefined }
export interface Unwatch { type: 'unwatch'; session?: string | undefined }
export interface SetSharing { type: 'sharing'; session: string; mode: Sharing }
export interface Report extends PlayerStats { type: 'report' }
export interface Leave { type: 'leave' }

/** What the player sees of the stream. */
export interface PlayerStats {
  fps: number
  rtt_ms: number
  bitrate_bps: number
  frames_dropped: number
}

export type ClientMessage =
  | Join | Accept | Decline | TicketRequest | WatchRequest | Unwatch | SetSharing | Report | Leave

// Server to client.

export interface Welcome {
  type: 'welcome'
  client: string
  /** The same for the life of the entry or seat. Keep it secret. */
  resume: string
  resumed: boolean
  server_time: string
}
export interface Queued {
  type: 'queued'
  entry: string
  intent: Intent
  /** 1 is next. */
  position: number
  length: number
  class: string
  /** Null while unknown. */
  wait: Wait | null
  blocked_by: Block | null
  /** Why the position got worse. */
  moved?: string | undefined
}
export interface Offered { type: 'offered'; offer: string; session: string; expires_at: string }
export interface Starting { type: 'starting'; session: string; host: string; expected_s: number }
export interface Seated {
  type: 'seated'
  session: string
  host: string
  url: string
  ticket: string
  /** Of the ticket. */
  expires_at: string
  /** Of the session; null means no limit. */
  ends_at: string | null
  sharing: Sharing
  watchers: number
}
export interface Watching {
  type: 'watching'
  session: string
  url: string
  ticket: string
  mime: string
  bitrate_bps: number
}
export interface Refused {
  type: 'refused'
  code: string
  message: string
  blocked_by?: Block | null | undefined
  /** Null or 0: trying again later does not help by itself. */
  retry_after_s?: number | null | undefined
}
export type NoticeCode = 'paused' | 'resumed' | 'ending_soon' | 'host_draining' | 'watched'
export interface Notice {
  type: 'notice'
  code: Word<NoticeCode>
  message: string
  /** With `ending_soon`: when the session ends. */
  ends_at?: string | null | undefined
  /** With `watched`: how many look on now. */
  watchers?: number | undefined
}
export type EndReason =
  | 'left' | 'no_show' | 'idle' | 'length' | 'host_lost' | 'removed' | 'failed' | 'yielded' | 'promoted'
export interface Ended { type: 'ended'; session: string; role: string; reason: Word<EndReason> }
export interface ErrorMessage { type: 'error'; code: string; message: string }

export type ServerMessage =
  | Welcome | Queued | Offered | Starting | Seated | Watching | Refused | Notice | Ended | ErrorMessage

/** The first frame of GET /v1/watch/{session}: what the chunks after it are. */
export interface StreamInfo {
  mime: string
  codec: string
  width: number
  height: number
  rate: number
  audio: boolean
}

/** The subprotocols' names. */
export const playProtocol = 'rendergate.v1'
export const watchProtocol = 'rendergate.watch.v1'

/** The close codes of the play socket. */
export const closeCodes = {
  notTheProtocol: 4400,
  notAuthenticated: 4401,
  originNotAllowed: 4403,
  tooSlow: 4408,
  takenOver: 4409,
  frameTooLarge: 4413,
  tooMany: 4429,
  goingAway: 4503,
} as const

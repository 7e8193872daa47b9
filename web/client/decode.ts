import type {
  Block, Ended, ErrorMessage, Notice, Offered, Queued, Refused, Seated, ServerMessage, Starting, StreamInfo,
  Wait, Watching, Welcome,
} from './messages.js'
import { flag, Malformed, number, object, oneOf, optional, orNull, text, time, type Check } from './shape.js'

const block = object<Block>({
  resource: text, host: text, device: optional(number), projected: number, limit: number,
})
const wait = object<Wait>({ p50_s: number, p90_s: number })

/** One check for each type; TypeScript says if one is missing. */
const checks: { [M in ServerMessage as M['type']]: Check<M> } = {
  welcome: object<Welcome>({ type: oneOf('welcome'), client: text, resume: text, resumed: flag, server_time: time }),
  queued: object<Queued>({
    type: oneOf('queued'), entry: text, intent: oneOf('play', 'watch'), position: number, length: number,
    class: text, wait: orNull(wait), blocked_by: orNull(block), moved: optional(text),
  }),
  offered: object<Offered>({ type: oneOf('offered'), offer: text, session: text, expires_at: time }),
  starting: object<Starting>({ type: oneOf('starting'), session: text, host: text, expected_s: number }),
  seated: object<Seated>({
    type: oneOf('seated'), session: text, host: text, url: text, ticket: text, expires_at: time,
    ends_at: orNull(time), sharing: oneOf('open', 'ask', 'closed'), watchers: number,
  }),
  watching: object<Watching>({
    type: oneOf('watching'), session: text, url: text, ticket: text, mime: text, bitrate_bps: number,
  }),
  refused: object<Refused>({
    type: oneOf('refused'), code: text, message: text, blocked_by: optional(orNull(block)),
    retry_after_s: optional(orNull(number)),
  }),
  notice: object<Notice>({
    type: oneOf('notice'), code: text, message: text, ends_at: optional(orNull(time)), watchers: optional(number),
  }),
  ended: object<Ended>({ type: oneOf('ended'), session: text, role: text, reason: text }),
  error: object<ErrorMessage>({ type: oneOf('error'), code: text, message: text }),
}

const streamInfo = object<StreamInfo>({
  mime: text, codec: text, width: number, height: number, rate: number, audio: flag,
})

/** A frame that cannot be used: `unknown` types are of a newer server, `malformed` ones break the protocol. */
export interface Unusable { type: 'unusable'; kind: 'unknown' | 'malformed'; why: string }

/** Reads one text frame of the play socket. Never throws. */
export function decode(frame: string): ServerMessage | Unusable {
  try {
    const value: unknown = JSON.parse(frame)
    const type = object<{ type: string }>({ type: text })(value, 'the frame').type
    if (!Object.hasOwn(checks, type)) return { type: 'unusable', kind: 'unknown', why: `unknown type ${JSON.stringify(type)}` }
    return checks[type as ServerMessage['type']](value, type)
  } catch (err) {
    return { type: 'unusable', kind: 'malformed', why: reason(err) }
  }
}

/** Reads the first frame of a watch socket. Throws a Malformed. */
export function decodeStreamInfo(frame: string): StreamInfo {
  try {
    return streamInfo(JSON.parse(frame), 'the stream')
  } catch (err) {
    throw new Malformed(reason(err))
  }
}

function reason(err: unknown): string {
  return err instanceof SyntaxError ? `not JSON: ${err.message}` : String(err instanceof Error ? err.message : err)
}

import { Malformed, object, optional, text, type Check } from './shape.js'

/** What anybody may know of a pool. */
export interface Lobby {
  pool: string
  apps: string[]
  /** What counts as the host, where it is not the whole machine. */
  note?: string | undefined
}

function listOf<T>(check: Check<T>): Check<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw new Malformed(`${at} is no list`)
    return value.map((v, i) => check(v, `${at}[${i}]`))
  }
}

const answer = object<{ items: Lobby[] }>({
  items: listOf(object<Lobby>({ pool: text, apps: listOf(text), note: optional(text) })),
})

/** The pools of a service that can be joined, without login. */
export async function lobby(url: string | URL): Promise<Lobby[]> {
  const response = await fetch(new URL('/v1/lobby', url))
  if (!response.ok) throw new Error(`the service answers ${response.status}`)
  return answer(await response.json(), 'the lobby').items
}

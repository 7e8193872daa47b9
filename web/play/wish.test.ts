import { expect, it } from 'vitest'
import { wishOf } from './wish.js'

it.each([
  ['', { intent: 'play', pool: null, app: undefined, session: undefined }],
  ['?pool=a%20b&app=yacht', { intent: 'play', pool: 'a b', app: 'yacht', session: undefined }],
  ['?watch', { intent: 'watch', pool: null, app: undefined, session: undefined }],
  ['?watch=s1&pool=', { intent: 'watch', pool: null, app: undefined, session: 's1' }],
])('%s', (query, want) => expect(wishOf(query)).toEqual(want))

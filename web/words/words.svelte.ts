// The language of the page: the browser's, unless somebody has switched.
import { en, type Key } from './en.js'
import { fill, type Values } from './fill.js'
import { number, type Speaker } from './say.js'
import { zh } from './zh.js'

const dictionaries = { en, zh }
const tags = { en: 'en-GB', zh: 'zh-Hans' }
export type Language = keyof typeof dictionaries
export const languages = Object.keys(dictionaries) as Language[]

const stored = 'rendergate language'

/** The first of the wanted languages that there is; English if there is none. */
export function choose(wanted: readonly string[]): Language {
  for (const w of wanted) {
    const found = languages.find((l) => w.toLowerCase().split('-')[0] === l)
    if (found) return found
  }
  return 'en'
}

function kept(): string[] {
  try {
    const l = localStorage.getItem(stored)
    return l === null ? [] : [l]
  } catch {
    return []
  }
}

class Words implements Speaker {
  #now = $state<Language>('en')

  get now(): Language {
    return this.#now
  }

  /** The tag of the language, for Intl and the page's lang attribute. */
  get language(): string {
    return tags[this.#now]
  }

  /** The language's own name. */
  name(l: Language): string {
    return dictionaries[l]['language.name']
  }

  t = (key: Key, values?: Values): string => fill(dictionaries[this.#now][key], values, (n) => number(this, n, 1))

  /** The text under the prefix for a word from the server, or null if it is a newer one. */
  of(prefix: string, word: string, values?: Values): string | null {
    const key = `${prefix}.${word}`
    return Object.hasOwn(en, key) ? this.t(key as Key, values) : null
  }

  begin(): void {
    this.#set(choose([...kept(), ...navigator.languages]))
  }

  switch(to: Language): void {
    this.#set(to)
    try {
      localStorage.setItem(stored, to)
    } catch {
      // Then it lasts for this page.
    }
  }

  #set(to: Language): void {
    this.#now = to
    document.documentElement.lang = this.language
  }
}

export const words = new Words()
export const t = words.t

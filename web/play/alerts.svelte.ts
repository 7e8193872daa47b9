// How somebody in another tab notices that it is their turn: a sound, the
// title, the icon, and a notification where that was allowed.
import call from '../look/icon-call.svg'
import calm from '../look/icon.svg'

const stored = 'rendergate sound'

function soundWanted(): boolean {
  try {
    return localStorage.getItem(stored) !== 'off'
  } catch {
    return true
  }
}

class Alerts {
  #sound = $state(soundWanted())
  #allowed = $state(typeof Notification === 'undefined' ? 'denied' : Notification.permission)
  #audio: AudioContext | null = null
  #shown: Notification | null = null

  /** Whether a sound is wanted. Browsers allow it after a first click or key only. */
  get sound(): boolean {
    return this.#sound
  }

  set sound(wanted: boolean) {
    this.#sound = wanted
    if (wanted) this.chime(0.3)
    try {
      localStorage.setItem(stored, wanted ? 'on' : 'off')
    } catch {
      // Then it lasts for this page.
    }
  }

  /** Whether notifications are granted, denied, or not yet asked for. */
  get notifications(): NotificationPermission {
    return this.#allowed
  }

  async askToNotify(): Promise<void> {
    this.#allowed = await Notification.requestPermission()
  }

  /** Makes sound possible from the first click or key on. */
  unlockOnGesture(): () => void {
    const unlock = () => {
      this.#audio ??= new AudioContext()
      void this.#audio.resume()
    }
    const stop = new AbortController()
    for (const gesture of ['pointerdown', 'keydown']) {
      addEventListener(gesture, unlock, { once: true, signal: stop.signal })
    }
    return () => stop.abort()
  }

  /** Calls: once, and again if nobody looks. Returns what ends the call. */
  begin(text: string): () => void {
    if (this.#sound) this.chime(1)
    const again = setInterval(() => {
      if (this.#sound && document.hidden) this.chime(1)
    }, 5000)
    this.#icon(call)
    if (document.hidden) this.#notify(text)
    return () => {
      clearInterval(again)
      this.#icon(calm)
      this.#shown?.close()
      this.#shown = null
    }
  }

  /** Three rising notes. Volume is 0 to 1. */
  chime(volume: number): void {
    const audio = this.#audio
    if (audio?.state !== 'running') return
    const notes = [523.25, 659.25, 783.99]
    notes.forEach((frequency, i) => note(audio, { frequency, volume, at: audio.currentTime + i * 0.16 }))
  }

  #notify(text: string): void {
    if (this.#allowed !== 'granted') return
    this.#shown = new Notification('Rendergate', { body: text, icon: call, tag: 'rendergate-offer', requireInteraction: true })
    this.#shown.onclick = () => window.focus()
  }

  #icon(href: string): void {
    document.querySelector('link[rel=icon]')?.setAttribute('href', href)
  }
}

function note(audio: AudioContext, n: { frequency: number; volume: number; at: number }): void {
  const tone = audio.createOscillator()
  const loud = audio.createGain()
  tone.type = 'triangle'
  tone.frequency.value = n.frequency
  loud.gain.setValueAtTime(0.0001, n.at)
  loud.gain.exponentialRampToValueAtTime(0.35 * n.volume, n.at + 0.02)
  loud.gain.exponentialRampToValueAtTime(0.0001, n.at + 0.5)
  tone.connect(loud).connect(audio.destination)
  tone.start(n.at)
  tone.stop(n.at + 0.55)
}

export const alerts = new Alerts()

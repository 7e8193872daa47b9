import { mount } from 'svelte'
import '../look/base.css'
import { words } from '../words/words.svelte.js'
import Play from './Play.svelte'

words.begin()
const target = document.getElementById('app')
if (!target) throw new Error('index.html has no #app')
mount(Play, { target })

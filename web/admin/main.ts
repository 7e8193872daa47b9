import { mount } from 'svelte'
import '../look/base.css'
import { words } from '../words/words.svelte.js'
import Admin from './Admin.svelte'

words.begin()
const target = document.getElementById('app')
if (!target) throw new Error('admin.html has no #app')
mount(Admin, { target })

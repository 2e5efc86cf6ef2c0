/** What the audit takes from the compat client's tables: presets by version, and the switches with their explanations. */
import { presets, switches } from '../compat/index.js'
import { type SwitchInfo, signatureSwitches } from './divergence.js'
import { type Library, versionAtLeast } from './python-signatures.js'

/** The effect of frameworks on differences between the libraries. */

export { type FrameworkTarget, frameworkTarget, frameworkTargets } from './clients.js'
export { type FrameworkReport, type FrameworkVersions, frameworkView, knownFrameworks } from './view.js'

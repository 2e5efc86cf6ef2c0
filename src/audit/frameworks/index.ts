/** What frameworks do with differences between the libraries. */
export { type FrameworkReport, type FrameworkVersions, frameworkView, knownFrameworks } from './view.js'

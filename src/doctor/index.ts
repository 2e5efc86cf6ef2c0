/** memshim/doctor: what an endpoint is, what it can do, and what of an application it would refuse. */
export {
  DoctorError,
  type DoctorOptions,
  type DoctorReport,
  doctor,
  type Examined,
  type Finding,
} from './doctor.js'
export { renderDoctor } from './render.js'
export { usedCommands } from './used-commands.js'

/** memshim/doctor: the kind of an endpoint, its commands, and the commands of an application that it would refuse. */
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

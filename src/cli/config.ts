/**
 * Options from a file, so that they need not be typed each time. An option at the top level applies to every command that has it, an option
 * under a command's name to this command. Options on the command line override both.
 */

import type { Command, Option } from 'commander'
import { inputFile, largest } from './input-file.js'
import { listed, UsageError } from './usage.js'

const usualFile = 'memshim.config.json'

/** Options whose meaning differs from options of the same name of other commands: the audit empties its servers. */
const unshared: Readonly<Record<string, readonly string[]>> = { audit: ['servers'] }

type Settings = Readonly<Record<string, unknown>>

/** Arguments for the program. */
export interface Configured {
  /** The arguments of the command line, with the options of the file after the command. */
  readonly words: readonly string[]
  /** The attributes of the options that only the file gives. */
  readonly fromFile: readonly string[]
}

/**
 * @param typed the arguments of the command line
 * @throws UsageError for a file that cannot be read or has another form, and for options that no command has
 */
export async function configured(
  program: Command,
  typed: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Configured> {
  const { file, words } = fileOf(typed, environment.MEMSHIM_CONFIG)
  const [name = ''] = words
  const command = program.commands.find((one) => one.name() === name)
  const settings = command && file && (await settingsIn(file.path, file.named))
  if (!settings) return { words, fromFile: [] }
  checkNames(program, settings, file.path)
  const given = optionsFor(command, settings, file.path, words)
  return {
    words: [name, ...given.flatMap(({ words: option }) => option), ...words.slice(1)],
    fromFile: given.map(({ option }) => option.attributeName()),
  }
}

/** Marks the options that only the file gives, so that a command can tell them from typed ones. */
export function markFromFile(program: Command, fromFile: readonly string[]): void {
  program.hook('preAction', (_, command) => {
    for (const name of fromFile)
      command.setOptionValueWithSource(name, command.getOptionValue(name), 'config')
  })
}

interface ConfigFile {
  readonly path: string
  /** The file was given by the user, and must exist. */
  readonly named: boolean
}

/** `--config` is given before the command, so that it cannot be an option of the command. */
function fileOf(
  typed: readonly string[],
  environment: string | undefined,
): { file?: ConfigFile; words: string[] } {
  const usual: ConfigFile =
    environment === undefined || environment === ''
      ? { path: usualFile, named: false }
      : { path: environment, named: true }
  const [first = '', second] = typed
  if (first === '--no-config') return { words: typed.slice(1) }
  if (first.startsWith('--config='))
    return { file: named(first.slice('--config='.length)), words: typed.slice(1) }
  if (first === '--config') return { file: named(second ?? ''), words: typed.slice(2) }
  return { file: usual, words: [...typed] }
}

function named(path: string): ConfigFile {
  if (path === '') throw new UsageError('--config needs the name of a file')
  return { path, named: true }
}

async function settingsIn(path: string, named: boolean): Promise<Settings | undefined> {
  let text: string
  try {
    text = (await inputFile(path, path, largest.settings)).toString('utf8')
  } catch (error) {
    const { code } = ((error as UsageError).cause ?? {}) as NodeJS.ErrnoException
    if (!named && code === 'ENOENT') return undefined
    throw error
  }
  try {
    const settings: unknown = JSON.parse(text)
    if (isSettings(settings)) return settings
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`)
  }
  throw new UsageError(
    `${path} is not a JSON object: {"servers": ["10.0.0.1:11211"], "scan": {"rate": 20000}}`,
  )
}

function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws UsageError for a name that is neither a command nor an option of one */
function checkNames(program: Command, settings: Settings, path: string): void {
  const options = new Set(program.commands.flatMap((command) => command.options.map(nameOf)))
  for (const [name, value] of Object.entries(settings)) {
    const command = program.commands.find((one) => one.name() === name)
    if (!command && !options.has(name))
      throw new UsageError(
        `${path}: ${JSON.stringify(name)} is neither a command nor an option of one; commands are ${listed(program.commands.map((one) => one.name()))}`,
      )
    // A name that is both a command and an option is the option, unless its value holds options.
    if (!command || (!isSettings(value) && options.has(name))) continue
    if (!isSettings(value))
      throw new UsageError(`${path}: ${JSON.stringify(name)} must hold the options of the command`)
    for (const option of Object.keys(value))
      if (!command.options.some((one) => nameOf(one) === option))
        throw new UsageError(
          `${path}: memshim ${name} has no option ${JSON.stringify(option)}; it has ${listed(command.options.map(nameOf))}`,
        )
  }
}

/** The name without dashes: `fail-on`. */
function nameOf(option: Option): string {
  return (option.long ?? option.short ?? '').replace(/^-+/, '')
}

function optionsFor(
  command: Command,
  settings: Settings,
  path: string,
  words: readonly string[],
): readonly { readonly option: Option; readonly words: readonly string[] }[] {
  const own = settings[command.name()]
  const found: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(settings)) {
    if (name !== command.name() && !unshared[command.name()]?.includes(name)) found[name] = value
  }
  if (isSettings(own)) Object.assign(found, own)
  return command.options.flatMap((option) => {
    const name = nameOf(option)
    const flags = [option.long, option.short]
    const isTyped = words.some((word) =>
      flags.some((flag) => flag && (word === flag || word.startsWith(`${flag}=`))),
    )
    if (isTyped || !Object.hasOwn(found, name)) return []
    return [{ option, words: written(option, found[name], `${path}: ${name}`) }]
  })
}

/** @throws UsageError for a value that the option cannot have */
function written(option: Option, value: unknown, place: string): string[] {
  const flag = option.long ?? option.short ?? ''
  if (!option.required && !option.optional) {
    if (typeof value !== 'boolean')
      throw new UsageError(`${place} is ${JSON.stringify(value)}, neither true nor false`)
    return value ? [flag] : []
  }
  if (option.optional && typeof value === 'boolean') return value ? [flag] : []
  const values = Array.isArray(value) ? value : [value]
  return values.map((one) => {
    if (typeof one !== 'string' && typeof one !== 'number')
      throw new UsageError(
        `${place} is ${JSON.stringify(value)}: text, a number, or a list of them is needed`,
      )
    return `${flag}=${one}`
  })
}

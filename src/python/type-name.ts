/** Python's name of the type of a value, for messages of both libraries. Source: CPython's `tp_name`, measured through pylibmc 1.6.3. */
import { brandOf } from '../ground/brand.js'

/** By the brands of the value classes. Types that CPython writes in C have their module's name, those written in Python do not. */
const names: Readonly<Record<string, string>> = {
  'values.PyFloat': 'float',
  'values.PyTuple': 'tuple',
  'values.PyFrozenSet': 'frozenset',
  'values.PyByteArray': 'bytearray',
  'values.PyComplex': 'complex',
  'values.PyGlobal': 'type',
  'values.PyPersistent': 'object',
  'values.PyOrderedDict': 'collections.OrderedDict',
  'values.PyDefaultDict': 'collections.defaultdict',
  'values.PyCounter': 'Counter',
  'values.PyDeque': 'collections.deque',
  'values.PyDecimal': 'decimal.Decimal',
  'values.PyFraction': 'Fraction',
  'values.PyUuid': 'UUID',
  'values.PyRange': 'range',
  'values.PySlice': 'slice',
  'values.PyTimeDelta': 'datetime.timedelta',
  'values.PyTimeZone': 'datetime.timezone',
  'values.PyDate': 'datetime.date',
  'values.PyTime': 'datetime.time',
  'values.PyDateTime': 'datetime.datetime',
}

/** Classes written in C whose objects are kept as `PythonObject`. */
const namedWithModule = new Set(['zoneinfo.ZoneInfo'])

/** Python's name of the value's type, as its own messages show it, e.g. `decimal.Decimal`. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Uint8Array) return 'bytes'
  switch (typeof value) {
    case 'string':
      return 'str'
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int'
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float'
    case 'object':
      return objectTypeName(value)
    default:
      return typeof value
  }
}

function objectTypeName(value: object): string {
  const brand = brandOf(value)
  if (brand === 'values.PyIterator' || brand === 'values.PyView')
    return (value as { readonly className: string }).className
  if (brand === 'values.PyUnpicklable')
    return (value as { readonly className: string }).className.replace(/^builtins\./, '')
  if (brand === 'values.PythonObject') return className((value as { readonly type: unknown }).type)
  if (brand !== undefined && Object.hasOwn(names, brand)) return names[brand]!
  return value instanceof Set ? 'set' : 'dict'
}

/** The class of a `PythonObject`, by its `PyGlobal`: the class itself, or a class method that makes the object (`ZoneInfo._unpickle`). */
function className(type: unknown): string {
  if (typeof type !== 'object' || type === null || brandOf(type) !== 'values.PyGlobal') return 'object'
  const { module, name, byGetattr } = type as Record<'module' | 'name', string> & { byGetattr?: boolean }
  const path = name.split('.').slice(0, byGetattr ? -1 : undefined)
  const full = [module, ...path].join('.')
  return namedWithModule.has(full) ? full : (path.at(-1) ?? 'object')
}

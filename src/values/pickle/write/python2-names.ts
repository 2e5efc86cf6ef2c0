/**
 * The names of Python 2 and Python 3 that pickles of protocols 0–2 translate (`fix_imports`). The tables have the entries of
 * CPython 3.11's `_compat_pickle`; test/differential/values/values-live.test.ts compares each of them.
 */

import { PyGlobal } from '../../classes/built-ins.js'

/** python2=python3, for reading and writing. */
const MODULES = `
  __builtin__=builtins copy_reg=copyreg Queue=queue SocketServer=socketserver ConfigParser=configparser
  repr=reprlib tkFileDialog=tkinter.filedialog tkSimpleDialog=tkinter.simpledialog
  tkColorChooser=tkinter.colorchooser tkCommonDialog=tkinter.commondialog Dialog=tkinter.dialog
  Tkdnd=tkinter.dnd tkFont=tkinter.font tkMessageBox=tkinter.messagebox ScrolledText=tkinter.scrolledtext
  Tkconstants=tkinter.constants Tix=tkinter.tix ttk=tkinter.ttk Tkinter=tkinter markupbase=_markupbase
  _winreg=winreg thread=_thread dummy_thread=_dummy_thread dbhash=dbm.bsd dumbdbm=dbm.dumb dbm=dbm.ndbm
  gdbm=dbm.gnu xmlrpclib=xmlrpc.client SimpleXMLRPCServer=xmlrpc.server httplib=http.client
  htmlentitydefs=html.entities HTMLParser=html.parser Cookie=http.cookies cookielib=http.cookiejar
  BaseHTTPServer=http.server test.test_support=test.support commands=subprocess urlparse=urllib.parse
  robotparser=urllib.robotparser urllib2=urllib.request anydbm=dbm _abcoll=collections.abc`
/** python2=python3, only for reading. */
const MODULES_READ = `
  cPickle=pickle _elementtree=xml.etree.ElementTree FileDialog=tkinter.filedialog
  SimpleDialog=tkinter.simpledialog DocXMLRPCServer=xmlrpc.server SimpleHTTPServer=http.server
  CGIHTTPServer=http.server UserDict=collections UserList=collections UserString=collections whichdb=dbm
  StringIO=io cStringIO=io`
/** python2=python3, only for writing. */
const MODULES_WRITTEN = `
  bz2=_bz2 dbm=_dbm functools=_functools gdbm=_gdbm pickle=_pickle`
/** module:name in Python 2 = module:name in Python 3, for reading and writing. */
const NAMES = `
  __builtin__:xrange=builtins:range __builtin__:reduce=functools:reduce __builtin__:intern=sys:intern
  __builtin__:unichr=builtins:chr __builtin__:unicode=builtins:str __builtin__:long=builtins:int
  itertools:izip=builtins:zip itertools:imap=builtins:map itertools:ifilter=builtins:filter
  itertools:ifilterfalse=itertools:filterfalse itertools:izip_longest=itertools:zip_longest
  UserDict:IterableUserDict=collections:UserDict UserList:UserList=collections:UserList
  UserString:UserString=collections:UserString whichdb:whichdb=dbm:whichdb _socket:fromfd=socket:fromfd
  _multiprocessing:Connection=multiprocessing.connection:Connection
  multiprocessing.process:Process=multiprocessing.context:Process
  multiprocessing.forking:Popen=multiprocessing.popen_fork:Popen
  urllib:ContentTooShortError=urllib.error:ContentTooShortError urllib:getproxies=urllib.request:getproxies
  urllib:pathname2url=urllib.request:pathname2url urllib:quote_plus=urllib.parse:quote_plus
  urllib:quote=urllib.parse:quote urllib:unquote_plus=urllib.parse:unquote_plus
  urllib:unquote=urllib.parse:unquote urllib:url2pathname=urllib.request:url2pathname
  urllib:urlcleanup=urllib.request:urlcleanup urllib:urlencode=urllib.parse:urlencode
  urllib:urlopen=urllib.request:urlopen urllib:urlretrieve=urllib.request:urlretrieve
  urllib2:HTTPError=urllib.error:HTTPError urllib2:URLError=urllib.error:URLError
  multiprocessing:AuthenticationError=multiprocessing.context:AuthenticationError
  multiprocessing:BufferTooShort=multiprocessing.context:BufferTooShort
  multiprocessing:ProcessError=multiprocessing.context:ProcessError
  multiprocessing:TimeoutError=multiprocessing.context:TimeoutError`
const NAMES_READ = `
  __builtin__:basestring=builtins:str exceptions:StandardError=builtins:Exception
  UserDict:UserDict=collections:UserDict socket:_socketobject=socket:SocketType`
const NAMES_WRITTEN = `
  __builtin__:reduce=_functools:reduce FileDialog:FileDialog=tkinter.filedialog:FileDialog
  FileDialog:LoadFileDialog=tkinter.filedialog:LoadFileDialog
  FileDialog:SaveFileDialog=tkinter.filedialog:SaveFileDialog
  SimpleDialog:SimpleDialog=tkinter.simpledialog:SimpleDialog
  DocXMLRPCServer:ServerHTMLDoc=xmlrpc.server:ServerHTMLDoc
  DocXMLRPCServer:XMLRPCDocGenerator=xmlrpc.server:XMLRPCDocGenerator
  DocXMLRPCServer:DocXMLRPCRequestHandler=xmlrpc.server:DocXMLRPCRequestHandler
  DocXMLRPCServer:DocXMLRPCServer=xmlrpc.server:DocXMLRPCServer
  DocXMLRPCServer:DocCGIXMLRPCRequestHandler=xmlrpc.server:DocCGIXMLRPCRequestHandler
  SimpleHTTPServer:SimpleHTTPRequestHandler=http.server:SimpleHTTPRequestHandler
  CGIHTTPServer:CGIHTTPRequestHandler=http.server:CGIHTTPRequestHandler socket:_socketobject=_socket:socket
  exceptions:ImportError=builtins:ModuleNotFoundError`
/** Classes of `builtins` that Python 2's module `exceptions` has under the same name. */
const EXCEPTIONS = `
  ArithmeticError AssertionError AttributeError BaseException BufferError BytesWarning DeprecationWarning
  EOFError EnvironmentError Exception FloatingPointError FutureWarning GeneratorExit IOError ImportError
  ImportWarning IndentationError IndexError KeyError KeyboardInterrupt LookupError MemoryError NameError
  NotImplementedError OSError OverflowError PendingDeprecationWarning ReferenceError RuntimeError
  RuntimeWarning StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TypeError
  UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning
  UserWarning ValueError Warning ZeroDivisionError`
/** Classes that are written as Python 2's OSError. */
const OS_ERRORS = `
  BrokenPipeError ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError
  ConnectionResetError FileExistsError FileNotFoundError InterruptedError IsADirectoryError
  NotADirectoryError PermissionError ProcessLookupError TimeoutError`

type Pair = readonly [string, string]

const words = (text: string) => text.trim().split(/\s+/)
const pairs = (text: string) => words(text).map((word) => word.split('=') as unknown as Pair)
const turned = (all: readonly Pair[]) => all.map(([a, b]): Pair => [b, a])

interface Tables {
  readonly modules3: ReadonlyMap<string, string>
  readonly modules2: ReadonlyMap<string, string>
  readonly names3: ReadonlyMap<string, string>
  readonly names2: ReadonlyMap<string, string>
}

let made: Tables | undefined

/** The tables are made on first use: few programs need them, and making them delays a program's start by more than a millisecond. */
function tables(): Tables {
  if (made !== undefined) return made
  const exceptions = words(EXCEPTIONS).map((name): Pair => [`exceptions:${name}`, `builtins:${name}`])
  made = {
    modules3: new Map([...pairs(MODULES), ...pairs(MODULES_READ)]),
    modules2: new Map(turned([...pairs(MODULES), ...pairs(MODULES_WRITTEN)])),
    names3: new Map([...pairs(NAMES), ...pairs(NAMES_READ), ...exceptions]),
    names2: new Map([
      ...turned([...pairs(NAMES), ...pairs(NAMES_WRITTEN), ...exceptions]),
      ...words(OS_ERRORS).map((name): Pair => [`builtins:${name}`, 'exceptions:OSError']),
    ]),
  }
  return made
}

function translated(
  module: string,
  name: string,
  names: ReadonlyMap<string, string>,
  modules: ReadonlyMap<string, string>,
): Pair {
  const whole = names.get(`${module}:${name}`)
  return whole === undefined ? [modules.get(module) ?? module, name] : (whole.split(':') as unknown as Pair)
}

/** Module and name in Python 3. */
export function python3Name(module: string, name: string): Pair {
  const { names3, modules3 } = tables()
  return translated(module, name, names3, modules3)
}

/** Module and name in Python 2. */
export function python2Name(module: string, name: string): Pair {
  const { names2, modules2 } = tables()
  return translated(module, name, names2, modules2)
}

/** The class or function with this name in Python 2. */
export function python2Global(module: string, name: string): PyGlobal {
  const [module3, name3] = python3Name(module, name)
  const [module2, name2] = python2Name(module3, name3)
  const follows = module2 === module && name2 === name
  return new PyGlobal(module3, name3, follows ? undefined : `${module} ${name}`)
}

/** Module and name for protocols 0–2. */
export function writtenInPython2({ module, name, python2 }: PyGlobal): Pair {
  if (python2 === undefined) return python2Name(module, name)
  const blank = python2.indexOf(' ')
  return [python2.slice(0, blank), python2.slice(blank + 1)]
}

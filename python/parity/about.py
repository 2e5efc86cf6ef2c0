"""Lists the client libraries of an interpreter, for Python 2.7 and 3: run as a program it prints one JSON object.

    {"python": "3.11.7", "libraries": {"pylibmc": {"version": "1.6.3", "libmemcached": "1.1.4", "file": "x"}}, "failures": {"python-memcached": "ImportError: x"}}
"""

from __future__ import print_function

import importlib
import io
import json
import os
import platform
import re
import sys

MODULES = {"pylibmc": "pylibmc", "python-memcached": "memcache"}
if sys.version_info[0] >= 3:
    MODULES["pymemcache"] = "pymemcache"


def describe(library, module):
    """The facts of a loaded library that its recordings name."""
    info = {"library": library, "python": platform.python_version(), "version": installed_version(library, module)}
    if library == "pylibmc":
        info["libmemcached"] = libmemcached()
    return info


def installed_version(library, module):
    """The version in the package's metadata; without metadata the module's own."""
    given = os.environ.get("MEMSHIM_LIBRARY_VERSION")
    if given:
        return given
    try:
        from importlib.metadata import version

        return version(library)
    except Exception:
        return str(getattr(module, "__version__", "unknown"))


def libmemcached():
    """Version of the loaded shared library; `unknown` if the system has no /proc."""
    try:
        with io.open("/proc/self/maps", encoding="utf-8") as maps:
            paths = sorted({line.split()[-1] for line in maps if "libmemcached" in line})
    except (IOError, OSError):
        return "unknown"
    for path in paths:
        with open(path, "rb") as file:
            found = re.search(br"\b1\.\d+\.\d+\b", file.read())
            if found:
                return found.group().decode("ascii")
    return "unknown"


def main():
    libraries = {}
    failures = {}
    for library, name in sorted(MODULES.items()):
        try:
            module = importlib.import_module(name)
        except Exception as error:
            failures[library] = "%s: %s" % (type(error).__name__, error)
            continue
        libraries[library] = dict(describe(library, module), file=module.__file__)
    print(json.dumps({"python": platform.python_version(), "libraries": libraries, "failures": failures}))


if __name__ == "__main__":
    main()

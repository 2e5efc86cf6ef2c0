"""pymemcache's exceptions."""


class MemcacheError(Exception):
    pass


class MemcacheClientError(MemcacheError):
    pass


class MemcacheUnknownCommandError(MemcacheClientError):
    pass


class MemcacheIllegalInputError(MemcacheClientError):
    pass


class MemcacheServerError(MemcacheError):
    pass


class MemcacheUnknownError(MemcacheError):
    pass


class MemcacheUnexpectedCloseError(MemcacheServerError):
    pass

/** The reason why a file cannot be read or written, in words. Source of the codes: Node's documentation of system errors. */

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'it is a folder',
  EACCES: 'you do not have the permission',
  EPERM: 'you do not have the permission',
  EROFS: 'its file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'your quota of the disk is used up',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'it is a symbolic link to itself',
}

/** `the disk is full (ENOSPC)`; the code alone, or the message, of an error that is not in the table. */
export function fileReason(error: unknown): string {
  const { code, message } = (
    error instanceof Error ? error : new Error(String(error))
  ) as NodeJS.ErrnoException
  if (code === undefined) return message
  return Object.hasOwn(reasons, code) ? `${reasons[code]} (${code})` : code
}

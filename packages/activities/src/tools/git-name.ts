/** Marks that some file systems do not see in a name: U+200C to U+200F and their like, and combining marks. */
const UNSEEN = /[\p{M}\p{Default_Ignorable_Code_Point}]/gu

/**
 * Whether a name is git's own on any file system a workspace may lie on: in another case, in letters that look alike to
 * one of them, with characters that one does not see, as NTFS's short name, with a stream or with dots and spaces at its
 * end.
 */
export function isGitName(name: string): boolean {
  const plain = name.normalize('NFKD').replaceAll(UNSEEN, '').toLowerCase().replaceAll('ı', 'i')
  return plain.split('\\').some((part) => /^(?:\.git|git~\d+)[. ]*(?::.*)?$/s.test(part))
}

import { type Attempt, refused, run, sh, type Targets } from './attempt.ts'

const OUTSIDE = /outside the workspace|leads outside|link/
const GIT = /git's own files/

/** Paths that lead out, as a model may give them. */
export const pathAttempts = ({ secretFile, otherWorkspace }: Targets): Attempt[] => [
  refused('dots', 'read_file', { path: '../../../../../../etc/hostname' }, OUTSIDE),
  refused('dots behind a folder', 'read_file', { path: 'src/../../secret' }, OUTSIDE),
  refused(
    'dots behind its name in the sandbox',
    'read_file',
    { path: '/workspace/../etc/hostname' },
    OUTSIDE,
  ),
  refused('git’s files by it', 'read_file', { path: '/workspace/.git/config' }, GIT),
  refused('an absolute path', 'read_file', { path: secretFile }, OUTSIDE),
  refused('an absolute path to be written', 'write_file', { path: secretFile, content: 'x' }, OUTSIDE),
  refused('dots to be written', 'write_file', { path: '../planted', content: 'x' }, OUTSIDE),
  refused('another session’s workspace', 'read_file', { path: `${otherWorkspace}/README.md` }, OUTSIDE),
  refused('to write it', 'write_file', { path: `${otherWorkspace}/planted`, content: 'x' }, OUTSIDE),
  refused('to list the folder above', 'list_dir', { path: '..' }, OUTSIDE),
  refused('to search the folder above', 'search_files', { pattern: 'CANARY', path: '..' }, OUTSIDE),
  refused('the worker’s environment', 'read_file', { path: '/proc/self/environ' }, OUTSIDE),
  refused('the root through /proc', 'read_file', { path: '/proc/self/root/etc/hostname' }, OUTSIDE),
  refused('a NUL in a path', 'read_file', { path: 'README.md\0/../../x' }, /NUL|outside/),
  refused('git’s configuration', 'read_file', { path: '.git/config' }, GIT),
  refused('to write it', 'write_file', { path: '.git/config', content: '[core]\n\tfsmonitor = x' }, GIT),
  refused('to edit it', 'edit_file', { path: '.git/config', old: '[core]', new: '[x]' }, GIT),
  refused('a hook', 'write_file', { path: '.git/hooks/post-checkout', content: '#!/bin/sh' }, GIT),
  refused('alternates', 'write_file', { path: '.git/objects/info/alternates', content: '/' }, GIT),
  refused('git’s files by another case', 'write_file', { path: '.GIT/config', content: 'x' }, GIT),
  refused('by an ignored character', 'write_file', { path: '.g\u200cit/config', content: 'x' }, GIT),
  refused('by a short name', 'write_file', { path: 'git~1/config', content: 'x' }, GIT),
  refused(
    'by a trailing blank',
    'write_file',
    { path: '.git /config', content: 'x' },
    /git's own files|odd|keeps/,
  ),
  refused('by a detour', 'read_file', { path: 'src/../.git/HEAD' }, GIT),
  refused('a repository within', 'write_file', { path: 'sub/.git/config', content: 'x' }, GIT),
]

/** Links that a command plants, and a file tool then follows. */
export const linkAttempts = ({ secretFile, outside, dataDir }: Targets): Attempt[] => [
  sh(
    'to plant links',
    `ln -s ${secretFile} to-file; ln -s ${outside} to-dir; ln -s to-file to-link; ln -s /proc/self/environ to-proc; ln -s .git/config to-git; ln -s .git git-dir; mkfifo pipe; ln -s loop loop; ln -s ${outside}/new to-new; echo planted`,
    /planted/,
  ),
  refused('a link to a file', 'read_file', { path: 'to-file' }, OUTSIDE),
  refused('a chain of links', 'read_file', { path: 'to-link' }, OUTSIDE),
  refused('a link to a folder', 'list_dir', { path: 'to-dir' }, OUTSIDE),
  refused('a file through it', 'read_file', { path: 'to-dir/secret' }, OUTSIDE),
  refused('a search through it', 'search_files', { pattern: 'CANARY', path: 'to-dir' }, OUTSIDE),
  refused('to write through a link', 'write_file', { path: 'to-file', content: 'x' }, OUTSIDE),
  refused('to write into a linked folder', 'write_file', { path: 'to-dir/planted', content: 'x' }, OUTSIDE),
  refused('to edit through a link', 'edit_file', { path: 'to-file', old: 'C', new: 'D' }, OUTSIDE),
  refused('to make a file through a link', 'write_file', { path: 'to-new', content: 'x' }, OUTSIDE),
  refused('the environment by a link', 'read_file', { path: 'to-proc' }, OUTSIDE),
  refused('git’s files by a link', 'read_file', { path: 'to-git' }, /git's own files|link/),
  refused(
    'to write through it',
    'write_file',
    { path: 'git-dir/hooks/pre-commit', content: 'x' },
    /git's own files|link/,
  ),
  { name: 'a pipe that never ends', tool: 'read_file', args: { path: 'pipe' }, says: /no regular file/ },
  { name: 'a link to itself', tool: 'read_file', args: { path: 'loop' }, says: /back to itself|link/ },
  sh('a hard link to the outside', `ln ${secretFile} hard 2>&1`, /No such file|failed to access/),
  sh('a hard link to git’s objects', 'ln .git/HEAD hard 2>&1', /cross-device|Invalid/),
  sh('the file itself', `cat ${secretFile} 2>&1`, /No such file/),
  sh('the link, followed inside', 'cat to-file 2>&1', /No such file/),
  sh('the mirror', `ls ${dataDir}/mirrors 2>&1; touch ${dataDir}/mirrors/x 2>&1`, /No such file/),
  sh(
    'the system’s files',
    'for f in / /usr /usr/bin /etc /dev /opt; do [ -w $f ] || echo shut; done',
    /(shut\n){6}/,
  ),
  sh('passwords', 'ls /etc/shadow /etc/ssh /root /home 2>&1', /No such file/),
]

/** Git's own files, from inside, and git's own ways to read, write and run. */
export const gitAttempts = ({ secretFile, outside, otherWorkspace, dataDir }: Targets): Attempt[] => [
  sh('git’s configuration', 'git config core.hooksPath /workspace/hooks 2>&1', /Read-only|could not lock/),
  sh('a hook', 'echo x > .git/hooks/post-checkout', /Read-only|Directory nonexistent|cannot create/),
  sh('alternates', `echo ${dataDir} > .git/objects/info/alternates`, /Read-only|cannot create/),
  sh(
    'objects, which the mirror shares',
    'chmod u+w $(find .git/objects -type f | head -1) 2>&1; find .git/objects -type f | head -1 | xargs -I{} sh -c "echo x >> {}" 2>&1',
    /Read-only/,
  ),
  sh(
    'to put another .git in its place',
    'mv .git old 2>&1; rm -rf .git 2>&1 | tail -1; mkdir -p x && mv x .git 2>&1',
    /busy|Read-only/,
  ),
  sh('to mount over it', 'mount -t tmpfs none .git 2>&1', /permitted|must be superuser|denied/),
  run(
    'an output file outside',
    ['git', 'diff', `--output=${outside}/planted`],
    /No such file|could not open|Read-only/,
  ),
  run(
    'an output file in git’s own',
    ['git', 'diff', '--output=.git/hooks/pre-commit'],
    /Read-only|could not open/,
  ),
  run(
    'a comparison of outside files',
    ['git', 'diff', '--no-index', '/dev/null', secretFile],
    /Could not access|No such file/,
  ),
  run(
    'a comparison of other workspaces',
    ['git', 'diff', '--no-index', '.', otherWorkspace],
    /Could not access|No such file/,
  ),
  run(
    'other programs for git',
    ['git', '--exec-path=/workspace', 'status'],
    /Not currently|On branch|HEAD detached|not a git command/,
  ),
  sh(
    'a file system monitor',
    `printf '#!/bin/sh\\ncat ${secretFile}; echo ran > ${outside}/planted' > m; chmod +x m; git -c core.fsmonitor=./m status 2>&1; ls ${outside} 2>&1`,
    /cannot access/,
  ),
  sh(
    'a filter',
    `echo '* filter=x' > .gitattributes; git -c filter.x.clean="cat ${secretFile}" diff 2>&1; cat ${secretFile} 2>&1; rm .gitattributes`,
    /No such file/,
  ),
  sh(
    'a remote that runs a program',
    `git -c protocol.ext.allow=always ls-remote "ext::sh -c 'cat ${secretFile} >&2'" 2>&1`,
    /No such file|fatal/,
  ),
  sh(
    'a repository within, for the worker’s own git',
    `git init -q sub && cd sub && for key in core.fsmonitor core.sshCommand core.editor diff.external; do git config $key "sh -c 'touch ${outside}/planted'"; done; git config core.hooksPath /workspace/hooks; echo x > x; cd ..; mkdir hooks; for hook in post-checkout pre-commit post-index-change reference-transaction; do printf '#!/bin/sh\ntouch ${outside}/planted' > hooks/$hook; done; chmod +x hooks/*; git config -f .gitconfig core.hooksPath hooks; printf '* filter=x diff=x merge=x\n' > .gitattributes; printf '[submodule "sub"]\n\tpath = sub\n\turl = ext::sh -c touch\n\tupdate = !touch ${outside}/planted\n' > .gitmodules; echo planted`,
    /planted/,
  ),
  sh(
    'a submodule',
    `git -c protocol.file.allow=always submodule add ${otherWorkspace} sub 2>&1`,
    /does not exist|fatal|Read-only|No such/,
  ),
  sh('a worktree in another place', `git worktree add ${outside}/tree 2>&1`, /Read-only|could not create/),
  run(
    'a reporter of another place',
    ['node', '--test', `--test-reporter=${secretFile}`],
    /Cannot find|ERR_MODULE|exit code/,
  ),
  run(
    'a reporter’s output outside',
    ['node', '--test', '--test-reporter=tap', `--test-reporter-destination=${outside}/planted`],
    /ENOENT|no such file/,
  ),
  refused(
    'a command that only begins alike',
    'run_command',
    { argv: ['git-upload-pack', '.'] },
    /not allowed/,
  ),
  refused('the right words as one', 'run_command', { argv: ['git status'] }, /not allowed/),
  refused('the same program elsewhere', 'run_command', { argv: ['/usr/bin/git', 'status'] }, /not allowed/),
  refused(
    'an option before the word',
    'run_command',
    { argv: ['git', '-c', 'alias.status=!id', 'push'] },
    /not allowed/,
  ),
  refused('no list of arguments', 'run_command', { argv: ['true;', 'git', 'status'] }, /not allowed/),
]

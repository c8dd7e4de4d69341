import { execaSync } from 'execa';
import { newService, type TestService } from './service.ts';

/**
 * Runs git in a service.
 * @param service its folder
 * @param args the arguments of git
 * @param reject whether a failure of git is an error
 * @returns what git printed
 */
export function git({ root }: Pick<TestService, 'root'>, args: readonly string[], reject = true): string {
  const identity = ['-c', 'user.name=somebody', '-c', 'user.email=somebody@example.org', '-c', 'commit.gpgsign=false'];
  const editor = { GIT_EDITOR: 'true' };
  return execaSync('git', [...identity, ...args], { cwd: root, reject, env: editor }).stdout;
}

/**
 * @param service a service with a repository
 * @param message of the commit, which has all changes
 */
export function commitAll(service: Pick<TestService, 'root'>, message: string): void {
  git(service, ['add', '--all']);
  git(service, ['commit', '--quiet', '--allow-empty', '--message', message]);
}

/**
 * @param flags of `slipway new`
 * @returns a new service of the preset `minimal`, committed on the branch main
 */
export function committed(...flags: string[]): TestService {
  const service = newService('--preset=minimal', ...flags);
  git(service, ['init', '--quiet', '--initial-branch=main']);
  commitAll(service, 'start');
  return service;
}

/**
 * Does some work on a branch of its own, and goes back to main.
 * @param service a committed service
 * @param name of the branch, which starts at the present commit
 * @param work what somebody does there
 */
export function onBranch(service: TestService, name: string, work: () => void): void {
  git(service, ['checkout', '--quiet', '-b', name]);
  work();
  commitAll(service, name);
  git(service, ['checkout', '--quiet', 'main']);
}

/**
 * @param service a service with a repository
 * @returns files that git has not merged, sorted
 */
export function unmerged(service: Pick<TestService, 'root'>): string[] {
  const names = git(service, ['diff', '--name-only', '--diff-filter=U']).split('\n');
  return names.filter((name) => name !== '').sort();
}

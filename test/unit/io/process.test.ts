import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainFailure, runProcess, withoutSecrets } from '../../../generators/io/process.ts';
import { scratchFolder } from '../../helpers/scratch.ts';

/** Runs a program that prints and fails. */
async function failing(output: string): Promise<string> {
  try {
    await runProcess(
      [process.execPath, '--eval', `process.stdout.write(${JSON.stringify(output)}); process.exitCode = 3`],
      process.cwd(),
    );
  } catch (error) {
    return explainFailure(error, 'npm run check');
  }
  throw new Error('it did not fail');
}

describe('explainFailure', () => {
  it.each([
    [
      'the test that failed, not one that passed',
      '\u001b[32m✓\u001b[39m an error (16)\n FAIL  a.test.ts > adds up\nError: no\n',
      'FAIL  a.test.ts > adds up',
    ],
    [
      'the first error',
      'working\n\u001b[31mnpm error\u001b[39m code ETARGET\nnpm error more\n',
      'npm error code ETARGET',
    ],
    ['the last line where nothing looks like an error', 'one\ntwo\n\n', 'two'],
    ['that there is nothing to tell', '', 'no output'],
    ['no more than a line', `error ${'x'.repeat(300)}\n`, `error ${'x'.repeat(194)}`],
  ])('tells %s', async (_, output, told) => {
    expect(await failing(output)).toBe(`\`npm run check\` exited with 3: ${told}`);
  });

  it('says when the program is not there', async () => {
    const error = await runProcess(['no-such-program'], process.cwd()).catch((fault: unknown) => fault);
    expect(explainFailure(error, 'no-such-program install')).toBe('no-such-program is not on this machine');
  });
});

describe('withoutSecrets', () => {
  const none = { npm_config_userconfig: '/nowhere' };

  it.each([
    ...['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID', 'GITHUB_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_URL', 'PGPASSWORD'],
    ...['DB_PASS', 'MYSQL_PWD', 'OPENAI_API_KEY', 'SIGNING_KEY', 'CI_JOB_JWT', 'GOOGLE_CREDENTIALS', 'SENTRY_DSN'],
  ])('leaves out %s', (name) => {
    expect(withoutSecrets({ ...none, [name]: 'x' })).toEqual(none);
  });

  it.each([
    ['DATABASE_URL', 'postgres://app:secret@db/orders'],
    ['CI_REPOSITORY_URL', 'https://token@gitlab.example.com/a.git'],
  ])('leaves out %s for its value', (name, value) => {
    expect(withoutSecrets({ ...none, [name]: value })).toEqual(none);
  });

  it.each([
    ['PATH', '/bin'],
    ['PWD', '/'],
    ['OLDPWD', '/'],
    ['SSH_AUTH_SOCK', '/run/agent'],
    ['GIT_AUTHOR_NAME', 'a'],
    ['NODE_EXTRA_CA_CERTS', '/ca.pem'],
    ['NODE_AUTH_TOKEN', 'x'],
    ['NPM_TOKEN', 'x'],
    ['npm_config__authToken', 'x'],
    ['https_proxy', 'http://me:secret@proxy:3128'],
    ['HTTP_PROXY', 'http://me:secret@proxy:3128'],
    ['DATABASE_URL', 'postgres://db/orders'],
  ])('keeps %s=%s', (name, value) => {
    expect(withoutSecrets({ ...none, [name]: value })).toEqual({ ...none, [name]: value });
  });

  it('keeps what the user’s own .npmrc names', () => {
    const npmrc = join(scratchFolder(), '.npmrc');
    writeFileSync(npmrc, '//npm.example.com/:_authToken=${COMPANY_TOKEN}\nx=${OTHER_TOKEN?}\n');
    const env = { npm_config_userconfig: npmrc, COMPANY_TOKEN: 'x', OTHER_TOKEN: 'y' };
    expect(withoutSecrets({ ...env, THIRD_TOKEN: 'z' })).toEqual(env);
  });
});

import { describe, expect, it } from 'vitest';
import { explainFailure, runProcess } from '../../../generators/io/process.ts';

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

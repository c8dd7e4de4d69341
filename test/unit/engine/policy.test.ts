import { describe, expect, it } from 'vitest';
import { matchesPattern, parseConflictRule, ruleFor } from '../../../generators/engine/reconcile/policy.ts';

describe('a pattern of paths', () => {
  it.each([
    ['deploy/docker/Dockerfile', 'deploy/docker/Dockerfile', true],
    ['deploy/docker/Dockerfile', 'deploy/**', true],
    ['deploy/docker/Dockerfile', 'deploy/', true],
    ['deploy/docker/Dockerfile', 'deploy', true],
    ['deploy/docker/Dockerfile', './deploy//docker', true],
    ['deploy/docker/Dockerfile', '/deploy', true],
    ['deploy/docker/Dockerfile', 'deploy/*', false],
    ['deploy/docker/Dockerfile', 'deploy/*/Dockerfile', true],
    ['deploy/docker/Dockerfile', 'dep', false],
    ['deploy/docker/Dockerfile', 'docker', false],
    ['deploy/docker/Dockerfile', '**/docker', true],
    ['deploy/docker/Dockerfile', '**/Dockerfile', true],
    ['deploy/docker/Dockerfile', '**', true],
    ['deploy/docker/Dockerfile', '.', true],
    ['Dockerfile', '**/Dockerfile', true],
    ['aDockerfile', '**/Dockerfile', false],
    ['docs/auth.md', 'docs/*.md', true],
    ['docs/runbooks/auth.md', 'docs/*.md', false],
    ['docs/runbooks/auth.md', 'docs/**/*.md', true],
    ['docs/auth.md', 'docs/**/*.md', true],
    ['docs/auth.mdx', 'docs/*.md', false],
    ['docs/a.md', 'docs/?.md', true],
    ['docs/ab.md', 'docs/?.md', false],
    ['a/b', 'a?b', false],
    ['pages/[id].ts', 'pages/[id].ts', true],
    ['pages/i.ts', 'pages/[id].ts', false],
    ['a+b(c).ts', 'a+b(c).ts', true],
    ['aab(c).ts', 'a+b(c).ts', false],
    ['Ünïcode/😀.ts', 'Ünïcode/?.ts', true],
    ['.github/workflows/ci.yaml', '**/*.yaml', true],
    ['.env.example', '*', true],
  ])('%s, %s: %s', (path, pattern, matches) => {
    expect(matchesPattern(path, pattern)).toBe(matches);
  });

  it('from a stranger takes time that grows with its length only', () => {
    // A regular expression would try some 2^100 ways.
    expect(matchesPattern(`${'a'.repeat(2_000)}b`, '*a**'.repeat(100).concat('c'))).toBe(false);
  });
});

describe('--conflict', () => {
  it.each([
    ['ours', { paths: '**', choice: 'ours' }],
    ['theirs:deploy/**', { paths: 'deploy/**', choice: 'theirs' }],
    ['markers:a:b.ts', { paths: 'a:b.ts', choice: 'markers' }],
  ])('%s is a rule', (value, rule) => {
    expect(parseConflictRule(value)).toEqual(rule);
  });

  it.each(['mine', 'theirs:', ':deploy', 'deploy/**', '', 'Theirs', 'constructor'])('%j is refused', (value) => {
    expect(() => parseConflictRule(value)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining('stop, ours, theirs, markers, skip') }),
    );
  });

  it('of several rules, the last one that matches decides', () => {
    const rules = ['theirs', 'ours:deploy', 'markers:deploy/k8s'].map(parseConflictRule);
    expect(['README.md', 'deploy/docker/x', 'deploy/k8s/y'].map((path) => ruleFor([path], rules)?.choice)).toEqual([
      'theirs',
      'ours',
      'markers',
    ]);
    expect(ruleFor(['README.md'], rules.slice(1))).toBeUndefined();
  });
});

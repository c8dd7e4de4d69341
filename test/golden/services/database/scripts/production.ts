/** Looks whether this service is ready for production, as far as its files can tell: `npm run production`. See docs/production.md. */
import { root } from '../test/support/service.ts';
import { checks } from '../test/support/production.ts';

let failed = 0;
for (const { what, look } of checks) {
  const fault = look(root);
  if (fault !== undefined) failed += 1;
  process.stdout.write(fault === undefined ? `  ✓ ${what}\n` : `  ✗ ${what}: ${fault}\n`);
}
process.stdout.write(failed === 0 ? 'What files can tell is done.\n' : `${failed} to do.\n`);
process.stdout.write('What only people can tell stands in docs/production.md.\n');
process.exitCode = failed === 0 ? 0 : 1;

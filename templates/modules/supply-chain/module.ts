import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'supply-chain',
  summary: 'Licences, known vulnerabilities and an SBOM of what runs in production; Renovate',
  category: 'security',
  scripts: {
    licenses: 'node scripts/licenses.ts',
    audit: {
      default: 'npm audit --omit=dev --audit-level=high',
      pnpm: 'pnpm audit --prod --audit-level=high',
      yarn: 'yarn npm audit --environment=production --recursive --severity=high',
      bun: 'bun audit --prod --audit-level=high',
    },
    // The tools are downloaded on demand. pnpm has the command `sbom` from version 11 on; the pnpm that installs is
    // older. npm lists what Yarn and Bun have installed, too. Bun would run `npx` as `bunx`.
    sbom: {
      default:
        'npm exec --yes --omit=optional @cyclonedx/cyclonedx-npm@6 -- --omit dev --flatten-components --output-reproducible',
      pnpm: 'pnpm dlx pnpm@11 --pm-on-fail=ignore sbom --prod --sbom-format=cyclonedx --sbom-spec-version=1.6 --sbom-type=application',
    },
  },
  checks: ['licenses'],
  ownership: { seed: ['scripts/licenses.json', 'renovate.json'] },
  ci: {
    jobs: [
      // Runs on every push, so that a release has no known vulnerability. Renovate checks between pushes.
      { id: 'audit', summary: 'No known vulnerability in production', script: 'audit' },
    ],
  },
  next: {
    added: [
      'scripts/licenses.json lists the allowed licences; enable Renovate for the repository to use renovate.json',
    ],
  },
});

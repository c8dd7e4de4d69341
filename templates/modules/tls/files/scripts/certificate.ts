/** Creates a self-signed certificate for this machine, to try TLS: `npm run certificate`. Browsers do not trust it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { readArguments } from './build.ts';

readArguments('certificate');
const folder = '.certificate';
const days = 30;
// A development dependency: production does not need it.
const { generate } = await import('selfsigned');
const day = 24 * 60 * 60 * 1000;

const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
  keyType: 'ec',
  algorithm: 'sha256',
  notAfterDate: new Date(Date.now() + days * day),
  extensions: [
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
  ],
});
await mkdir(folder, { recursive: true });
await writeFile(`${folder}/tls.crt`, cert);
await writeFile(`${folder}/tls.key`, key, { mode: 0o600 });
// Git must not track it.
await writeFile(`${folder}/.gitignore`, '*\n');
process.stdout.write(`Valid for ${days} days:

  TLS_CERT_FILE=${folder}/tls.crt
  TLS_KEY_FILE=${folder}/tls.key

Put these lines into .env, then: curl --cacert ${folder}/tls.crt https://localhost:8080/version
`);

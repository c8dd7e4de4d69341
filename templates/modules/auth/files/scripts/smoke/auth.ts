/** For `npm run smoke`: a temporary issuer, and a token of it. */
import { SignJWT, exportJWK, generateKeyPair } from 'jose';

const issuer = 'urn:smoke';
const { publicKey, privateKey } = await generateKeyPair('ES256');

export const env = {
  AUTH_ISSUER: issuer,
  AUTH_AUDIENCE: issuer,
  AUTH_JWKS: JSON.stringify({ keys: [await exportJWK(publicKey)] }),
};

const token = await new SignJWT({})
  .setProtectedHeader({ alg: 'ES256' })
  .setIssuer(issuer)
  .setAudience(issuer)
  .setSubject('smoke')
  .setExpirationTime('10 minutes')
  .sign(privateKey);

export const headers = { authorization: `Bearer ${token}` };

import type { Static } from 'typebox';
import { ConfigError } from '../config/config.ts';
import type { config } from './config.ts';
import { type Keys, fileKeys, publicKeySet, staticKeys } from './keys.ts';
import { development, developmentKeys } from './development.ts';

export type Settings = Readonly<Static<typeof config>>;

/** Whose tokens are accepted. */
export interface Trust {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly keys: Keys;
  /** Whether the local issuer stands in for a real one. */
  readonly local: boolean;
}

const sources = ['AUTH_JWKS_URL', 'AUTH_JWKS', 'AUTH_JWKS_FILE'] as const;
const required = 'AUTH_ISSUER, AUTH_AUDIENCE and one of AUTH_JWKS_URL, AUTH_JWKS and AUTH_JWKS_FILE';

/**
 * Decides whose tokens are accepted: those of the configured issuer, or when none of its settings is there those of the local
 * one; never those in production.
 * @param settings of authentication
 * @param production whether the service runs in production
 * @param remote makes the keys of an issuer that publishes them
 * @throws {ConfigError} when settings are missing, too many or wrong
 */
export function trustFrom(settings: Settings, production: boolean, remote: (url: string) => Keys): Trust {
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = settings;
  const given = sources.filter((name) => settings[name] !== '');
  if (issuer === '' && audience === '' && given.length === 0) {
    if (production) fail('AUTH_ISSUER', `${required}: there is no local issuer in production`);
    const keys = developmentKeys(settings.AUTH_DEVELOPMENT_DIR);
    const { algorithm, ...names } = development;
    return { ...names, algorithms: [algorithm], keys, local: true };
  }
  if (issuer === '') fail('AUTH_ISSUER', `the issuer of the tokens; ${required} go together`);
  if (audience === '') fail('AUTH_AUDIENCE', `the name of this API in tokens; ${required} go together`);
  const [source, another] = given;
  if (source === undefined || another !== undefined) {
    fail(another ?? 'AUTH_JWKS_URL', 'exactly one of AUTH_JWKS_URL, AUTH_JWKS and AUTH_JWKS_FILE');
  }
  const keys = source === 'AUTH_JWKS_URL' ? remote(urlOf(settings, production)) : keysIn(settings, source);
  return { issuer, audience, algorithms: settings.AUTH_ALGORITHMS.split(','), keys, local: false };
}

/** Whoever can change the keys on their way can forge every token. */
function urlOf({ AUTH_JWKS_URL: url }: Settings, production: boolean): string {
  if (!URL.canParse(url)) fail('AUTH_JWKS_URL', 'a URL');
  if (production && !url.startsWith('https:')) fail('AUTH_JWKS_URL', 'an https URL in production');
  return url;
}

function keysIn(settings: Settings, source: 'AUTH_JWKS' | 'AUTH_JWKS_FILE'): Keys {
  try {
    if (source === 'AUTH_JWKS_FILE') return fileKeys(settings.AUTH_JWKS_FILE);
    return staticKeys(publicKeySet(JSON.parse(settings.AUTH_JWKS)));
  } catch (error) {
    return fail(source, `public keys as JSON (${error instanceof Error ? error.message : 'unreadable'})`);
  }
}

function fail(variable: string, expected: string): never {
  throw new ConfigError([{ variable, expected }]);
}

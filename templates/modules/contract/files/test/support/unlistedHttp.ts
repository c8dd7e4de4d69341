import { describeApi } from '../../internal/platform/contract/module.ts';
import type { Http } from '../../internal/platform/http/server.ts';
import { unlisted } from './contractWatch.ts';
import { testHttp } from './http.ts';

/**
 * @returns a server for routes that api/openapi.json does not list: their replies are held against what the server says of itself
 */
export async function unlistedHttp(): Promise<Http> {
  const http = await testHttp();
  await describeApi(http);
  http.decorate(unlisted, true);
  return http;
}

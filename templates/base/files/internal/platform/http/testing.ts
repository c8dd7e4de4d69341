/** Settings of an API in a test: on this machine only, at any port; and while all tests run, the machine may be late. */
export const testSettings = { HOST: '127.0.0.1', PORT: '0', HTTP_EVENT_LOOP_DELAY_LIMIT_MS: '60000' };

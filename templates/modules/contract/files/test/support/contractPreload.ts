/** For services that tests start (`node --import`): what breaks the contract is a line of the log, and `stop` throws it. */
import { contract } from './committedContract.ts';
import { watchReplies } from './contractWatch.ts';

watchReplies((exchange) => {
  const breach = contract.breach(exchange);
  if (breach !== undefined)
    process.stdout.write(`${JSON.stringify({ msg: `check failed: contract broken: ${breach}` })}\n`);
});

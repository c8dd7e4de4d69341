import { changeModules, chooseModules, chooseOptions } from '../changeModules.ts';
import { changing, defineCommand, set } from '../command.ts';
import { offeredModules, withRequired } from '../engine/resolve.ts';
import { addModules, setOptions } from '../engine/edit.ts';
import { manifestOf, presentService } from '../present.ts';

export const command = defineCommand({
  usage: '<module...>',
  summary: 'add modules, and the modules that they require',
  flags: { ...changing, ...set },
  ask: async (invocation) => {
    const present = presentService(invocation);
    const { catalogue } = present;
    const manifest = manifestOf(present.raw, catalogue);
    const absent = offeredModules(catalogue)
      .map(({ id }) => id)
      .filter((id) => !Object.hasOwn(manifest.modules, id));
    const isAsked = invocation.args.length === 0;
    const ids = isAsked ? await chooseModules(invocation, present, absent, 'Modules to add') : invocation.args;
    const given = invocation.flags.set;
    const settings = isAsked ? [...(await chooseOptions(ids, given, catalogue)), ...given] : given;
    const brought = withRequired(ids, catalogue).filter((id) => !ids.includes(id) && absent.includes(id));
    const already = ids.filter((id) => Object.hasOwn(manifest.modules, id));
    return changeModules(
      invocation,
      present,
      (now) => setOptions(addModules(now, ids, catalogue), settings, catalogue),
      [
        ...already.map((id) => `${id} is already in this service`),
        ...brought.map(
          (id) =>
            `${id} comes with it: ${ids.filter((wanted) => withRequired([wanted], catalogue).includes(id)).join(', ')} requires it`,
        ),
      ],
    );
  },
});

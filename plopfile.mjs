// `npx plop module`: the folder of a new module, ready to be filled. Adding a module is adding that folder.
const categories = ['api', 'data', 'messaging', 'reliability', 'security', 'delivery'];
const skeleton = 'templates/skeleton';
const module = 'templates/modules/{{id}}';
const files = {
  'module.ts.hbs': 'module.ts',
  'files/config.ts.hbs': 'files/internal/platform/{{id}}/config.ts',
  'files/module.ts.hbs': 'files/internal/platform/{{id}}/module.ts',
  'files/routes.ts.hbs': 'files/internal/platform/{{id}}/routes.ts',
  'files/routes.test.ts.hbs': 'files/internal/platform/{{id}}/routes.test.ts',
  'files/page.md.hbs': 'files/docs/{{id}}.md',
};

/** @param {import('plop').NodePlopAPI} plop plop's API */
export default function plopfile(plop) {
  plop.setGenerator('module', {
    description: 'a new module of the catalogue',
    prompts: [
      {
        type: 'input',
        name: 'id',
        message: 'Id, in kebab-case',
        validate: (/** @type {string} */ id) =>
          /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id) || 'use lower-case letters, digits and single hyphens',
      },
      { type: 'input', name: 'summary', message: 'Summary, one line without a full stop' },
      { type: 'list', name: 'category', message: 'Category', choices: categories },
    ],
    actions: Object.entries(files).map(([from, to]) => ({
      type: 'add',
      path: `${module}/${to}`,
      templateFile: `${skeleton}/${from}`,
    })),
  });
}

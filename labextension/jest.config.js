// jsdom and the transforms that JupyterLab's own packages need; see @jupyterlab/testutils.
const jupyterlab = require('@jupyterlab/testutils/lib/jest-config');

const base = jupyterlab(__dirname);
const esm = ['@codemirror', '@jupyter', '@jupyterlab', '@rjsf', '@microsoft', 'exenv-es6', 'lib0', 'marked', 'nanoid', 'vscode-ws-jsonrpc', 'y-protocols', 'y-websocket', 'yjs'].join('|');

module.exports = {
  ...base,
  testRegex: 'src/.*\\.spec\\.tsx?$',
  transformIgnorePatterns: [`/node_modules/(?!(${esm}))`],
  collectCoverage: false,
  coverageThreshold: undefined,
  reporters: ['default']
};

// Who may import whom. Type imports count, tests may import anything.

const test = '(\\.test(-d)?\\.ts|\\.soak\\.ts)$|^packages/[^/]+/(test|fixtures)/';
const core = '^packages/core/src';
const adapter = '^packages/(storage|notify)-[^/]+/src/';

/** What each folder of core may import besides itself, eventemitter3, and the two modules of Node that core may use. */
const mayImport = {
  domain: [],
  ports: ['domain'],
  authoring: ['domain', 'ports'],
  engine: ['domain', 'ports', 'authoring'],
  scheduler: ['domain', 'ports', 'authoring', 'engine'],
  app: ['domain', 'ports', 'authoring', 'engine', 'scheduler'],
  testing: ['domain', 'ports', 'authoring', 'app', 'index.ts'],
  conformance: ['domain', 'ports', 'authoring', 'app', 'index.ts', 'testing'],
};

const layers = Object.entries(mayImport).map(([layer, others]) => ({
  name: `core-${layer}`,
  severity: 'error',
  comment: `core/src/${layer} imports only ${[layer, ...others].join(', ')}.`,
  from: { path: `${core}/${layer}/`, pathNot: test },
  to: {
    path: `${core}/`,
    pathNot: [layer, ...others].map((name) => (name.endsWith('.ts') ? `${core}/${name}$` : `${core}/${name}/`)),
  },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...layers,
    {
      name: 'core-index',
      severity: 'error',
      comment: 'Fakes and suites have entries of their own; the main entry does not carry them along.',
      from: { path: `${core}/[^/]+$`, pathNot: test },
      to: { path: `${core}/(testing|conformance)/` },
    },
    {
      name: 'core-node',
      severity: 'error',
      comment:
        'Core uses node:crypto and node:async_hooks and nothing else of Node: time, timers and input/output come through ports.',
      from: { path: `${core}/`, pathNot: test },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|async_hooks)$' },
    },
    {
      name: 'core-packages',
      severity: 'error',
      comment: 'The only package that core imports is eventemitter3; the conformance suites have a rule of their own.',
      from: { path: `${core}/`, pathNot: [test, `${core}/conformance/`] },
      to: { dependencyTypesNot: ['core', 'local'], pathNot: ['^packages/core/', '(^|/)node_modules/eventemitter3/'] },
    },
    {
      name: 'core-conformance-packages',
      severity: 'error',
      comment: 'The only packages that the conformance suites import are vitest and fast-check.',
      from: { path: `${core}/conformance/`, pathNot: test },
      to: { dependencyTypesNot: ['core', 'local'], pathNot: ['^packages/core/', '(^|/)node_modules/(vitest|fast-check)/'] },
    },
    {
      name: 'adapters-see-ports',
      severity: 'error',
      comment: 'A storage or notifier knows of core only @romancy/core/ports, so that it can be swapped and published alone.',
      from: { path: adapter, pathNot: test },
      to: { path: '^packages/core/', pathNot: `${core}/ports/index\\.ts$` },
    },
    {
      name: 'adapters-stand-alone',
      severity: 'error',
      comment: 'A storage or notifier imports no other one.',
      from: { path: '^packages/((?:storage|notify)-[^/]+)/src/', pathNot: test },
      to: { path: '^packages/(storage|notify)-', pathNot: '^packages/$1/' },
    },
    {
      name: 'http-sees-entries',
      severity: 'error',
      comment: 'Of core, HTTP knows what users know, and the ports; of storages and notifiers nothing.',
      from: { path: '^packages/http/src/', pathNot: test },
      to: { path: '^packages/', pathNot: ['^packages/http/', `${core}/(ports/)?index\\.ts$`] },
    },
    {
      name: 'http-web-standard',
      severity: 'error',
      comment: 'What runs wherever there is a Request and a Response uses nothing of Node; only the entry for Node does.',
      from: { path: '^packages/http/src/(?!node/)', pathNot: test },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'http-node-beside',
      severity: 'error',
      comment: 'The entry for Node fits any handler, and the rest of the package does not carry it along.',
      from: { path: '^packages/http/src/(?!node/)', pathNot: test },
      to: { path: '^packages/http/src/node/' },
    },
    {
      name: 'no-tests-in-products',
      severity: 'error',
      comment: 'What is published imports no test and nothing that exists for tests.',
      from: { path: '^packages/(?!test-support/)', pathNot: test },
      to: { path: [test, '^packages/test-support/'] },
    },
    {
      name: 'no-dev-packages-in-products',
      severity: 'error',
      comment: 'What is published imports only what is installed along with it.',
      from: { path: '^packages/(?!test-support/)[^/]+/src/', pathNot: test },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'],
        pathNot: 'node_modules/@types/',
      },
    },
    {
      name: 'packages-by-name',
      severity: 'error',
      comment: 'Another package is imported by its name, that is through its exports.',
      from: { path: '^(packages/[^/]+|apps/examples/[^/]+|apps/[^/]+)/' },
      to: { path: '^(packages|apps)/', pathNot: '^$1/', dependencyTypes: ['local'] },
    },
    { name: 'no-cycles', severity: 'error', comment: 'No ring, not even of types.', from: {}, to: { circular: true } },
    {
      name: 'no-unknown',
      severity: 'error',
      comment: 'Everything that is imported exists.',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|apps)/(?!.*node_modules/).*/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      conditionNames: ['@romancy/source', 'types', 'import', 'node', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};

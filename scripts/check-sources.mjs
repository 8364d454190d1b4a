// Type-checks and lints all sources by one program of the compiler: by themselves, each of the two would find out all types.
import { ESLint } from 'eslint';
import ts from 'typescript';

const host = {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic: (problem) => {
    throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, '\n'));
  },
};
const { fileNames, options, errors } = ts.getParsedCommandLineOfConfigFile('tsconfig.json', {}, host);
const program = ts.createProgram({ rootNames: fileNames, options, configFileParsingDiagnostics: errors });
const problems = ts.sortAndDeduplicateDiagnostics(ts.getPreEmitDiagnostics(program));
if (problems.length > 0) {
  const shown = { getCurrentDirectory: ts.sys.getCurrentDirectory, getCanonicalFileName: (name) => name, getNewLine: () => '\n' };
  console.log(ts.formatDiagnosticsWithColorAndContext(problems, shown));
}

const lint = new ESLint({
  overrideConfig: { files: ['**/*.ts'], languageOptions: { parserOptions: { programs: [program], project: null } } },
});
const results = await lint.lintFiles(['.']);
const formatter = await lint.loadFormatter();
const report = await formatter.format(results);
if (report !== '') console.log(report);
// A warning is a failure as well.
const isClean = results.every(({ errorCount, warningCount }) => errorCount + warningCount === 0);
process.exitCode = problems.length === 0 && isClean ? 0 : 1;

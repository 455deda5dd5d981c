// Is this a workflow that GitHub's own parser takes? node ci_check.mjs NODE_MODULES FILE
import {readFileSync} from "node:fs";
import {register} from "node:module";
import {pathToFileURL} from "node:url";

// The package is meant for bundlers: node wants to be told what its JSON is.
register("data:text/javascript," + encodeURIComponent(`export const load = (url, context, next) =>
    next(url, url.endsWith(".json") ? {...context, importAttributes: {type: "json"}} : context);`));

const [modules, file] = process.argv.slice(2);
const parser = await import(pathToFileURL(`${modules}/@actions/workflow-parser/dist/index.js`));
const read = parser.parseWorkflow({name: file, content: readFileSync(file, "utf8")},
    new parser.NoOperationTraceWriter());
const workflow = await parser.convertWorkflowTemplate(read.context, read.value);
for (const error of read.context.errors.getErrors()) console.log(error.message);
process.exitCode = read.context.errors.getErrors().length || workflow.jobs?.length !== 1 ? 1 : 0;

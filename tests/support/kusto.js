// Microsoft's own parser of Kusto queries over tables that are declared. Reads {tables: {name: schema}, queries: {name: text}}
// as JSON from standard input; writes {name: [what is wrong]}.
"use strict";

// The package says no entry point, and its two files want to be loaded as a page loads them.
const modules = process.argv[2];
require(`${modules}/@kusto/language-service-next/bridge.js`);
require(`${modules}/@kusto/language-service-next/Kusto.Language.Bridge.js`);

const { GlobalState, KustoCode, Symbols } = Kusto.Language;

function globals(tables) {
  const symbols = Object.entries(tables).map(([name, schema]) => Symbols.TableSymbol.From(schema).WithName(name));
  return GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("workspace", symbols));
}

function wrong(query, state) {
  const found = [];
  const code = KustoCode.ParseAndAnalyze(query, state);
  const diagnostics = code.GetDiagnostics();
  for (let i = 0; i < diagnostics.Count; i += 1) {
    const each = diagnostics.getItem(i);
    if (each.Severity === "Error" || each.Severity === "Warning") {
      const line = query.slice(0, each.Start).split("\n").length;
      found.push(`line ${line}: ${each.Message}`);
    }
  }
  return found;
}

let input = "";
process.stdin.on("data", (chunk) => { input += chunk; });
process.stdin.on("end", () => {
  const { tables, queries } = JSON.parse(input);
  const state = globals(tables);
  const found = Object.fromEntries(Object.entries(queries).map(([name, text]) => [name, wrong(text, state)]));
  process.stdout.write(JSON.stringify(found));
});

// An HTTP server that speaks enough of Cosmos DB's protocol for the real SDK: @vercel/cosmosdb-server with the faults that
// would hide an adapter's mistakes mended at run time. Usage: node cosmos_server.js MODULES_DIR PORT
const { AsyncLocalStorage } = require("async_hooks");
const path = require("path");

const [modules, port] = process.argv.slice(2);
const home = path.join(modules, "@vercel", "cosmosdb-server", "lib");
const load = (name) => require(path.join(home, name));

const NOT_FOUND = { code: "NotFound", message: "Resource Not Found." };
const TOO_LARGE = { code: "RequestEntityTooLarge", message: "The size of the resource is larger than 2 MB." };
const MAX_DOCUMENT = 2 * 1024 * 1024;

const partitionOf = (request) => {
  const header = request.headers["x-ms-documentdb-partitionkey"];
  const keys = header ? JSON.parse(header) : [];
  return typeof keys[0] === "string" ? keys[0] : undefined;
};

// Replace the handler of a route, wherever the table of routes has taken it from already.
const mend = (name, wrap) => {
  const module = load(`handler/${name}`);
  module.default = wrap(module.default);
};

// Wrong: a missing document answers 500, since the handler reads properties of undefined. Cosmos DB: 404.
mend("read-document", (original) => (account, request, response, params) => {
  const collection = account.database(params.dbId).collection(params.collId);
  if (collection.read() && !collection.document(params.docId, partitionOf(request)).read()) {
    response.statusCode = 404;
    return NOT_FOUND;
  }
  return original(account, request, response, params);
});

// Wrong: the partition key header of a query is ignored. Cosmos DB looks at that partition only.
const scope = new AsyncLocalStorage();
mend("query-documents", (original) => (account, request, response, params) => {
  const partition = partitionOf(request);
  if (partition === undefined) return original(account, request, response, params);
  request.headers["x-ms-documentdb-query-enablecrosspartition"] = "true";
  return scope.run(partition, () => original(account, request, response, params));
});
const Documents = load("account/documents").default;
const query = Documents.prototype.query;
Documents.prototype.query = function scoped(...args) {
  const partition = scope.getStore();
  if (partition === undefined) return query.apply(this, args);
  const all = this._data;
  this._data = new Map([...all].filter(([, item]) => item.read().pk === partition));
  try {
    return query.apply(this, args);
  } finally {
    this._data = all;
  }
};

// Wrong: documents of any size are taken. Cosmos DB: 413 above 2 MB.
for (const name of ["create-document", "replace-document", "upsert-document", "patch-document"]) {
  mend(name, (original) => (account, request, response, params) => {
    if (Number(request.headers["content-length"]) > MAX_DOCUMENT) {
      request.resume();
      response.statusCode = 413;
      return TOO_LARGE;
    }
    return original(account, request, response, params);
  });
}

// Wrong: what goes to a missing container ends as a 500, or as a 404 like that of a missing document.
for (const verb of ["create", "read", "replace", "upsert", "patch", "delete", "query"]) {
  mend(verb === "query" ? "query-documents" : `${verb}-document`, (original) => (account, request, response, params) => {
    if (account.database(params.dbId).collection(params.collId).read()) return original(account, request, response, params);
    request.resume();
    response.statusCode = 404;
    response.setHeader("x-ms-substatus", "1003");
    return { code: "NotFound", message: "Owner resource does not exist" };
  });
}

const server = load("index").createHttpServer({ keepAlive: true });
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));

// Puts off what Pulumi's SDK loads for the automation API and for functions that are serialised into the cloud:
// TypeScript's compiler and npm's package resolver, 0.6 s of CPU in each run of a program that uses neither.
// Whatever does use them gets them at that moment. A module that another version of the SDK does not have is left out.
const Module = require("node:module");

const SELDOM_USED = [
  "./automation/index.js",
  "./runtime/closure/parseFunction.js",
  "@npmcli/arborist",
];

/** @param {NodeRequire} find resolves `@pulumi/pulumi`. */
function deferSeldomUsed(find) {
  const fromSdk = Module.createRequire(find.resolve("@pulumi/pulumi/package.json"));
  for (const name of SELDOM_USED) {
    try {
      defer(fromSdk.resolve(name), fromSdk);
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
}

/** Whoever requires `file` gets an object that loads it when it is first looked into. */
function defer(file, load) {
  if (load.cache[file]) return;
  let loaded;
  const contents = () => {
    if (!loaded) {
      delete load.cache[file];
      loaded = load(file);
    }
    return loaded;
  };
  const stand = new Module(file);
  stand.filename = file;
  stand.loaded = true;
  stand.exports = new Proxy(
    {},
    {
      // Code compiled from TypeScript asks for `__esModule` as soon as it has required something.
      get: (_, key) => (key === "__esModule" ? true : contents()[key]),
      has: (_, key) => key in contents(),
      ownKeys: () => Reflect.ownKeys(contents()),
      getOwnPropertyDescriptor: (_, key) => {
        const own = Reflect.getOwnPropertyDescriptor(contents(), key);
        return own && { ...own, configurable: true };
      },
    },
  );
  load.cache[file] = stand;
}

module.exports = deferSeldomUsed;

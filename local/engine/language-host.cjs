// The part of Pulumi's Node.js language host that this program needs, for machines where the official
// `pulumi-language-nodejs` cannot be downloaded. Protocol: pulumi/pulumi proto/pulumi/language.proto.
const { spawn } = require("node:child_process");
const { createRequire } = require("node:module");
const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js");
const services = require("@pulumi/pulumi/proto/language_grpc_pb.js");
const messages = require("@pulumi/pulumi/proto/language_pb.js");
const plugins = require("@pulumi/pulumi/proto/plugin_pb.js");
const { version } = require("@pulumi/pulumi/package.json");

/** @pulumi/pulumi's own exit code for "the user has been told already". */
const EXIT_ALREADY_REPORTED = 32;

const engineAddress = process.argv.slice(2).find((argument) => !argument.startsWith("-"));
const programs = new Set();

function run(call, done) {
  const request = call.request;
  const info = request.getInfo();
  const options = info?.getOptions()?.toJavaScript() ?? {};
  const runner = createRequire(path.join(info.getProgramDirectory(), "index.js")).resolve(
    "@pulumi/pulumi/cmd/run",
  );
  const args = [
    ...(options.nodeargs ? String(options.nodeargs).split(/\s+/) : []),
    runner,
    "--monitor",
    request.getMonitorAddress(),
    "--engine",
    engineAddress,
    "--organization",
    request.getOrganization(),
    "--project",
    request.getProject(),
    "--stack",
    request.getStack(),
    "--pwd",
    info.getProgramDirectory(),
    "--parallel",
    String(request.getParallel()),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    info.getEntryPoint(),
    ...request.getArgsList(),
  ];
  const config = Object.fromEntries(request.getConfigMap().getEntryList());
  const program = spawn(process.execPath, args, {
    cwd: info.getProgramDirectory(),
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      PULUMI_CONFIG: JSON.stringify(config),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
      PULUMI_NODEJS_TYPESCRIPT: String(options.typescript !== false),
    },
  });
  programs.add(program);
  const finish = (error, bail) => {
    programs.delete(program);
    const response = new messages.RunResponse();
    if (bail) response.setBail(true);
    else if (error) response.setError(error);
    done(null, response);
  };
  program.once("error", (error) => finish(`could not start Node.js: ${error.message}`));
  program.once("exit", (code, signal) => {
    if (code === 0) finish();
    else if (code === EXIT_ALREADY_REPORTED) finish(undefined, true);
    else finish(`the program ended with ${signal ?? `exit code ${code}`}`);
  });
}

// An engine that was killed tells nobody, and its program would wait for it for ever.
const engine = process.ppid;
setInterval(() => {
  if (process.ppid === engine) return;
  for (const program of programs) program.kill("SIGKILL");
  process.exit(1);
}, 200).unref();

const empty = (_call, done) => done(null, new Empty());
const server = new grpc.Server();
server.addService(services.LanguageRuntimeService, {
  handshake: (_call, done) => done(null, new messages.LanguageHandshakeResponse()),
  getPluginInfo: (_call, done) => {
    const info = new plugins.PluginInfo();
    info.setVersion(version);
    done(null, info);
  },
  getRequiredPlugins: (_call, done) => done(null, new messages.GetRequiredPluginsResponse()),
  getRequiredPackages: (_call, done) => done(null, new messages.GetRequiredPackagesResponse()),
  getProgramDependencies: (_call, done) =>
    done(null, new messages.GetProgramDependenciesResponse()),
  about: (_call, done) => {
    const about = new messages.AboutResponse();
    about.setExecutable(process.execPath);
    about.setVersion(process.version);
    done(null, about);
  },
  installDependencies: (call) => call.end(),
  run,
  cancel: (call, done) => {
    for (const program of programs) program.kill("SIGTERM");
    empty(call, done);
  },
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});

import { runPlugin } from "../framework/serve";
import { docker } from "./provider";

runPlugin(docker);

import { runPlugin } from "../framework/serve";
import { digitalocean } from "./provider";

runPlugin(digitalocean);

#!/usr/bin/env node
import { runFromProcess } from "./run-from-process";

process.exitCode = await runFromProcess();

#!/usr/bin/env bash
# Runs the reliability tests at full size and writes what they found to docs/reliability.md. Takes the runner's options,
# for example -class '*ServerKillTests'. COBALTGRAPH_SEED repeats a run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export COBALTGRAPH_RELIABILITY=full DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
# One of the tests runs this program.
dotnet build --configuration Release --verbosity quiet tests/CobaltGraph.Data.Tests
exec dotnet run --configuration Release --project tests/CobaltGraph.Reliability.Tests -- "$@"

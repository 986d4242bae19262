using CobaltGraph.Reliability.Tests;
using CobaltGraph.Testing;
using Xunit.Sdk;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(PostgresServerFixture))]
[assembly: AssemblyFixture(typeof(RunSeed))]

// Faults are timed against the machine; a neighbour would only blur what a test sees.
[assembly: Parallelization(Mode = ParallelMode.None)]

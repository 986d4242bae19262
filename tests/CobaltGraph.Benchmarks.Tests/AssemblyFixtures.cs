using CobaltGraph.Testing;

[assembly: AssemblyFixture(typeof(PostgresServerFixture))]

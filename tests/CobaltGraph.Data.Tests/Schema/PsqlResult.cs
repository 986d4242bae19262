namespace CobaltGraph.Data.Tests.Schema;

internal sealed record PsqlResult(int ExitCode, string Output, string Error);

namespace CobaltGraph.Testing;

internal sealed record PsqlResult(int ExitCode, string Output, string Error);

namespace CobaltGraph.Data.Ingest;

/// <summary>Rows that are too much for one statement, and are stored in parts.</summary>
internal sealed class StatementTooLongException(string message) : Exception(message);

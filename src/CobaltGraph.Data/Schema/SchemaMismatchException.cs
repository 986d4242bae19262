namespace CobaltGraph.Data.Schema;

/// <summary>The schema does not have exactly the migrations that this version of the library has.</summary>
public sealed class SchemaMismatchException : InvalidOperationException
{
    internal SchemaMismatchException(SchemaState state)
        : base(Describe(state))
    {
        Schema = state.Schema;
        Pending = state.Pending;
        Unknown = state.Unknown;
    }

    /// <summary>The schema.</summary>
    public string Schema { get; }

    /// <summary>Migrations that the schema lacks, oldest first.</summary>
    public IReadOnlyList<string> Pending { get; }

    /// <summary>Migrations that the schema has and this version does not know.</summary>
    public IReadOnlyList<string> Unknown { get; }

    private static string Describe(SchemaState state)
    {
        var text = $"Schema \"{state.Schema}\" is not of this version of CobaltGraph.";
        if (!state.SchemaExists) text += " It does not exist.";
        if (state.Pending.Count > 0)
            text += $" It lacks {string.Join(", ", state.Pending)}: run `cobaltgraph migrate` or the script of the release.";
        if (state.Unknown.Count > 0)
            text += $" It has {string.Join(", ", state.Unknown)}, which this version does not know: use the version that migrated it.";
        return text;
    }
}

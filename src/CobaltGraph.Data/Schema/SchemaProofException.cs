namespace CobaltGraph.Data.Schema;

/// <summary>A schema cannot be compared with what its migrations must have made.</summary>
/// <param name="message">What is in the way, and what to do.</param>
/// <param name="isNotOurs">Whether the schema is no CobaltGraph database, which is an answer too.</param>
internal sealed class SchemaProofException(string message, bool isNotOurs) : Exception(message)
{
    /// <summary>Whether the schema is no CobaltGraph database.</summary>
    public bool IsNotOurs => isNotOurs;
}

namespace CobaltGraph.Data.Schema;

/// <summary>What a role may do with an object.</summary>
/// <param name="Role">The role; <c>PUBLIC</c> for everybody.</param>
/// <param name="Kind">database, schema, table, partition, view, sequence or function.</param>
/// <param name="Object">Its name within the schema; monthly partitions have one name for all.</param>
/// <param name="Verb">The privilege as GRANT names it; <c>OWNER</c> for all that there are.</param>
/// <param name="Columns">The columns that it is limited to, quoted and separated by commas; null for no such limit.</param>
internal sealed record Right(string Role, string Kind, string Object, string Verb, string? Columns);

namespace CobaltGraph.Data.Schema;

/// <summary>The four roles of a site, as the server names them.</summary>
/// <param name="Owner">Owns the schema and all in it; migrations run as it.</param>
/// <param name="Writer">Stores connections and sightings, enriches them, and reads.</param>
/// <param name="Reader">Reads.</param>
/// <param name="Maintainer">Sweeps the status of devices, makes partitions and drops old ones.</param>
internal sealed record RoleNames(string Owner, string Writer, string Reader, string Maintainer)
{
    public IReadOnlyList<string> All => [Owner, Writer, Reader, Maintainer];
}

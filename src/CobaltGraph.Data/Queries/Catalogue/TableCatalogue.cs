using Npgsql;

namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>The tables of the site: which is a partition of which, and how large they are.</summary>
internal sealed class TableCatalogue
{
    public const string Connections = "connections";

    private readonly Dictionary<string, (string Parent, long Bytes)> _relations = new(StringComparer.Ordinal);

    /// <summary>Partitions of connections.</summary>
    public int Partitions => _relations.Count(relation => relation.Value.Parent == Connections && relation.Key != Connections && relation.Value.Bytes >= 0);

    public static async Task<TableCatalogue> ReadAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var catalogue = new TableCatalogue();
        var command = dataSource.CreateCommand(
            """
            SELECT c.relname, coalesce(p.relname, c.relname),
                   CASE WHEN c.relkind IN ('i', 'I') THEN -1 ELSE pg_catalog.pg_relation_size(c.oid) END
            FROM pg_catalog.pg_class AS c
            LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid
            LEFT JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'i', 'I')
            """);
        await using (command.ConfigureAwait(false))
        {
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    catalogue._relations[reader.GetString(0)] = (reader.GetString(1), reader.GetInt64(2));
            }
        }

        return catalogue;
    }

    public string ParentOf(string relation) => _relations.TryGetValue(relation, out var known) ? known.Parent : relation;

    public string ParentOfIndex(string index) => ParentOf(index);

    public long BytesOf(string relation) => _relations.TryGetValue(relation, out var known) ? known.Bytes : 0;
}

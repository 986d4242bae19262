using Npgsql;

namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>The tables of the site: which is a partition of which, and how large they are.</summary>
internal sealed class TableCatalogue
{
    public const string Connections = "connections";

    private readonly Dictionary<string, (string Parent, long Bytes)> _relations = new(StringComparer.Ordinal);

    /// <summary>All indexes, of a partitioned table its own.</summary>
    public IReadOnlyList<TableIndex> Indexes { get; private set; } = [];

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
            WHERE c.relnamespace = pg_catalog.quote_ident(current_schema())::regnamespace AND c.relkind IN ('r', 'p', 'i', 'I')
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

        catalogue.Indexes = await ReadIndexesAsync(dataSource, cancellationToken).ConfigureAwait(false);
        return catalogue;
    }

    private static async Task<IReadOnlyList<TableIndex>> ReadIndexesAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var indexes = new List<TableIndex>();
        var command = dataSource.CreateCommand(
            """
            SELECT c.relname, t.relname, x.indisunique,
                   pg_catalog.pg_relation_size(c.oid)
                   + (SELECT coalesce(sum(pg_catalog.pg_relation_size(i.inhrelid)), 0) FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid)::bigint
            FROM pg_catalog.pg_index AS x
            JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid
            JOIN pg_catalog.pg_class AS t ON t.oid = x.indrelid
            WHERE c.relnamespace = pg_catalog.quote_ident(current_schema())::regnamespace AND NOT c.relispartition
            ORDER BY t.relname, c.relname
            """);
        await using (command.ConfigureAwait(false))
        {
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    indexes.Add(new(reader.GetString(0), reader.GetString(1), reader.GetBoolean(2), reader.GetInt64(3)));
            }
        }

        return indexes;
    }

    public string ParentOf(string relation) => _relations.TryGetValue(relation, out var known) ? known.Parent : relation;

    public string ParentOfIndex(string index) => ParentOf(index);

    public long BytesOf(string relation) => _relations.TryGetValue(relation, out var known) ? known.Bytes : 0;
}
